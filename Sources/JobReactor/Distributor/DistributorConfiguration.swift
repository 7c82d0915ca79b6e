public import JobReactorCore
public import JobReactorWire
public import Logging

/// The settings of a distributor.
public struct DistributorConfiguration: Sendable {
    /// The name to which the outcomes of its jobs are addressed. With the same name after a restart, it gets the
    /// outcomes that nodes have kept meanwhile. Nil takes the host name and the port; set a name if these change, as in
    /// containers. All distributors of a node need different names. 1 to 255 bytes without spaces.
    public var name: String?
    /// The address for nodes and clients; by default on the loopback interface. Port 0 takes a free port; the start
    /// refuses an invalid one.
    public var address: Address
    public var security: WireSecurity
    /// Whether a job with a `node` waits for that node instead of going to another.
    public var alwaysUseSpecifiedNode: Bool
    /// The limits for one peer.
    public var limits: RESPLimits
    /// The largest number of connections at once; further ones get an error and are closed.
    public var maximumConnections: Int
    /// Seconds that a graceful stop waits for running jobs.
    public var grace: Double
    /// The storage for accepted jobs until a node owns them, so that they survive the end of this process; nil keeps
    /// them in memory. Its content belongs to the ``name`` of the distributor.
    public var storage: (any JobStorage)?
    /// Seconds that a job waits for the durable node to which it was sent, if the connection was lost before the
    /// acknowledgement. If it were sent to another node at once, it might run twice.
    public var takeoverTime: Double
    /// Seconds for which a producer's outcomes are kept while it is away.
    public var reportTTL: Double
    /// The memory for waiting jobs and outcomes in bytes: names, args and 300 bytes for each. Beyond it no job is
    /// accepted (`JobError.Code.busy`, `-BUSY`) until some have left; accepted jobs stay. Nil takes half of the memory
    /// of the machine or of the process's control group.
    public var maxMemory: Int?
    /// The addresses at which nodes may ask to be dialled, in addition to their own. For a node that asks for another
    /// address, the connection that it opened is used.
    public var dialAllow: [DialRule]
    /// The wall clock for `run_at` and for jobs of an earlier process. Waits do not depend on it: they are measured on
    /// a monotonic clock. Tests use their own.
    public var clock = WallClock.system
    public var logger: Logger
    /// Requests the URL of a schedule's heartbeat after each successful run; errors are logged. Nil sends no
    /// heartbeats, and the log says so once.
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
