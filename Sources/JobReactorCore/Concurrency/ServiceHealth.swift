/// How a distributor or a node does, for who decides whether to start its process anew, and whether to count on it for work.
///
/// Texts are for people. They name no job, no argument and no address: whoever asks may see them.
public struct ServiceHealth: Hashable, Sendable {
    /// What only another process mends.
    public var faults: [String]
    /// Why it does no work now, such as a start that is under way or a storage that refuses. They pass by themselves, or when
    /// somebody mends what they name.
    public var hindrances: [String]

    public init(faults: [String] = [], hindrances: [String] = []) {
        self.faults = faults
        self.hindrances = hindrances
    }

    /// Whether a new process would be no better.
    public var isHealthy: Bool { faults.isEmpty }
    /// Whether it does work now.
    public var isReady: Bool { faults.isEmpty && hindrances.isEmpty }

    package static let stopped = ServiceHealth(hindrances: ["it is stopped"])
    package static let starting = ServiceHealth(hindrances: ["it is starting"])
}
