internal import ArgumentParser
private import JobReactorLua

struct DefinitionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "definitions",
        abstract: "Print what job scripts find beside Lua's own libraries, for editors and for reading.",
        discussion: """
            A definitions file of LuaCATS, as the Lua language server takes it: types, units, defaults, errors and an \
            example each. jobreactor new NAME --editor puts it where an editor finds it.
            """)

    func run() async throws { try Terminal.result(ScriptDefinitions.source) }
}
