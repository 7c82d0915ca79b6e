internal import JobReactor
internal import JobReactorCore
internal import JobReactorLua
internal import Logging
internal import NIOCore

/// How runs end: what the ``JobLifecycle`` decides is stored, then told.
extension NodeCore {
    func end(_ outcomes: [LuaLane.Outcome], on lane: NodeLane) {
        guard !outcomes.isEmpty else { return }
        let now = now
        var raised: [LuaLane.Outcome] = []
        var transitions: [JobLifecycle.Transition] = []
        transitions.reserveCapacity(outcomes.count)
        for outcome in outcomes {
            if outcome.wasSuspended {
                // Until its end is decided it is on the lane again.
                lane.suspended -= 1
                lane.running += 1
            }
            guard let known = live[outcome.job.id] else {
                // Another node has the job.
                lane.running -= 1
                continue
            }
            let transition = JobLifecycle.end(
                outcome.job, told(outcome), policy: policy(for: outcome.job), isCancelled: known.isCancelled,
                now: now.wall)
            if case .errbacks = transition.next {
                raised.append(LuaLane.Outcome(transition.job, outcome.outcome))
            } else {
                transitions.append(transition)
            }
        }
        if !raised.isEmpty { storeRaised(raised, on: lane) }
        lane.running -= transitions.count
        runReady()
        if !transitions.isEmpty { store(transitions, madeAt: now) }
        noteProgress()
    }

    /// Nodes are chosen by names as people read them, and Lua finds a job by the bytes of its name: one whose name only looks
    /// like that of a script would be returned, and come back, for ever.
    private func told(_ ended: LuaLane.Outcome) -> RunOutcome {
        let (job, outcome) = (ended.job, ended.outcome)
        guard outcome.kind == .undefined,
            let alike = jobNames.first(where: { $0 == job.name }), !alike.utf8.elementsEqual(job.name.utf8)
        else { return outcome }
        let text =
            "no script defines the job: the name '\(alike)' looks the same, but has other bytes (another Unicode form)"
        return RunOutcome(.failed, args: job.args, error: Array(JSONValue.string(text).json.utf8), message: text)
    }

    /// The failures of runs are stored before the errbacks run.
    private func storeRaised(_ raised: [LuaLane.Outcome], on lane: NodeLane) {
        let bound = NIOLoopBound((self, lane), eventLoop: loop)
        storeUnstored(raised.map(\.job))
        storage.apply(raised.map { .update($0.job) }) { result in
            bound.eventLoop.runOrExecute { bound.value.0.runErrbacks(raised, result, on: bound.value.1) }
        }
    }

    private func runErrbacks(_ raised: [LuaLane.Outcome], _ result: Result<Void, StorageError>, on lane: NodeLane) {
        if case .failure(let error) = result {
            // What the errbacks come to is stored as one with the failure.
            storageRefused(error)
        } else {
            storageWorks()
        }
        let cancelled = raised.filter { live[$0.job.id]?.isCancelled != false }
        if !cancelled.isEmpty { end(cancelled, on: lane) }
        lane.lua.submit(
            raised.filter { live[$0.job.id]?.isCancelled == false }.map { raised in
                var run = run(raised.job)
                run.raised = raised.outcome
                return run
            })
    }

    func store(_ transitions: [JobLifecycle.Transition], madeAt now: Moment) {
        store(transitions.map { Ending(transition: $0, report: report(of: $0)) }, madeAt: now)
    }

    /// The end of a run, to be stored and then told.
    struct Ending {
        let transition: JobLifecycle.Transition
        let report: JobReport?
    }

    func report(of transition: JobLifecycle.Transition) -> JobReport? {
        guard let feedback = transition.feedback else { return nil }
        let job = transition.job
        var report = JobReport(id: job.id, name: job.name, feedback: feedback, status: job.status, run: job.runs)
        if configuration.mergeJobItselfToArgs {
            report.feedback.args = feedback.args.setting([("job_itself", job.itself(onNode: configuration.name))])
        }
        return report
    }

    /// What the start of the node decides about jobs that it finds, stored before anything else is done.
    func storeTakenUp(_ transitions: [JobLifecycle.Transition], madeAt now: Moment) -> EventLoopFuture<Void> {
        guard !transitions.isEmpty else { return loop.makeSucceededVoidFuture() }
        let endings = transitions.map { Ending(transition: $0, report: report(of: $0)) }
        let changes = changes(of: endings, madeAt: now)
        let bound = NIOLoopBound((self, endings), eventLoop: loop)
        return loop.answer { storage.apply(changes, done: $0) }.map {
            let (core, endings) = bound.value
            for ending in endings {
                if let known = core.live[ending.transition.job.id] { core.end(ending, known, madeAt: now) }
            }
        }
    }

