/// The definitions of all functions for scripts, for editors and for people.
public enum ScriptDefinitions {
    /// A LuaCATS definitions file for the Lua language server.
    public static var source: String { String(decoding: PackageResources.jobreactor_lua, as: UTF8.self) }
}
