public import JobReactorCore
public import JobReactorWire
public import Logging

extension DistributorConfiguration {
    /// A configuration whose times are durations: `DistributorConfiguration(port: 5000, grace: .seconds(30))`. The
    /// start of the distributor refuses durations that are negative or longer than `JobLimits.seconds`.
    @_disfavoredOverload
    public init(
        name: String? = nil, host: String = "localhost", port: Int = 5000, security: WireSecurity = WireSecurity(),
        alwaysUseSpecifiedNode: Bool = false, limits: RESPLimits = RESPLimits(), maximumConnections: Int = 10_000,
        grace: Duration = .seconds(10), storage: (any JobStorage)? = nil, takeoverTime: Duration = .seconds(30),
        reportTTL: Duration = .seconds(3600), maxMemory: Int? = nil, dialAllow: [DialRule] = [],
        logger: Logger = Logger(label: "jobreactor.distributor")
    ) {
        self.init(
            name: name, host: host, port: port, security: security, alwaysUseSpecifiedNode: alwaysUseSpecifiedNode,
            limits: limits, maximumConnections: maximumConnections, grace: grace.inSeconds, storage: storage,
            takeoverTime: takeoverTime.inSeconds, reportTTL: reportTTL.inSeconds, maxMemory: maxMemory,
            dialAllow: dialAllow, logger: logger)
    }
}
