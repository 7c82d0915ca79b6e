private import FoundationEssentials
public import JobReactor
public import JobReactorNode
public import Logging

/// Distributors and nodes in the process of a test, over real sockets on free loopback ports.
///
/// ```swift
/// try await Cluster.run(scripts: ["hello.lua": "job('hello', function(args) args.result = 'Hi' end)"]) { cluster in
///     let distributor = try await cluster.startDistributor()
///     try await cluster.startNode("n1", for: [distributor])
///     let result = try await distributor.perform("hello", timeout: 10)
/// }
/// ```
///
/// Everything that was started stops when `body` ends, and the folder of scripts is removed.
public actor Cluster {
    /// The folder of the scripts.
    public nonisolated let jobDirectory: String
    /// The logger of all distributors and nodes; by default it logs warnings and errors.
    public nonisolated let logger: Logger

    private var distributors: [Distributor] = []
    private var nodes: [Node] = []

    private init(scripts: [String: String], logger: Logger) throws {
        self.logger = logger
        let folder = FileManager.default.temporaryDirectory.appending(path: "jobreactor-\(UUID().uuidString)")
        jobDirectory = folder.path
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (name, text) in scripts {
            let file = folder.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
    }

    /// Makes a cluster with these scripts (path in the folder → text), runs `body` and stops everything, also if it
    /// throws.
    public static func run<Output: Sendable>(
        scripts: [String: String], logger: Logger? = nil,
        _ body: @Sendable (Cluster) async throws -> Output
    ) async throws -> Output {
        let cluster = try Cluster(scripts: scripts, logger: logger ?? quietLogger)
        let result: Result<Output, any Error>
        do { result = .success(try await body(cluster)) } catch { result = .failure(error) }
        await cluster.stop()
        return try result.get()
    }

    private static var quietLogger: Logger {
        var logger = Logger(label: "jobreactor.test")
        logger.logLevel = .error
        return logger
    }

    /// Starts a distributor, on a free port unless `configure` sets one.
    @discardableResult
    public func startDistributor(
        _ configure: @Sendable (inout DistributorConfiguration) -> Void = { _ in }
    ) async throws -> Distributor {
        var configuration = DistributorConfiguration(
            port: 0, grace: 1, logger: logger)
        // A machine that has much else to do is slow, and no fault.
        configuration.limits.authenticationTime = 300
        configuration.limits.silenceTime = 300
        configure(&configuration)
        let distributor = Distributor(configuration)
        distributors.append(distributor)
        try await distributor.start()
        return distributor
    }

    /// Starts a node for these distributors. It uses the connections that it opens unless `configure` gives it a port.
    @discardableResult
    public func startNode(
        _ name: String, for distributors: [Distributor],
        _ configure: @Sendable (inout NodeConfiguration) -> Void = { _ in }
    ) async throws -> Node {
        let addresses = distributors.compactMap { $0.port.map { Address(host: "localhost", port: $0) } }
        var configuration = NodeConfiguration(
            name: name, distributors: addresses, jobDirectory: jobDirectory, grace: 1, logger: logger)
        configuration.limits.silenceTime = 300
        configure(&configuration)
        let node = Node(configuration)
        nodes.append(node)
        try await node.start()
        return node
    }

    private func stop() async {
        for node in nodes { await node.stop() }
        for distributor in distributors { await distributor.stop() }
        try? FileManager.default.removeItem(atPath: jobDirectory)
    }
}
