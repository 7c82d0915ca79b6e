/// What scripts find beside Lua's own libraries, written down for editors and for people.
public enum ScriptDefinitions {
    /// A definitions file of LuaCATS, which the language server for Lua reads.
    public static var source: String { String(decoding: PackageResources.jobreactor_lua, as: UTF8.self) }
}
