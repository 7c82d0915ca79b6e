internal import ArgumentParser
private import JobReactorCore
private import JobReactorLua

struct DefinitionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "definitions",
        abstract: "Print the definitions of all functions for job scripts, for editors.",
        discussion: """
            A definitions file of LuaCATS for the Lua language server, with types, units, defaults, errors and examples. \
            jobreactor new NAME --editor writes it where an editor finds it.
            """)

    @Flag(help: "Print a JSON object with the text.") var json = false

    func run() async throws {
        guard json else { return try Terminal.result(ScriptDefinitions.source) }
        try Terminal.result(json: JSONValue.object(["definitions": .string(ScriptDefinitions.source)]).json)
    }
}
