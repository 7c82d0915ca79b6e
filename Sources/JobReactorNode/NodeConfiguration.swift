public import JobReactorCore
public import JobReactorLua
public import JobReactorWire
public import Logging

/// Who a node is, whom it serves, and how it runs jobs. The defaults are the gem's.
public struct NodeConfiguration: Sendable {
    /// Unique among the nodes of a distributor: 1 to 255 bytes without spaces.
    public var name: String
    /// `host:port` of each distributor to connect to.
    public var distributors: [Address]
    /// Where the node listens; nil for a node that is served over the connections it opens. Port 0 takes a free one.
    public var server: Address?
    /// The address that distributors dial, where it differs from `server`.
    public var connectTo: Address?
    /// Where jobs are kept.
    public var storage: any JobStorage
    /// The folder of the job scripts.
    public var jobDirectory: String
    /// What holds for a job where neither its script nor its producer says otherwise.
    public var policy: JobPolicy
    /// Whether unfinished jobs in the storage are taken up at the start, each with `args.retrying = true`; else they stay
    /// there.
    public var retryJobsAtStart: Bool
    /// Whether scripts and feedbacks see `args.job_itself`.
    public var mergeJobItselfToArgs: Bool
    /// Whether each run is logged: its end at debug level, a failure at warning level.
    public var logJobProcessing: Bool
    /// Whether the log of a failure shows the job's args, which may have secrets in them.
    public var logArgs: Bool
    /// Jobs that each distributor may have here unfinished and due; more wait at the distributor.
    public var window: Int
    /// Bytes that the jobs which wait here for their time may take; nil for half of what the machine, or its control group,
    /// has. A job is counted with 128 bytes, and with 1024 where its record is in memory as well. When they take as much the
    /// node asks for no more jobs until a tenth of it is free; what it has goes on, and more waits at the distributors.
    public var maxMemory: Int?
    /// Threads, each with a Lua state of its own, for jobs with `defer`; from 1. They start with the first such job.
    public var deferLanes: Int
    /// Jobs that may pause at once (`sleep`, `http` …), of the reactor lane and of those with `defer`; from 1. They take
    /// nothing of the window.
    public var maxSuspended: Int
    /// Seconds for which a job may run without a pause before the log says where it is; 0 for any time.
    public var sliceWarning: Double
    /// Seconds for which a job may run without a pause before it is interrupted and has failed; 0 for any time. Jobs with
    /// `defer` may as long as they like.
    public var sliceLimit: Double
    /// Bytes that all Lua states may have together, with `shared` and what is kept of jobs that pause; 0 for no limit, and nil for
    /// half of what the machine, or its control group, has. A run that asks for more fails with an error that says so.
    public var memoryLimit: Int?
    /// Bytes of it that `shared` may take; nil for a quarter of it.
    public var sharedLimit: Int?
    /// Whether scripts are kept from files, processes and C modules.
    public var isSandboxed: Bool
    /// Whether the scripts are loaded anew when their files change.
    public var watchesScripts: Bool
    /// What scripts find beside what is always there: `ScriptLibraries.all` of the product `JobReactorLibraries` for `http`, `exec`,
    /// `redis` and `hash`, and libraries of your own.
    public var libraries: [any ScriptLibrary]
    public var security: WireSecurity
    public var limits: RESPLimits
    public var maximumConnections: Int
    /// Seconds that a graceful stop waits for running jobs.
    public var grace: Double
    /// Seconds for which outcomes are kept for a distributor that is away.
    public var reportTTL: Double
    /// Where the date is read, for `run_at` and for what an earlier process has left. A clock that is set is noticed within two
    /// seconds. Waits do not depend on it: they are measured on a clock that nobody sets. Tests give one of their own.
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

    /// With addresses as text. Throws `WireError` for one that is no `host:port`.
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
