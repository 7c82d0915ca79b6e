public import JobReactorCore
public import JobReactorLua
public import JobReactorWire
public import Logging

extension NodeConfiguration {
    /// A configuration whose times are durations: `NodeConfiguration(name: "worker_1", distributors: [address], grace:
    /// .seconds(30))`. The start of the node refuses durations that are negative or longer than `JobLimits.seconds`.
    @_disfavoredOverload
    public init(
        name: String, distributors: [Address], server: Address? = nil, connectTo: Address? = nil,
        storage: any JobStorage = MemoryStorage(), jobDirectory: String = "reactor_jobs",
        policy: JobPolicy = JobPolicy(), retryJobsAtStart: Bool = true, mergeJobItselfToArgs: Bool = false,
        logJobProcessing: Bool = true, logArgs: Bool = false, window: Int = 1024, maxMemory: Int? = nil,
        deferLanes: Int = 2, maxSuspended: Int = 10_000, sliceWarning: Duration = .seconds(1),
        sliceLimit: Duration = .seconds(30), memoryLimit: Int? = nil, sharedLimit: Int? = nil,
        isSandboxed: Bool = false, watchesScripts: Bool = true, libraries: [any ScriptLibrary] = [],
        security: WireSecurity = WireSecurity(),
        limits: RESPLimits = RESPLimits(), maximumConnections: Int = 10_000, grace: Duration = .seconds(10),
        reportTTL: Duration = .seconds(3600), logger: Logger = Logger(label: "jobreactor.node")
    ) {
        self.init(
            name: name, distributors: distributors, server: server, connectTo: connectTo, storage: storage,
            jobDirectory: jobDirectory, policy: policy, retryJobsAtStart: retryJobsAtStart,
            mergeJobItselfToArgs: mergeJobItselfToArgs, logJobProcessing: logJobProcessing, logArgs: logArgs,
            window: window, maxMemory: maxMemory, deferLanes: deferLanes, maxSuspended: maxSuspended,
            sliceWarning: sliceWarning.inSeconds, sliceLimit: sliceLimit.inSeconds, memoryLimit: memoryLimit,
            sharedLimit: sharedLimit, isSandboxed: isSandboxed, watchesScripts: watchesScripts, libraries: libraries,
            security: security,
            limits: limits, maximumConnections: maximumConnections, grace: grace.inSeconds,
            reportTTL: reportTTL.inSeconds, logger: logger)
    }
}
