internal import JobReactorCore

/// The keys of a distributor's jobs, and what is to take the place of the args of jobs that nodes have. A value without I/O.
struct UniqueJobs {
    /// A newer job, whose args and options one that a node has is to get.
    ///
    /// A class: few keys have one, and all have room for it.
    final class Replacement: Sendable {
        /// As the job of the node is to be: with its id.
        let job: Job
        let due: DueTime
        /// That of the message that tells the node.
        let number: Int

        init(job: Job, due: DueTime, number: Int) {
            self.job = job
            self.due = due
            self.number = number
        }

        /// Should the job run already, or end before the node has it, it runs once more with these.
        var runsAgain: Bool { job.unique?.onConflict == .again }
    }

    struct Keyed {
        let key: UniqueKey
        var unique: JobUnique
        var replacement: Replacement?
    }

    private(set) var index = UniqueIndex()
    /// The jobs that have keys, those that are finished and hold them yet among them.
    private var table = JobTable<Keyed>()
    /// Those of them that wait for their node to take a replacement.
    private(set) var replacing: Set<JobID> = []
    /// Those that were replaced while they were being stored.
    private var toBeStoredAgain: Set<JobID> = []
    private var lastNumber = 0
    private var armed: Timestamp?
    /// Whether others are to be told of keys that are free: they share the place of the storage.
    var isShared = false
    /// Those, until they are told.
    private var freed: [(key: UniqueKey, job: JobID)] = []

    var isEmpty: Bool { table.isEmpty }
    var count: Int { table.count }

    subscript(id: JobID) -> Keyed? { table[id] }

    // MARK: Jobs

    /// A job with a key comes, of an entry that is not there yet.
    mutating func submit(_ id: JobID, _ key: UniqueKey, _ unique: JobUnique, at now: Timestamp) -> UniqueIndex.Decision
    {
        let decision = index.submit(id, key, onConflict: unique.onConflict, holdingFor: unique.seconds, at: now)
        switch decision {
        case .accepted(_, let releasing):
            if let releasing { forget(releasing) }
            table[id] = Keyed(key: key, unique: unique)
        case .replaced(let holder, _), .again(let holder): table[holder]?.unique = unique
        case .kept, .conflict: break
        }
        return decision
    }

    /// A record with a key is found. `holds`: its job is finished, and holds the key as long as it says. Returns false where another
    /// has the key.
    @discardableResult
    mutating func restore(_ job: Job, _ key: UniqueKey, holds: Bool, at now: Moment) -> Bool {
        guard let unique = job.unique else { return true }
        let rest = unique.heldUntil.map { Timestamp(microseconds: $0.elapsed(since: now.wall)).seconds } ?? 0
        guard
            index.restore(job.id, key, holds ? .finished : .waiting, holdingFor: max(0, rest), at: now.steady)
        else { return false }
        table[job.id] = Keyed(key: key, unique: unique)
        return true
    }

    /// The job has come to its end. True when it holds its key yet; else nothing is known of it here any more.
    mutating func end(_ id: JobID, isCancelledFromOutside: Bool, at now: Timestamp) -> Bool {
        guard let keyed = table[id] else { return false }
        if case .held = index.finished(id, keyed.key, cancelledFromOutside: isCancelledFromOutside, at: now) {
            forgetReplacement(id)
            return true
        }
        forget(id)
        return false
    }

    /// The job is not accepted after all, or its record is gone.
    mutating func remove(_ id: JobID) {
        if let keyed = table[id] { index.removed(id, keyed.key) }
        forget(id)
    }

    private mutating func forget(_ id: JobID) {
        let keyed = table.removeValue(forKey: id)
        if isShared, let keyed { freed.append((keyed.key, id)) }
        replacing.remove(id)
        toBeStoredAgain.remove(id)
    }

    /// The key of a job of an earlier process is free, though its record stays.
    mutating func free(_ key: UniqueKey, of job: JobID) { if isShared { freed.append((key, job)) } }

    /// The keys that are free since this was called last.
    mutating func takeFreed() -> [(key: UniqueKey, job: JobID)] {
        guard !freed.isEmpty else { return [] }
        defer { freed = [] }
        return freed
    }

    // MARK: Finished jobs that hold their keys

    /// Whether the job is finished and holds its key.
    func isHeld(_ id: JobID, isUnfinished: Bool) -> Bool { !isUnfinished && table.contains(id) }

    mutating func expire(at now: Timestamp) -> [JobID] {
        armed = nil
        var expired: [JobID] = []
        for (id, key) in index.expire(at: now) where table[id]?.key == key {
            forget(id)
            expired.append(id)
        }
        return expired
    }

    /// After so many seconds ``expire(at:)`` is to be called, which nobody was told of yet; nil for none.
    mutating func arm(at now: Timestamp) -> Double? {
        guard let wake = index.wake, armed.map({ wake < $0 }) ?? true else { return nil }
        armed = wake
        return max(0, Timestamp(microseconds: wake.elapsed(since: now)).seconds)
    }

    /// All that are finished and hold their keys, as far as `isUnfinished` does not say otherwise.
    func held(_ isUnfinished: (JobID) -> Bool) -> [(id: JobID, keyed: Keyed)] {
        table.elements.filter { !isUnfinished($0.key) }.map { ($0.key, $0.value) }
    }

    // MARK: Replacements

    /// The node that has the job is to be told.
    mutating func replace(_ id: JobID, by job: Job, due: DueTime) {
        guard table.contains(id) else { return }
        lastNumber += 1
        table[id]?.replacement = Replacement(job: job, due: due, number: lastNumber)
        replacing.insert(id)
    }

    /// The replacement of a job is not needed any more; returns it.
    @discardableResult
    mutating func forgetReplacement(_ id: JobID) -> Replacement? {
        guard replacing.remove(id) != nil else { return nil }
        return table[id]?.replacement.take()
    }

    /// The job is replaced while it is being stored.
    mutating func storeAgain(_ id: JobID) { toBeStoredAgain.insert(id) }

    /// The job is stored. Whether it is to be stored once more.
    mutating func isToBeStoredAgain(_ id: JobID) -> Bool { toBeStoredAgain.remove(id) != nil }
}
