public import JobReactorLua

/// The libraries of this product: what a node's scripts find beside what is always there.
///
///     NodeConfiguration(name: "worker_1", distributors: ["localhost:5000"], libraries: ScriptLibraries.all)
public enum ScriptLibraries {
    private static let http = HTTPLibrary()
    private static let redis = RedisLibrary()
    private static let exec = ExecLibrary()

    /// All of them: `http`, `exec`, `redis`, `hash`. The same ones each time, so that all nodes of a process share their
    /// connections.
    public static let all: [any ScriptLibrary] = [http, exec, redis, HashLibrary()]

    /// From now on so many programs of `exec` at once, so many requests of `http` to one server, each from 1, and so many seconds
    /// that a request waits for its turn.
    public static func limit(
        programs: Int = ExecLibrary.usualPrograms, connections: Int = HTTPLibrary.usualConnections,
        wait: Double = HTTPLibrary.usualWait
    ) {
        exec.limit(programs: programs)
        http.limit(connections: connections, wait: wait)
    }

    /// From now on `http` and `redis` connect to these servers only, also where a redirect leads; none for all.
    public static func allow(_ hosts: [HostRule]) {
        http.allow(hosts)
        redis.allow(hosts)
    }

    /// Asks for the URL of a schedule's heartbeat (HEAD), with the client of `http`; throws what failed. It is for a distributor:
    ///
    ///     configuration.heartbeat = ScriptLibraries.heartbeat
    @Sendable public static func heartbeat(_ url: String) async throws { try await http.head(url) }

    /// Closes their connections, at the end of the process; `http` makes none afterwards.
    public static func shutdown() async {
        redis.shutdown()
        await http.shutdown()
    }
}
