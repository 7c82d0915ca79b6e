internal import ArgumentParser
private import JobReactorCore
private import JobReactorLua

struct DefinitionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "definitions",
        abstract: "Print what job scripts find beside Lua's own libraries, for editors and for reading.",
        discussion: """
            A definitions file of LuaCATS, as the Lua language server takes it: types, units, defaults, errors and an \
            example each. jobreactor new NAME --editor puts it where an editor finds it.
            """)

    @Flag(help: "As a JSON object with the text.") var json = false

    func run() async throws {
        guard json else { return try Terminal.result(ScriptDefinitions.source) }
        try Terminal.result(json: JSONValue.object(["definitions": .string(ScriptDefinitions.source)]).json)
    }
}
