internal import JobReactorCore

/// The saves of a node that its storage has not answered, and the cancellations that wait for them: of jobs that may be on their
/// way into the storage. A value without I/O.
struct SavesUnderWay {
    private var count = 0
    /// How many have begun in all.
    private(set) var begun = 0
    /// The name of the distributor that has cancelled the job; empty where anyone has.
    private var cancellations: [JobID: String] = [:]

    var isEmpty: Bool { count == 0 }

    mutating func begin() {
        count += 1
        begun += 1
    }

    /// Whether one of the first `number` is not answered. They are answered in their order.
    func areUnderWay(_ number: Int) -> Bool { begun - count < number }

    /// A job that is not here was cancelled, by that distributor or by anyone.
    mutating func cancel(_ id: JobID, for distributor: String) {
        if count > 0 { cancellations[id] = distributor }
    }

    /// One is answered. Returns those of its jobs that were cancelled.
    mutating func end(_ jobs: [Job]) -> [JobID] {
        count -= 1
        guard !cancellations.isEmpty else { return [] }
        let cancelled = jobs.filter { job in
            guard let distributor = cancellations[job.id] else { return false }
            return distributor.isEmpty || distributor == job.distributor
        }.map(\.id)
        if count == 0 { cancellations = [:] }
        for id in cancelled { cancellations[id] = nil }
        return cancelled
    }
}
