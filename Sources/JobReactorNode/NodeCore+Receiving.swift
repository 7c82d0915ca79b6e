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
    func receive(_ jobs: [Job], known: Set<JobID>, over link: DistributorLink) {
        guard !isStopping, ownsJobs else {
            link.sendReturned(jobs.map(\.id).filter { !known.contains($0) })
            return link.acknowledge(saved: jobs.count, credit: 0)
        }
        let now = clock.now
        // What can run at once is saved as begun: one write instead of two.
        let stored = jobs.map { job in
            let lane = lane(for: job)
            if lane.room > lane.promised, lane.ready.isEmpty, job.dueAt <= now, !live.contains(job.id) {
                lane.promised += 1
                return JobLifecycle.begin(job, now: now)
            }
            var job = job
            job.status = .queued
            return job
        }
        for lane in lanes { lane.promised = 0 }
        savesUnderWay += 1
        let bound = NIOLoopBound((self, link), eventLoop: loop)
        storage.save(known.isEmpty ? stored : stored.filter { !known.contains($0.id) }) { result in
            bound.eventLoop.runOrExecute { bound.value.0.saved(stored, known: known, result, over: bound.value.1) }
        }
    }

    private func saved(
        _ jobs: [Job], known: Set<JobID>, _ result: Result<Set<JobID>, StorageError>, over link: DistributorLink
    ) {
        savesUnderWay -= 1
        let cancelled = earlyCancellations.isEmpty ? [] : earlyCancellations.intersection(jobs.lazy.map(\.id))
        earlyCancellations = savesUnderWay == 0 ? [] : earlyCancellations.subtracting(cancelled)
        let new: Set<JobID>
        switch result {
        case .success(let ids): new = ids
        case .failure(let error):
            logger.error(
                "jobs could not be stored and go back", metadata: ["reason": "\(error)", "jobs": "\(jobs.count)"])
            link.sendReturned(jobs.map(\.id).filter { !known.contains($0) })
            return link.acknowledge(saved: jobs.count, credit: 0)
        }
        counters.received += new.count
        var credit = 0
        let giver = destination(link.distributor).number
        var runs: [[LuaLane.Run]] = lanes.map { _ in [] }
        let (now, areAllNew) = (clock.now, new.count == jobs.count)
        for job in jobs {
            guard areAllNew || new.contains(job.id) else {
                credit += 1
                continue
            }
            switch job.status {
            case .inProgress:
                live[job.id] = Live(stage: .running, creditLink: link.number, giver: giver)
                let lane = lane(for: job)
                lane.running += 1
                runs[lane === lanes.first ? 0 : 1].append(run(job))
            default:
                if job.dueAt <= now {
                    live[job.id] = Live(stage: .ready, creditLink: link.number, giver: giver)
                    lane(for: job).ready.append(job)
                } else {
                    live[job.id] = Live(stage: .waiting, creditLink: 0, giver: giver)
                    timers.insert(job.id, due: job.dueAt)
                    credit += 1
                }
            }
        }
        link.acknowledge(saved: jobs.count, credit: credit)
        for (lane, runs) in zip(lanes, runs) where !runs.isEmpty { lane.lua.submit(runs) }
        watchLanes()
        for id in cancelled where new.contains(id) { _ = cancel(id) }
        runReady()
        armTimer()
    }
}
