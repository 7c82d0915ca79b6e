public import JobReactorLua

/// The libraries of this product.
public enum ScriptLibraries {
    private static let http = HTTPLibrary()
    private static let redis = RedisLibrary()

    /// All of them: `http`, `exec`, `redis`, `hash`. The same ones each time, so that all nodes of a process share their
    /// connections.
    public static let all: [any ScriptLibrary] = [http, ExecLibrary(), redis, HashLibrary()]

    /// Closes their connections, at the end of the process; `http` makes none afterwards.
    public static func shutdown() async {
        redis.shutdown()
        await http.shutdown()
    }
}
