public import JobReactorCore
public import JobReactorWire
public import Logging

/// How a distributor listens and distributes.
public struct DistributorConfiguration: Sendable {
    /// What the outcomes of its jobs are addressed to: the same name after a restart gets those that nodes have kept
    /// meanwhile. Nil makes it of the machine's host name and the port, which is good where those stay the same; give
    /// one where they do not, as in containers. No two distributors of one node may have the same. 1 to 255 bytes without spaces.
    public var name: String?
    /// Where nodes and clients connect; loopback unless said otherwise. Port 0 takes a free one; what is no port is refused at
    /// the start.
    public var address: Address
    public var security: WireSecurity
    /// A job with a `node` waits for that node rather than go to another.
    public var alwaysUseSpecifiedNode: Bool
    /// What one peer may make this process hold.
    public var limits: RESPLimits
    /// Connections at once; more are told so and closed.
    public var maximumConnections: Int
    /// Seconds that a graceful stop waits for the jobs that nodes are running.
    public var grace: Double
    /// Where accepted jobs are kept until a node owns them, so that they survive the end of this process; nil keeps them
    /// in memory. It belongs to this distributor's ``name``.
    public var storage: (any JobStorage)?
    /// Seconds for which a job waits for the durable node that it was sent to, when the connection was lost before that
    /// had said whether it has it: sent elsewhere at once, it might run twice.
    public var takeoverTime: Double
    /// Seconds for which a producer's outcomes are kept while it is away.
    public var reportTTL: Double
    /// Bytes that the jobs and outcomes that wait here may take: names, args and 300 for each. Beyond it nothing is accepted
    /// (`JobError.Code.busy`, `-BUSY`) until some have left; what was accepted stays. Nil takes half of the memory that the
    /// machine, or the process's control group, has.
    public var maxMemory: Int?
    /// Where nodes may ask to be dialled, beside the addresses that they come from. One that asks for another is served over
    /// the connection that it opened.
    public var dialAllow: [DialRule]
    /// Where the date is read, for `run_at` and for what an earlier process has left. Waits do not depend on it: they are
    /// measured on a clock that nobody sets. Tests give one of their own.
    public var clock = WallClock.system
    public var logger: Logger
    /// Asks for the URL of a schedule's heartbeat, after each good run; it throws what failed, which is logged. Nil where there is
    /// no client: then the log says so once.
    public var heartbeat: (@Sendable (_ url: String) async throws -> Void)?

    public init(
        name: String? = nil, host: String = "localhost", port: Int = 5000, security: WireSecurity = WireSecurity(),
        alwaysUseSpecifiedNode: Bool = false, limits: RESPLimits = RESPLimits(), maximumConnections: Int = 10_000,
        grace: Double = 10, storage: (any JobStorage)? = nil, takeoverTime: Double = 30, reportTTL: Double = 3600,
        maxMemory: Int? = nil, dialAllow: [DialRule] = [],
        logger: Logger = Logger(label: "jobreactor.distributor")
    ) {
        self.name = name
        address = Address(host: host, port: port)
        self.security = security
        self.alwaysUseSpecifiedNode = alwaysUseSpecifiedNode
        self.limits = limits
        self.maximumConnections = maximumConnections
        self.grace = grace
        self.storage = storage
        self.takeoverTime = takeoverTime
        self.reportTTL = reportTTL
        self.maxMemory = maxMemory
        self.dialAllow = dialAllow
        self.logger = logger
    }

    func validate() throws(WireError) {
        if let problem = name.flatMap(Name.problem(in:)) {
            throw WireError(.configuration, "the distributor's name \(problem)")
        }
        try address.validate()
        if storage != nil, name == nil, address.port == 0 {
            throw WireError(
                .configuration,
                "a distributor with a storage on port 0 needs a name:"
                    + " it finds its jobs by the name after a restart")
        }
        try WireError.check(.takeoverTime, seconds: takeoverTime)
        try WireError.check(.grace, seconds: grace)
        try WireError.check(.reportTTL, seconds: reportTTL)
        try limits.validate()
    }
}
