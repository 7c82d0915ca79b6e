public import JobReactorLua

/// The libraries of this product.
public enum ScriptLibraries {
    /// All of them: `http`, `exec`, `redis`, `hash`.
    public static var all: [any ScriptLibrary] { [] }
}
