public import JobReactorLua

/// The libraries of this product.
public enum ScriptLibraries {
    private static let http = HTTPLibrary()
    private static let redis = RedisLibrary()
    private static let exec = ExecLibrary()

    /// All of them: `http`, `exec`, `redis`, `hash`. The same ones each time, so that all nodes of a process share their
    /// connections.
    public static let all: [any ScriptLibrary] = [http, exec, redis, HashLibrary()]

    /// From now on so many programs of `exec` at once, and so many requests of `http` to one server; each from 1.
    public static func limit(programs: Int, connections: Int) {
        exec.limit(programs: programs)
        http.limit(connections: connections)
    }

    /// Closes their connections, at the end of the process; `http` makes none afterwards.
    public static func shutdown() async {
        redis.shutdown()
        await http.shutdown()
    }
}
