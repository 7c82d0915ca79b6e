internal import JobReactorCore
internal import JobReactorLua
internal import JobReactorWire

/// Jobs whose args are replaced, as another with their key was enqueued.
extension NodeRuns {
    /// What becomes of newer args.
    enum Replacement: Hashable {
        /// Nothing: the job ends, or runs and is not to run again for it.
        case kept
        /// It is not here: it has ended, as its distributor hears, or another node has taken over, which is told then.
        case unknown
        /// The job may be on its way into the storage, or the end of its run or another change of it is: ask again when that is
        /// answered.
        case later
        /// Its record is to be changed, as long as ``isChanging(_:)``: then ``changed(_:at:now:)``.
        case change
        /// It runs, and once more afterwards: its record is to keep the args, as long as ``keepsAgain(_:_:)``.
        case again
    }

    /// Newer args of a job come from the destination that gave it; `saves` have begun before.
    mutating func replace(
        _ id: JobID, _ args: JobArguments, onConflict: UniqueConflict, giver: UInt32, after saves: Int
    ) -> Replacement {
        guard let known = live[id] else {
            guard parked.remove(id) else { return savesUnderWay.areUnderWay(saves) ? .later : .unknown }
            live[id] = LiveJob(.changing, giver: giver)
            return .change
        }
        guard known.giver == giver, !known.isCancelled else { return .kept }
        switch known.stage {
        case .ending: return .kept
        case .changing: return .later
        case .running where known.isDecided: return .later
        case .running:
            guard onConflict == .again else { return .kept }
            again[id] = args
            return .again
        case .waiting, .ready, .asking:
            // With other args it may need other places.
            permits.end(id, isReported: false)
            if known.stage == .ready { for kind in NodeTurns.kinds { lanes[kind].removeTurns { $0.id == id } } }
            live[id]?.stage = .changing
            return .change
        }
    }

    /// Whether the record of a job is still to be changed: it may have been cancelled meanwhile.
    func isChanging(_ id: JobID) -> Bool { live[id]?.stage == .changing }

    /// The changed record is stored, and the job waits for its time or its turn. Returns what was known of it where it gives back a
    /// credit.
    mutating func changed(_ job: Job, at stored: Moment, now: Moment) -> LiveJob? {
        guard let known = live[job.id], known.stage == .changing else { return nil }
        let due = job.due(countedFrom: stored)
        guard due.isPast(at: now) else {
            var waiting = known
            waiting.usesCredit = false
            live.wait(job.id, as: waiting, until: due)
            return known.usesCredit ? known : nil
        }
        guard mayTakeTurn(job, of: known.giver) else {
            live[job.id]?.stage = .asking
            live[job.id]?.usesCredit = false
            return known.usesCredit ? known : nil
        }
        var job = job
        job.isAwaited = known.isAwaited
        live[job.id]?.stage = .ready
        lanes[LaneKind(for: job)].enter(job, priority: maker.priority(of: job), isSuspect: known.isSuspect)
        return nil
    }

    /// Whether the run under way is to be followed by one with just these args: its end has not been decided.
    func keepsAgain(_ id: JobID, _ args: JobArguments) -> Bool { again[id] == args }

    /// No run follows for these args.
    mutating func forgetAgain(_ id: JobID, _ args: JobArguments) { if again[id] == args { again[id] = nil } }

    /// The record of a run as its end finds it, with the args of one more run that have come meanwhile.
    mutating func withNewestArgs(_ job: Job) -> Job {
        guard !again.isEmpty, let newest = again.removeValue(forKey: job.id) else { return job }
        var job = job
        job.again = newest
        return job
    }

    mutating func withNewestArgs(_ outcome: LuaLane.Outcome) -> LuaLane.Outcome {
        var outcome = outcome
        outcome.job = withNewestArgs(outcome.job)
        return outcome
    }
}

extension Job {
    /// The record of a job that waits, with the args, the options and the due time of a newer one with its key.
    func replaced(by request: JobRequest, now: Timestamp) -> Job {
        var options = request.options
        options.tick = tick
        var job = Job(
            id: id, name: name, args: request.args, options: options, distributor: distributor, createdAt: now)
        job.status = .queued
        (job.attempt, job.runs, job.runAt) = (attempt, runs, runAt)
        (job.failedAt, job.lastError, job.lastTraceback) = (failedAt, lastError, lastTraceback)
        return job
    }
}
