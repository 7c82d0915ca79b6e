internal import JobReactorCore

/// Jobs that wait in the storage alone, as many others do: of each there is its id here, and what finds it.
///
/// A value without I/O. Jobs that are wanted are loaded in numbered batches.
struct PagedJobs {
    struct Known {
        /// That of the ``Dispatcher``, while it waits there.
        var route: Int32
        /// Who has brought it.
        var account: MemoryShares.Account
        /// An earlier process has accepted it.
        var isTakenUp: Bool
    }

    /// Jobs that are being loaded.
    struct Load {
        var ids: [JobID]
        /// The node whose credit they have used; nil when it is gone, or for none.
        var node: Dispatcher.NodeHandle?
        /// They could not be read before.
        var isRepeated: Bool
    }

    /// What one takes here, in bytes.
    static let bytes = 64
    /// So many are loaded at once for one node.
    static let most = 128

    private var waiting = JobTable<Known>()
    private var loading: [JobID: Known] = [:]
    private var loads: [Int: Load] = [:]
    private var lastLoad = 0
    /// The nodes for which some are being loaded for the first time.
    private var loadingFor: Set<Dispatcher.NodeHandle> = []

    var count: Int { waiting.count + loading.count }
    var isEmpty: Bool { waiting.isEmpty && loading.isEmpty }

    func contains(_ id: JobID) -> Bool { waiting.contains(id) || loading[id] != nil }

    subscript(id: JobID) -> Known? { waiting[id] ?? loading[id] }

    func isWaiting(_ id: JobID) -> Bool { waiting.contains(id) }

    mutating func add(_ id: JobID, _ known: Known) { waiting[id] = known }

    /// The job waits here no more, nor is it being loaded.
    mutating func remove(_ id: JobID) -> Known? {
        waiting.removeValue(forKey: id) ?? loading.removeValue(forKey: id)
    }

    /// Those that wait, and are not being loaded, as ``JobTable/visit(from:count:_:)``.
    func visit(from place: Int, count: Int, _ visit: (JobID, Known) -> Void) -> Int? {
        waiting.visit(from: place, count: count, visit)
    }

    var placeCount: Int { waiting.placeCount }

    /// That of a job that waits, and is not being loaded.
    func place(of id: JobID) -> Int? { waiting.place(of: id) }

    var idsBeingLoaded: some Collection<JobID> { loading.keys }

    // MARK: Loading

    /// Whether the node is to wait for what is being loaded for it.
    func isLoading(for node: Dispatcher.NodeHandle) -> Bool { !loadingFor.isEmpty && loadingFor.contains(node) }

    /// The turn of the job has come. False when it does not wait here.
    mutating func beginLoading(_ id: JobID) -> Bool {
        guard let known = waiting.removeValue(forKey: id) else { return false }
        loading[id] = known
        return true
    }

    /// These are to be loaded. Returns the number of the batch.
    mutating func load(_ ids: [JobID], for node: Dispatcher.NodeHandle?, isRepeated: Bool = false) -> Int {
        lastLoad += 1
        loads[lastLoad] = Load(ids: ids, node: node, isRepeated: isRepeated)
        if let node, !isRepeated { loadingFor.insert(node) }
        return lastLoad
    }

    /// The batch has its answer. Nil when it was given up.
    mutating func answered(_ number: Int) -> Load? {
        guard let load = loads.removeValue(forKey: number) else { return nil }
        if let node = load.node, !load.isRepeated { loadingFor.remove(node) }
        return load
    }

    /// The node is gone, and its credit with it: what is being loaded for it is for others.
    mutating func lost(_ node: Dispatcher.NodeHandle) {
        loadingFor.remove(node)
        for (number, load) in loads where load.node == node { loads[number]?.node = nil }
    }

    /// What was stored is gone. Returns those that waited; what is being loaded is not found.
    mutating func removeWaiting() -> [(key: JobID, value: Known)] {
        defer { waiting = JobTable() }
        return Array(waiting.elements)
    }
}
