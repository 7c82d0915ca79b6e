public import JobReactorCore
public import JobReactorLua
public import JobReactorWire
public import Logging

/// The settings of a node. The defaults are those of the gem.
public struct NodeConfiguration: Sendable {
    /// Unique among the nodes of a distributor: 1 to 255 bytes without spaces.
    public var name: String
    /// `host:port` of each distributor to connect to.
    public var distributors: [Address]
    /// The address on which the node listens; nil for a node that only uses the connections that it opens. Port 0 takes
    /// a free port.
    public var server: Address?
    /// The address that distributors dial, if it differs from `server`.
    public var connectTo: Address?
    /// The storage for jobs.
    public var storage: any JobStorage
    /// The folder of the job scripts.
    public var jobDirectory: String
    /// The policy for jobs, unless their script or producer sets other values.
    public var policy: JobPolicy
    /// Whether unfinished jobs in the storage are recovered at the start, each with `args.retrying = true`; otherwise
    /// they stay there.
    public var retryJobsAtStart: Bool
    /// Whether scripts and feedbacks see `args.job_itself`.
    public var mergeJobItselfToArgs: Bool
    /// Whether each run is logged: its end at debug level, a failure at warning level.
    public var logJobProcessing: Bool
    /// Whether the log of a failure shows the job's args, which may contain secrets.
    public var logArgs: Bool
    /// The largest number of due and unfinished jobs of each distributor here; further ones wait at the distributor.
    public var window: Int
    /// The memory in bytes for jobs that wait here for their due time; nil for half of the memory of the machine or its
    /// control group. A job counts as 128 bytes, or 1,024 bytes if its record is in memory as well. When the limit is
    /// reached, the node asks for no more jobs until a tenth is free; its own jobs continue, and further ones wait at
    /// the distributors.
    public var maxMemory: Int?
    /// The number of threads for jobs with `defer`, each with its own Lua state; from 1. They start with the first such
    /// job.
    public var deferLanes: Int
    /// The largest number of suspended jobs (`sleep`, `http` …), for the reactor lane and for jobs with `defer`, from 1.
    /// They do not count towards the window.
    public var maxSuspended: Int
    /// Seconds that a job may run without suspension before the log shows where it is; 0 for no limit.
    public var sliceWarning: Double
    /// Seconds that a job may run without suspension before it is interrupted and has failed; 0 for no limit. Jobs with
    /// `defer` have no such limit.
    public var sliceLimit: Double
    /// The memory in bytes for all Lua states, `shared` and the args of suspended jobs together; 0 for no limit, nil
    /// for half of the memory of the machine or its control group. A run that needs more fails with an error that says
    /// so.
    public var memoryLimit: Int?
    /// The part of it that `shared` may use, in bytes; nil for a quarter.
    public var sharedLimit: Int?
    /// Whether scripts have no access to files, processes and C modules.
    public var isSandboxed: Bool
    /// Whether scripts are reloaded when their files change.
    public var watchesScripts: Bool
    /// Additional libraries for scripts: `ScriptLibraries.all` of the product `JobReactorLibraries` for `http`, `exec`,
    /// `redis` and `hash`, and your own libraries.
    public var libraries: [any ScriptLibrary]
    public var security: WireSecurity
    public var limits: RESPLimits
    public var maximumConnections: Int
    /// Seconds that a graceful stop waits for running jobs.
    public var grace: Double
    /// Seconds for which outcomes are kept for a distributor that is away.
    public var reportTTL: Double
    /// The wall clock for `run_at` and for jobs of an earlier process. A change of the clock is noticed within two
    /// seconds. Waits do not depend on it: they are measured on a monotonic clock. Tests use their own.
    public var clock = WallClock.system
    public var logger: Logger
    /// Seconds that a script may take while it is loaded. Tests do not wait so long.
    package var loadingSeconds = 10.0

