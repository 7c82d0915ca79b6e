internal import ArgumentParser
private import Foundation
private import JobReactor
private import JobReactorCore
private import JobReactorLibraries
private import JobReactorNode
private import JobReactorWire
private import NIOCore
private import NIOPosix
private import UnixSignals

struct NodeCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "Run jobs: load the scripts, connect to distributors, until SIGINT or SIGTERM.",
        discussion: """
            A stop takes no more jobs, waits for running jobs, and returns the others to the distributors; a second signal \
            stops at once. The node tries to reach its distributors for ever. It reloads scripts when their files change, on \
            SIGHUP, and on the command RELOAD at its port.
            """)

    @Option(\.name) var name: String?
    @Option(\.distributor) var distributor: [String] = []
    @Option(\.server) var server: String?
    @Option(\.connectTo) var connectTo: String?
    @Option(\.storage) var storage: String?
    @Option(\.redisURL) var redisURL: String?
    @Flag(\.retryJobsAtStart) var retryJobsAtStart: Bool?
    @Option(\.reportTTL) var reportTTL: String?
    @Option(\.jobDirectory) var jobDirectory: String?
    @Option(\.window) var window: String?
    @Option(\.maxMemory) var maxMemory: String?
    @Option(\.maxAttempt) var maxAttempt: String?
    @Option(\.retryMultiplier) var retryMultiplier: String?
    @Option(\.backoff) var backoff: String?
    @Option(\.jitter) var jitter: String?
    @Option(\.maxRetryDelay) var maxRetryDelay: String?
    @Option(\.jobTimeout) var jobTimeout: String?
    @Option(\.deferLanes) var deferLanes: String?
    @Option(\.maxSuspended) var maxSuspended: String?
    @Option(\.maxPrograms) var maxPrograms: String?
    @Option(\.httpConnections) var httpConnections: String?
    @Option(\.httpWait) var httpWait: String?
    @Option(\.allowHost) var allowHost: [String] = []
    @Option(\.sliceWarning) var sliceWarning: String?
    @Option(\.sliceLimit) var sliceLimit: String?
    @Option(\.sandbox) var sandbox: String?
    @Flag(\.watch) var watch: Bool?
    @Flag(\.mergeJobItselfToArgs) var mergeJobItselfToArgs: Bool?
    @Flag(\.logJobProcessing) var logJobProcessing: Bool?
    @Flag(\.logArgs) var logArgs: Bool?
    @Flag(\.removeDoneJobs) var removeDoneJobs: Bool?
    @Flag(\.removeCancelledJobs) var removeCancelledJobs: Bool?
    @Flag(\.removeFailedJobs) var removeFailedJobs: Bool?
    @Option(\.memoryLimit) var memoryLimit: String?
    @Option(\.sharedLimit) var sharedLimit: String?
    @OptionGroup var serving: ServingOptions
    @OptionGroup var security: SecurityOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let manager = ServiceManager.fromEnvironment()
        OpenFiles.raiseLimit()
        let settings = try common.settings(serving)
        // One loop for the node and its storage: calls need no change of threads.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let configuration = try nodeConfiguration(settings, on: group)
        let spans = try serving.spans(settings, configuration.logger, role: "node")
        let monitor = try serving.monitor(settings, configuration.security, role: "node", spans: spans)
        let node = Node(configuration, on: group)
        let http = try await monitor?.open(
            for: WatchedServer(health: { await node.health() }, setGauges: { await node.setGauges() }),
            configuration.security, configuration.logger)
        // As most servers do: scripts and certificates are read anew.
        let hangUps = Task {
            for await _ in await UnixSignalsSequence(trapping: .sighup) {
                configuration.security.tls?.reload()
                _ = try? await node.reload()
            }
        }
        defer { hangUps.cancel() }
        try await node.runAsProgram { phase in
            guard let manager else { return }
            switch phase {
            case .started: await Self.announce(node, to: manager, on: group.any())
            case .stopping: manager.stopping(within: node.configuration.grace)
            }
        }
        await spans?.finish()
        await http?.stop()
        await ScriptLibraries.shutdown()
    }

    /// A node has started when it is linked to a distributor: whoever restarts nodes one after the other is never without any.
    /// Where none is there that is no reason to wait for ever.
    private static func announce(_ node: Node, to manager: ServiceManager, on loop: any EventLoop) async {
        manager.status("Connecting to a distributor")
        let seconds = 20.0
        do {
            try await withDeadline(seconds, else: .failure("no distributor answers")) { try await node.linked() }
            manager.status("Running jobs")
        } catch {
            // The stop has come before.
            if Task.isCancelled { return }
            manager.status("No distributor has answered within \(Int(seconds)) s; the node tries again")
        }
        manager.started(on: loop)
    }

    private func nodeConfiguration(
        _ settings: Settings, on group: any EventLoopGroup
    ) throws(CommandFailure) -> NodeConfiguration {
        let server = try settings.value(\.server, flag: server)
        let connectTo = try settings.value(\.connectTo, flag: connectTo)
        if connectTo != nil, server == nil {
            throw .usage("--connect-to needs --server: a node that does not listen cannot be dialled")
        }
        ScriptLibraries.limit(
            programs: try settings.value(\.maxPrograms, flag: maxPrograms) ?? ExecLibrary.usualPrograms,
            connections: try settings.value(\.httpConnections, flag: httpConnections),
            wait: try settings.value(\.httpWait, flag: httpWait))
        ScriptLibraries.allow(try settings.value(\.allowHost, flags: allowHost))
        let hasHTTP = try settings.value(\.http, flag: serving.http) != nil
        let listening = try settings.security(security, serving, listens: server != nil || hasHTTP)
        if let server { try Settings.checkListening(on: server, listening) }
        let logger = try common.serverLogger(settings, serving)
        let storage = try settings.value(\.storage, flag: storage).makeStorage(
            redisURL: try settings.value(\.redisURL, flag: redisURL), tls: listening.tls, on: group,
            logger: logger)
        return NodeConfiguration(
            name: try settings.value(\.name, flag: name) ?? Self.defaultName,
            distributors: try settings.value(\.distributor, flags: distributor), server: server, connectTo: connectTo,
            storage: storage, jobDirectory: try settings.value(\.jobDirectory, flag: jobDirectory),
            policy: JobPolicy(
                maxAttempt: try settings.value(\.maxAttempt, flag: maxAttempt),
                retryMultiplier: try settings.value(\.retryMultiplier, flag: retryMultiplier),
                backoff: try settings.value(\.backoff, flag: backoff),
                jitter: try settings.value(\.jitter, flag: jitter),
                maxRetryDelay: try settings.value(\.maxRetryDelay, flag: maxRetryDelay),
                timeout: try settings.value(\.jobTimeout, flag: jobTimeout),
                removeDoneJobs: try settings.value(\.removeDoneJobs, flag: removeDoneJobs),
                removeCancelledJobs: try settings.value(\.removeCancelledJobs, flag: removeCancelledJobs),
                removeFailedJobs: try settings.value(\.removeFailedJobs, flag: removeFailedJobs)),
            retryJobsAtStart: try settings.value(\.retryJobsAtStart, flag: retryJobsAtStart),
            mergeJobItselfToArgs: try settings.value(\.mergeJobItselfToArgs, flag: mergeJobItselfToArgs),
            logJobProcessing: try settings.value(\.logJobProcessing, flag: logJobProcessing),
            logArgs: try settings.value(\.logArgs, flag: logArgs),
            window: try settings.value(\.window, flag: window),
            maxMemory: try settings.value(\.maxMemory, flag: maxMemory),
            deferLanes: try settings.value(\.deferLanes, flag: deferLanes),
            maxSuspended: try settings.value(\.maxSuspended, flag: maxSuspended),
            sliceWarning: try settings.value(\.sliceWarning, flag: sliceWarning),
            sliceLimit: try settings.value(\.sliceLimit, flag: sliceLimit),
            memoryLimit: try settings.value(\.memoryLimit, flag: memoryLimit),
            sharedLimit: try settings.value(\.sharedLimit, flag: sharedLimit),
            isSandboxed: try settings.value(\.sandbox, flag: sandbox) == .strict,
            watchesScripts: try settings.value(\.watch, flag: watch), libraries: ScriptLibraries.all,
            security: listening,
            limits: RESPLimits(frameBytes: try settings.value(\.frameLimit, flag: serving.frameLimit)),
            maximumConnections: try settings.value(\.maxConnections, flag: serving.maxConnections),
            grace: try settings.value(\.grace, flag: serving.grace),
            reportTTL: try settings.value(\.reportTTL, flag: reportTTL), logger: logger)
    }

    /// Unique on a machine, and between machines that have names.
    private static var defaultName: String {
        let host = ProcessInfo.processInfo.hostName.filter { $0.isASCII && !$0.isWhitespace }.prefix(200)
        return "\(host.isEmpty ? "node" : host)-\(FirstProcess.number)"
    }
}
