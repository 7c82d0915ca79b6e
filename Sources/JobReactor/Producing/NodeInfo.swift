/// A node as its distributor sees it.
public struct NodeInfo: Hashable, Sendable {
    public var name: String
    /// Where it listens, or where its connection comes from.
    public var address: String
    /// Whether the node owns what it has saved, so that its jobs survive its restart.
    public var isDurable: Bool
    /// It stops and takes no new jobs.
    public var isDraining: Bool
    /// How many jobs it takes at once.
    public var window: Int
    /// Jobs it has now, waiting for their time not counted.
    public var load: Int
    /// The jobs that its scripts define, sorted.
    public var jobs: [String]
    /// Why its storage refuses to store; nil while it works. The node takes no jobs until it works again.
    public var storageError: String?
    /// Somebody has paused it: it takes no new jobs.
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