    public init(
        name: String, distributors: [Address], server: Address? = nil, connectTo: Address? = nil,
        storage: any JobStorage = MemoryStorage(), jobDirectory: String = "reactor_jobs",
        policy: JobPolicy = JobPolicy(), retryJobsAtStart: Bool = true, mergeJobItselfToArgs: Bool = false,
        logJobProcessing: Bool = true, logArgs: Bool = false,
        window: Int = 1024, maxMemory: Int? = nil, deferLanes: Int = 2, maxSuspended: Int = 10_000,
        sliceWarning: Double = 1,
        sliceLimit: Double = 30, memoryLimit: Int? = nil, sharedLimit: Int? = nil, isSandboxed: Bool = false,
        watchesScripts: Bool = true,
        libraries: [any ScriptLibrary] = [], security: WireSecurity = WireSecurity(),
        limits: RESPLimits = RESPLimits(), maximumConnections: Int = 10_000, grace: Double = 10,
        reportTTL: Double = 3600, logger: Logger = Logger(label: "jobreactor.node")
    ) {
        self.name = name
        self.distributors = distributors
        self.server = server
        self.connectTo = connectTo
        self.storage = storage
        self.jobDirectory = jobDirectory
        self.policy = policy
        self.retryJobsAtStart = retryJobsAtStart
        self.mergeJobItselfToArgs = mergeJobItselfToArgs
        self.logJobProcessing = logJobProcessing
        self.logArgs = logArgs
        self.window = window
        self.maxMemory = maxMemory
        self.deferLanes = deferLanes
        self.maxSuspended = maxSuspended
        self.sliceWarning = sliceWarning
        self.sliceLimit = sliceLimit
        self.memoryLimit = memoryLimit
        self.sharedLimit = sharedLimit
        self.isSandboxed = isSandboxed
        self.watchesScripts = watchesScripts
        self.libraries = libraries
        self.security = security
        self.limits = limits
        self.maximumConnections = maximumConnections
        self.grace = grace
        self.reportTTL = reportTTL
        self.logger = logger
    }

    /// With addresses as text. Throws `WireError` for an address that is not `host:port`.
    public init(
        name: String, distributors: [String], server: String? = nil, jobDirectory: String = "reactor_jobs",
        libraries: [any ScriptLibrary] = []
    ) throws {
        func address(_ text: String) throws -> Address {
            guard let address = Address(text) else {
                throw WireError(.configuration, "'\(text)' is not an address: write host:port, such as localhost:5000")
            }
            return address
        }
        self.init(
            name: name, distributors: try distributors.map(address), server: try server.map(address),
            jobDirectory: jobDirectory, libraries: libraries)
    }

    func validate() throws(WireError) {
        if let problem = Name.problem(in: name) { throw WireError(.configuration, "the node's name \(problem)") }
        for address in distributors + [server, connectTo].compactMap(\.self) { try address.validate() }
        func wrong(_ setting: SettingName, _ problem: String) -> WireError {
            WireError(.configuration, "\(setting) \(problem)")
        }
        if window < 1 || window > 1_000_000 {
            throw wrong(.window, "takes a number of jobs from 1 to 1000000, not \(window)")
        }
        if let maxMemory, maxMemory < 1 << 20 {
            throw wrong(.maxMemory, "takes at least 1 MiB, not \(maxMemory) bytes")
        }
        if policy.maxAttempt < 1 {
            throw wrong(.maxAttempt, "takes a whole number from 1, not \(policy.maxAttempt)")
        }
        let times: [(SettingName, Double)] = [
            (.retryMultiplier, policy.retryMultiplier), (.maxRetryDelay, policy.maxRetryDelay ?? 0), (.grace, grace),
            (.reportTTL, reportTTL),
        ]
        for (setting, seconds) in times { try WireError.check(setting, seconds: seconds) }
        try limits.validate()
        if !(policy.jitter >= 0 && policy.jitter <= 1) {
            throw wrong(.jitter, "takes a share from 0 to 1, not \(policy.jitter)")
        }
        if let timeout = policy.timeout, !(timeout > 0 && timeout <= 1e9) {
            throw wrong(.jobTimeout, "takes seconds above 0 up to 1000000000, not \(timeout)")
        }
        if deferLanes < 1 || deferLanes > 1000 {
            throw wrong(.deferLanes, "takes a number of threads from 1 to 1000, not \(deferLanes)")
        }
        if maxSuspended < 1 || maxSuspended > 10_000_000 {
            throw wrong(.maxSuspended, "takes a number of jobs from 1 to 10000000, not \(maxSuspended)")
        }
        let slices: [(SettingName, Double)] = [(.sliceWarning, sliceWarning), (.sliceLimit, sliceLimit)]
        for (setting, seconds) in slices where !(seconds >= 0 && seconds <= 1e9) {
            throw wrong(setting, "takes seconds from 0 to 1000000000, not \(seconds)")
        }
        if connectTo != nil, server == nil {
            throw wrong(.connectTo, "needs \(SettingName.server): a node that does not listen cannot be dialled")
        }
    }
}
