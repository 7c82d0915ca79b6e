public import JobReactorLua

/// The libraries of this product for the scripts of a node.
///
///     NodeConfiguration(name: "worker_1", distributors: ["localhost:5000"], libraries: ScriptLibraries.all)
public enum ScriptLibraries {
    private static let http = HTTPLibrary()
    private static let redis = RedisLibrary()
    private static let exec = ExecLibrary()

    /// All libraries: `http`, `exec`, `redis`, `hash`. The same objects each time, so that all nodes of a process share
    /// their connections.
    public static let all: [any ScriptLibrary] = [http, exec, redis, HashLibrary()]

    /// Sets the number of `exec` programs at once, the number of `http` requests to one server at once, both from 1,
    /// and the seconds that a request waits for its turn.
    public static func limit(
        programs: Int = ExecLibrary.usualPrograms, connections: Int = HTTPLibrary.usualConnections,
        wait: Double = HTTPLibrary.usualWait
    ) {
        exec.limit(programs: programs)
        http.limit(connections: connections, wait: wait)
    }

    /// Restricts `http`, including redirects, and `redis` to these hosts; an empty list allows all.
    public static func allow(_ hosts: [HostRule]) {
        http.allow(hosts)
        redis.allow(hosts)
    }

    /// Asks for the URL of a schedule's heartbeat (HEAD), with the client of `http`; throws what failed. It is for a distributor:
    ///
    ///     configuration.heartbeat = ScriptLibraries.heartbeat
    @Sendable public static func heartbeat(_ url: String) async throws { try await http.head(url) }

    /// Closes the connections of the libraries at the end of the process; `http` opens none afterwards.
    public static func shutdown() async {
        redis.shutdown()
        await http.shutdown()
    }
}