    func changes(of endings: [Ending], madeAt now: Moment) -> [JobChange] {
        let isDurable = storage.isDurable
        return endings.map { ending in
            let job = ending.transition.job
            // Of a storage that forgets, the distributor keeps the job until it has the report.
            let report = isDurable ? ending.report : nil
            let stored = report.map { StoredReport($0, distributor: job.distributor, madeAt: now.wall) }
            return switch ending.transition.next {
            case .keep where live[job.id]?.isDestroyed == true: .remove(job.id, stored)
            case .wait, .keep, .errbacks: .update(job, stored)
            case .remove: .remove(job.id, stored)
            case .park: isDurable ? .update(job) : .remove(job.id)
            }
        }
    }

    func store(_ endings: [Ending], madeAt now: Moment) {
        endsUnderWay += 1
        storeUnstored(endings.map(\.transition.job))
        let bound = NIOLoopBound((self, endings), eventLoop: loop)
        storage.apply(changes(of: endings, madeAt: now)) { result in
            bound.eventLoop.runOrExecute { bound.value.0.ended(bound.value.1, madeAt: now, result) }
        }
    }

    func ended(_ endings: [Ending], madeAt: Moment, _ result: Result<Void, StorageError>) {
        endsUnderWay -= 1
        if case .failure(let error) = result {
            storageRefused(error)
            guard error.code != .lost else { return noteProgress() }
            // Told before it is stored, the end of a run could come to nothing by a crash: the job would run again.
            endsUnderWay += 1
            loop.assumeIsolated().scheduleTask(in: .seconds(1)) {
                self.endsUnderWay -= 1
                let rest = endings.filter { self.live[$0.transition.job.id] != nil }
                if rest.isEmpty { self.noteProgress() } else { self.store(rest, madeAt: madeAt) }
            }
            return
        }
        storageWorks()
        for ending in endings {
            if let known = live[ending.transition.job.id] { end(ending, known, madeAt: madeAt) }
        }
        flushDestinations()
        // The end of a suspect lets the next begin.
        if lanes.contains(where: { $0.careful.isWaiting }) { runReady() }
        armTimer()
        noteProgress()
    }

    /// Waits count from the moment at which it was decided.
    private func end(_ ending: Ending, _ known: Live, madeAt: Moment) {
        let transition = ending.transition
        let job = transition.job
        counters.note(transition)
        if configuration.logJobProcessing { log(transition) }
        if ending.report != nil || known.usesCredit {
            let destination = destination(job.distributor)
            if let report = ending.report {
                destination.outbox.append(report)
                // Away for so long that it was forgotten: so is this report in time.
                if destination.link == nil, destination.expiry == nil { expectReturn(of: job.distributor) }
            }
            if known.usesCredit { destination.settled(onLink: known.link) }
        }
        switch transition.next {
        case .errbacks: break
        case .wait:
            if known.isSuspect, ending.report == nil { tellWaits(job, known) }
            var known = known
            known.stage = .waiting
            known.usesCredit = false
            known.agendaNumber = agenda.insert(job.id, job.due(countedFrom: madeAt))
            live[job.id] = known
        case .keep, .remove:
            live[job.id] = nil
        case .park:
            live[job.id] = nil
            logger.warning(
                "no script defines the job any more", metadata: ["job": "\(job.name)", "id": "\(job.id)"])
            if storage.isDurable { parked[job.name, default: []].insert(job.id) }
            if !storage.isDurable { destinations[job.distributor]?.returned(job.id, known) }
        }
    }

    func log(_ transition: JobLifecycle.Transition) {
        let job = transition.job
        switch (transition.next, transition.feedback?.kind) {
        case (.wait, nil), (_, .error):
            var metadata: Logger.Metadata = [
                "job": "\(job.name)", "id": "\(job.id)", "attempt": "\(job.attempt)",
                "status": "\(job.status.rawValue)", "args": "\(job.args.shortened)",
            ]
            if case .wait = transition.next {
                metadata["again_in"] = "\(((job.makeAfter ?? 0) * 1000).rounded() / 1000) s"
            }
            if let traceback = job.lastTraceback { metadata["traceback"] = "\(traceback)" }
            logger.warning("\(job.lastError ?? "failed")", metadata: metadata)
        default:
            logger.debug(
                "ran", metadata: ["job": "\(job.name)", "id": "\(job.id)", "status": "\(job.status.rawValue)"])
        }
    }
}
