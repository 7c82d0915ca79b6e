/// The holders of unique keys: at most one job for each key, from its acceptance until it is finished, and at least for
/// the requested time.
///
/// A value without I/O. Its owner reports the events of jobs with keys; it can be rebuilt from their records, which
/// contain the keys. Times are those of the steady clock. Each step takes constant time, or the logarithm of the keys
/// that finished jobs hold.
package struct UniqueIndex: Sendable {
    /// What the holder of a key does.
    package enum Stage: Hashable, Sendable {
        /// For its time, its turn, a retry or its period, or parked.
        case waiting
        case running
        /// It holds the key for a while yet.
        case finished
    }

    /// What becomes of a job that is submitted.
    package enum Decision: Hashable, Sendable {
        /// It is accepted and holds the key. It may not run before the time, if there is one. The record of the finished job that
        /// held the key before it, if there is one, may go.
        case accepted(notBefore: Timestamp?, releasing: JobID?)
        /// That one stands, and nothing changes.
        case kept(JobID)
        /// That one gets the args, options and due time of this; it may not run before the time, if there is one.
        case replaced(JobID, notBefore: Timestamp?)
        /// That one runs, and keeps the args and options of this for one more run afterwards, in place of others that it keeps.
        case again(JobID)
        /// An error that names that one.
        case conflict(JobID)
    }

    private struct Holder {
        let id: JobID
        var stage: Stage
        /// It has the key until then at least.
        var until: Timestamp
        /// It may not run before, as the job before it holds the key until then.
        var notBefore: Timestamp?
        var runsAgain = false
    }

    private var holders: [UniqueKey: Holder] = [:]
    /// Keys of jobs that are finished, by when they leave them.
    private var leaving = TimerQueue<UniqueKey>()

    package init() {}

    /// Keys that are held.
    package var count: Int { holders.count }
    /// When to call ``expire(at:)``, by the steady clock; nil for never.
    package var wake: Timestamp? { leaving.nextDue }

    /// The job that holds the key.
    package func holder(of key: UniqueKey) -> JobID? { holders[key]?.id }

    // MARK: Submitting

    /// A job with a key comes. `seconds`: how long it wants to hold the key at least. A job that comes again is kept.
    package mutating func submit(
        _ id: JobID, _ key: UniqueKey, onConflict: UniqueConflict, holdingFor seconds: Double = 0, at now: Timestamp
    ) -> Decision {
        Self.submit(id, to: &holders[key], onConflict: onConflict, holdingFor: seconds, at: now)
    }

    /// With one look at the key.
    private static func submit(
        _ id: JobID, to place: inout Holder?, onConflict: UniqueConflict, holdingFor seconds: Double, at now: Timestamp
    ) -> Decision {
        guard let holder = place, holder.stage != .finished || holder.until > now else {
            let before = place?.id
            place = Holder(id: id, stage: .waiting, until: now.advanced(bySeconds: seconds))
            return .accepted(notBefore: nil, releasing: before == id ? nil : before)
        }
        if holder.id == id { return .kept(id) }
        let until = max(holder.until, max(now, holder.notBefore ?? now).advanced(bySeconds: seconds))
        switch (onConflict, holder.stage) {
        case (.raise, _): return .conflict(holder.id)
        case (.keep, _), (.replace, .running), (.replace, .finished): return .kept(holder.id)
        case (.replace, .waiting), (.again, .waiting):
            place?.until = until
            return .replaced(holder.id, notBefore: holder.notBefore.flatMap { $0 > now ? $0 : nil })
        case (.again, .running):
            place?.until = until
            place?.runsAgain = true
            return .again(holder.id)
        case (.again, .finished):
            // Its args must not be lost, and it must not run while the key is held: it follows when that is over.
            let start = holder.until
            place = Holder(id: id, stage: .waiting, until: start.advanced(bySeconds: seconds), notBefore: start)
            return .accepted(notBefore: start, releasing: holder.id)
        }
    }

    // MARK: What jobs do

    /// A run of the job begins.
    package mutating func began(_ id: JobID, _ key: UniqueKey) { set(.running, id, key) }

    /// A run of the job has ended and another follows: a retry, the next period, or one more with new args.
    package mutating func waits(_ id: JobID, _ key: UniqueKey) { set(.waiting, id, key) }

    private mutating func set(_ stage: Stage, _ id: JobID, _ key: UniqueKey) {
        guard holders[key]?.id == id else { return }
        holders[key]?.stage = stage
        if stage == .waiting { holders[key]?.runsAgain = false }
    }

    /// What follows the end of a job.
    package enum End: Hashable, Sendable {
        /// It does not hold the key any more.
        case released
        /// It holds the key until then: its record has to stay.
        case held(until: Timestamp)
        /// It is to run once more, with the args that it keeps for that, and holds the key.
        case runsAgain
    }

    /// The job has come to its end, whichever. One that was cancelled from outside runs no more, whatever it keeps.
    package mutating func finished(
        _ id: JobID, _ key: UniqueKey, cancelledFromOutside: Bool = false, at now: Timestamp
    ) -> End {
        guard let holder = holders[key], holder.id == id else { return .released }
        if holder.runsAgain, !cancelledFromOutside {
            set(.waiting, id, key)
            return .runsAgain
        }
        guard holder.until > now else {
            holders[key] = nil
            return .released
        }
        holders[key]?.stage = .finished
        leaving.insert(key, due: holder.until)
        return .held(until: holder.until)
    }

    /// The record of the job is gone from here, and the key with it: it was destroyed, or another has it now.
    package mutating func removed(_ id: JobID, _ key: UniqueKey) {
        if holders[key]?.id == id { holders[key] = nil }
    }

    /// The jobs that do not hold their keys any more: their records may go.
    package mutating func expire(at now: Timestamp) -> [(id: JobID, key: UniqueKey)] {
        var expired: [(id: JobID, key: UniqueKey)] = []
        while let key = leaving.popDue(at: now) {
            // Another may have the key by now.
            guard let holder = holders[key], holder.stage == .finished, holder.until <= now else { continue }
            holders[key] = nil
            expired.append((holder.id, key))
        }
        return expired
    }

    /// A record with a key is found: of an earlier process, of another node, or of a dead letter that is brought back.
    /// `seconds`: how long it still holds the key at least. `runsAgain`: it keeps args for one more run.
    ///
    /// Returns false where another job holds the key, which may not be with records of one place: the one that is found first.
    package mutating func restore(
        _ id: JobID, _ key: UniqueKey, _ stage: Stage, holdingFor seconds: Double = 0, notBefore: Timestamp? = nil,
        runsAgain: Bool = false, at now: Timestamp
    ) -> Bool {
        if let holder = holders[key], holder.id != id, holder.stage != .finished || holder.until > now { return false }
        let until = now.advanced(bySeconds: seconds)
        if stage == .finished, seconds <= 0 { return true }
        holders[key] = Holder(id: id, stage: stage, until: until, notBefore: notBefore, runsAgain: runsAgain)
        if stage == .finished { leaving.insert(key, due: until) }
        return true
    }
}
