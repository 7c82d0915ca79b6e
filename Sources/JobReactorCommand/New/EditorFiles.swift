private import JobReactorCore
private import JobReactorLua

/// What the Lua language server, and with it most editors, needs to know of job scripts.
enum EditorFiles {
    /// The definitions stand in a hidden folder, so that no node loads them.
    static func all(for folder: String) -> [NewFile] {
        let definitions = "\(folder)/.definitions/jobreactor.lua"
        let isBeside = !folder.hasPrefix("/")
        return [
            NewFile(path: isBeside ? ".luarc.json" : "\(folder)/.luarc.json", text: settings(definitions)),
            NewFile(path: definitions, text: ScriptDefinitions.source),
        ]
    }

    private static func settings(_ definitions: String) -> String {
        let folder = definitions.split(separator: "/").dropLast().joined(separator: "/")
        let path = JSONValue.string(definitions.hasPrefix("/") ? "/" + folder : folder).json
        return """
            {
              "runtime.version": "Lua 5.4",
              "workspace.library": [\(path)],
              "workspace.checkThirdParty": false
            }

            """
    }
}
