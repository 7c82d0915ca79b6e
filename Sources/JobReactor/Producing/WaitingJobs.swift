/// The jobs of one name that wait at a distributor for a node.
public struct WaitingJobs: Hashable, Sendable {
    /// The name of the job.
    public var name: String
    public var count: Int
    /// Whether no connected node defines the job: it waits until a script defines it.
    public var isParked: Bool

    public init(name: String, count: Int, isParked: Bool) {
        self.name = name
        self.count = count
        self.isParked = isParked
    }
}
