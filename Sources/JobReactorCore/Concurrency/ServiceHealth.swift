/// The health of a distributor or a node, for liveness and readiness probes.
///
/// The texts are for people. They name no job, no args and no address, so anybody may see them.
public struct ServiceHealth: Hashable, Sendable {
    /// Faults that only a restart of the process can fix.
    public var faults: [String]
    /// Why the process does no work now, such as a running start or a storage that refuses. A hindrance passes by
    /// itself, or when its cause is fixed.
    public var hindrances: [String]

    public init(faults: [String] = [], hindrances: [String] = []) {
        self.faults = faults
        self.hindrances = hindrances
    }

    /// Whether there is no fault: a restart would not help.
    public var isHealthy: Bool { faults.isEmpty }
    /// Whether the process does work now.
    public var isReady: Bool { faults.isEmpty && hindrances.isEmpty }

    package static let stopped = ServiceHealth(hindrances: ["it is stopped"])
    package static let starting = ServiceHealth(hindrances: ["it is starting"])
}
