internal import JobReactor
internal import JobReactorCore
internal import JobReactorLua
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// Jobs in: what comes over a link is stored, acknowledged, and waits for its time or its turn.
extension NodeCore {
    /// Whether a job that comes again is here, or its end is on its way.
    func knows(_ id: JobID, of distributor: String) -> Bool {
        live.contains(id) || destinations[distributor]?.outbox.containsEnd(of: id) == true
    }

    /// Stores jobs that came over a link in one read, then acknowledges them, also those that are known.
    func receive(_ received: ReceivedJobs, known: Set<JobID>, over link: DistributorLink) {
        guard !isStopping, ownsJobs else { return giveBack(received, known: known, over: link) }
        let now = now
        // What can run at once is saved as begun: one write instead of two.
        let stored = received.jobs.map { job in
            let lane = lane(for: job)
            let isDue = job.due(countedFrom: received.at).isPast(at: now)
            if isDue, lane.room > lane.promised, lane.ready.isEmpty, !live.contains(job.id),
                !received.suspects.contains(job.id)
            {
                lane.promised += 1
                return JobLifecycle.begin(job, now: now.wall)
            }
            var job = job
            job.status = .queued
            return job
        }
        for lane in lanes { lane.promised = 0 }
        savesUnderWay += 1
        let saving = ReceivedJobs(
            jobs: stored, numbers: received.numbers, suspects: received.suspects, at: received.at)
        let bound = NIOLoopBound((self, link), eventLoop: loop)
        storage.save(known.isEmpty ? stored : stored.filter { !known.contains($0.id) }) { result in
            bound.eventLoop.runOrExecute { bound.value.0.saved(saving, known: known, result, over: bound.value.1) }
        }
    }

    /// What cannot be stored here goes back; what was here before has been, and is.
    func giveBack(_ received: ReceivedJobs, known: Set<JobID>, over link: DistributorLink) {
        let returned = received.handOvers.filter { !known.contains($0.id) }
        link.sendReturned(returned)
        if !known.isEmpty { link.acknowledge(received.handOvers.filter { known.contains($0.id) }.map(\.number)) }
        destination(link.distributor).settled(received.jobs.count, onLink: link.number)
        flushDestinations()
    }

    private func saved(
        _ received: ReceivedJobs, known: Set<JobID>, _ result: Result<Set<JobID>, StorageError>,
        over link: DistributorLink
    ) {
        savesUnderWay -= 1
        let jobs = received.jobs
        let cancelled = earlyCancellations.isEmpty ? [] : earlyCancellations.intersection(jobs.lazy.map(\.id))
        earlyCancellations = savesUnderWay == 0 ? [] : earlyCancellations.subtracting(cancelled)
        let new: Set<JobID>
        switch result {
        case .success(let ids):
            new = ids
            storageWorks()
        case .failure(let error):
            storageRefused(error)
            giveBack(received, known: known, over: link)
            return noteProgress()
        }
        counters.received += new.count
        var credit = 0
        let destination = destination(link.distributor)
        let giver = destination.number
        var runs: [[LuaLane.Run]] = lanes.map { _ in [] }
        let (now, areAllNew) = (now, new.count == jobs.count)
        for (job, number) in zip(jobs, received.numbers) {
            guard areAllNew || new.contains(job.id) else {
                credit += 1
                continue
            }
            var made = Live(stage: .waiting, giver: giver, link: link.number)
            made.handOver = UInt32(truncatingIfNeeded: number)
            made.isSuspect = received.suspects.contains(job.id)
            if job.status == .inProgress {
                (made.stage, made.usesCredit) = (.running, true)
                let lane = lane(for: job)
                lane.running += 1
                runs[lane === lanes.first ? 0 : 1].append(run(job))
            } else if case let due = job.due(countedFrom: received.at), !due.isPast(at: now) {
                made.agendaNumber = agenda.insert(job.id, due)
                credit += 1
            } else {
                (made.stage, made.usesCredit) = (.ready, true)
                lane(for: job).enter(job, isSuspect: made.isSuspect)
            }
            live[job.id] = made
        }
        link.acknowledge(received.numbers)
        if credit > 0 {
            destination.settled(credit, onLink: link.number)
            destination.flush(asksForMore: asksForJobs)
        }
        for (lane, runs) in zip(lanes, runs) where !runs.isEmpty { lane.lua.submit(runs) }
        watchLanes()
        for id in cancelled where new.contains(id) { _ = cancel(id) }
        runReady()
        armTimer()
        noteProgress()
    }
}

/// Jobs that came over a link in one read, with the numbers of their hand-overs.
struct ReceivedJobs {
    var jobs: [Job]
    var numbers: [Int]
    /// Those of them that a node had when it was lost.
    var suspects: Set<JobID>
    /// When they came, from which their waits count.
    var at: Moment

    var handOvers: some Sequence<HandOver> { zip(numbers, jobs).lazy.map { HandOver($0, $1.id) } }
}
