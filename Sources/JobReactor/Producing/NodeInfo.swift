/// A node as its distributor sees it.
public struct NodeInfo: Hashable, Sendable {
    public var name: String
    /// The address where it listens, or the peer address of its connection.
    public var address: String
    /// Whether the node has a durable storage, so that its jobs survive its restart.
    public var isDurable: Bool
    /// Whether it is stopping and takes no new jobs.
    public var isDraining: Bool
    /// The number of jobs that it takes at once.
    public var window: Int
    /// The number of its current jobs, without those that wait for their due time.
    public var load: Int
    /// The names of the jobs that its scripts define, sorted.
    public var jobs: [String]
    /// The reason why its storage refuses to store; nil while it works. The node takes no jobs until it works again.
    public var storageError: String?
    /// Whether it is paused and takes no new jobs.
    public var isPaused: Bool

    public init(
        name: String, address: String, isDurable: Bool, isDraining: Bool, window: Int, load: Int, jobs: [String],
        storageError: String? = nil, isPaused: Bool = false
    ) {
        self.name = name
        self.address = address
        self.isDurable = isDurable
        self.isDraining = isDraining
        self.window = window
        self.load = load
        self.jobs = jobs
        self.storageError = storageError
        self.isPaused = isPaused
    }
}
