internal import JobReactor
internal import JobReactorCore
internal import JobReactorLua
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// Jobs on their way through the node: what ``NodeRuns`` returns is stored, run and told, in the order of its sections.
extension NodeCore {
    // MARK: Received

    /// Stores jobs that came over a link in one read, then acknowledges them, also those that are known.
    func receive(_ received: ReceivedJobs, known: Set<JobID>, over link: DistributorLink) {
        guard life.takesJobs else { return giveBack(received, known: known, over: link) }
        let saving = runs.receive(received, now: now)
        let bound = NIOLoopBound((self, link), eventLoop: loop)
        storage.save(known.isEmpty ? saving.jobs : saving.jobs.filter { !known.contains($0.id) }) { result in
            bound.eventLoop.runOrExecute { bound.value.0.saved(saving, known: known, result, over: bound.value.1) }
        }
    }

    private func saved(
        _ received: ReceivedJobs, known: Set<JobID>, _ result: Result<Set<JobID>, StorageError>,
        over link: DistributorLink
    ) {
        let new: Set<JobID>
        switch result {
        case .success(let ids): new = ids
        case .failure(let error):
            runs.notSaved(received)
            storageRefused(error)
            giveBack(received, known: known, over: link)
            return noteProgress()
        }
        storageWorks()
        let destination = destinations[link.distributor]
        var received = received
        if !received.permitted.isEmpty, !keepsPlaces(givenOver: link) { received.permitted = [] }
        let arrived = runs.saved(received, new: new, giver: destination.number, link: link.number, now: now)
        link.acknowledge(received.numbers)
        metrics?.received(received.jobs, new: new)
        noteRoom()
        if arrived.credit > 0 {
            destination.settled(arrived.credit, onLink: link.number)
            destination.flush(asksForMore: asksForJobs)
        }
        submit(arrived.runs, on: .reactor)
        submit(arrived.deferred, on: .deferred)
        // Were this lost, a crash would count attempts that were none.
        if !arrived.withdrawn.isEmpty { storage.apply(arrived.withdrawn.map { .update($0) }) { _ in } }
        sendPermits()
        for id in arrived.cancelled { cancel(id) }
        for id in arrived.ready { load(id, at: .ready) }
        runReady()
        armTimer()
        noteProgress()
    }

    /// What cannot be stored here goes back; what was here before has been, and is.
    func giveBack(_ received: ReceivedJobs, known: Set<JobID>, over link: DistributorLink) {
        let returned = received.handOvers.filter { !known.contains($0.id) }
        link.sendReturned(returned)
        if !known.isEmpty { link.acknowledge(received.handOvers.filter { known.contains($0.id) }.map(\.number)) }
        destinations[link.distributor].settled(received.jobs.count, onLink: link.number)
        flushDestinations()
    }

    // MARK: Waiting for their time

    /// One timer, for the job that is due first.
    func armTimer() {
        guard !life.isStopping else { return }
        let now = now
        guard let wake = runs.wake(at: now) else { return }
        if let armed, armed.at <= wake { return }
        armed?.timer.cancel()
        // No timer of more than a day: what a wait can be in all is not what a timer can be.
        let wait = min(max(0, wake.elapsed(since: now.steady)), 86_400_000_000)
        armed = (wake, loop.assumeIsolated().scheduleTask(in: .microseconds(wait)) { self.timerFired() })
    }

    private func timerFired() {
        armed = nil
        let now = now
        let bound = NIOLoopBound(self, eventLoop: loop)
        while let id = runs.popDue(at: now) {
            storage.load(id) { result in
                bound.eventLoop.runOrExecute { bound.value.loaded(id, at: .ready, result) }
            }
        }
        runReady()
        armTimer()
    }

    func loaded(_ id: JobID, at stage: LiveJob.Stage, _ result: Result<Job?, StorageError>) {
        switch result {
        case .success(let job):
            let loaded = runs.loaded(id, at: stage, job)
            sendPermits()
            switch loaded {
            case .nothing, .asks: break
            case .ready(let kind): if !life.isStopping { runReady(on: kind) }
            case .end(let ending): store([ending], madeAt: now)
            case .gone: failGone([id])
            }
        case .failure(let error):
            guard runs[id]?.stage == stage else { return }
            logger.error("the storage fails; a job waits", metadata: ["reason": "\(error)", "id": "\(id)"])
            runs.waitForStorage(id, now: now)
            armTimer()
        }
    }

    // MARK: Beginning

    /// Begins as many of the jobs whose turn it is as the lanes have room for.
    func runReady() {
        guard life.takesJobs else { return }
        for kind in NodeTurns.kinds where runs.hasTurns(on: kind) { runReady(on: kind) }
    }

    private func runReady(on kind: LaneKind) {
        guard life.ownsJobs else { return }
        let now = now
        beginCarefully(on: kind, now: now)
        let jobs = runs.begin(on: kind, now: now.wall)
        guard !jobs.isEmpty else { return }
        storeUnstored(jobs)
        let bound = NIOLoopBound(self, eventLoop: loop)
        storage.apply(jobs.map { .update($0) }) { result in
            bound.eventLoop.runOrExecute { bound.value.begun(jobs, result, on: kind) }
        }
    }

    private func begun(_ jobs: [Job], _ result: Result<Void, StorageError>, on kind: LaneKind) {
        switch result {
        case .success:
            storageWorks()
            let begun = runs.begun(jobs, on: kind)
            if !begun.endings.isEmpty { store(begun.endings, madeAt: now) }
            submit(begun.runs, on: kind)
            if begun.runs.count < jobs.count { noteProgress() }
        case .failure(let error):
            let keepsTurns = runs.mustKeepTurns(jobs, error)
            runs.notBegun(jobs, on: kind, keepingTurns: keepsTurns, now: now)
            storageRefused(error)
            if keepsTurns, error.code != .emptied {
                loop.assumeIsolated().scheduleTask(in: .seconds(1)) { self.runReady() }
            }
            armTimer()
            noteProgress()
        }
    }

    private func submit(_ begun: [LuaLane.Run], on kind: LaneKind) {
        let runs = withoutHeld(begun, on: kind)
        guard !runs.isEmpty else { return }
        if let metrics { for run in runs where run.raised == nil { metrics.started(run.job) } }
        noteTicks(runs)
        noteBegun(runs)
        lane(kind).lua.submit(tracing.map { runs.map($0.begin) } ?? runs)
        watchLanes()
    }

    // MARK: Suspects

    /// Begins the suspect whose turn it is, unless one is under way.
    private func beginCarefully(on kind: LaneKind, now: Moment) {
        while let turn = runs.beginCarefully(on: kind, now: now) {
            switch turn {
            case .end(let ending): store([ending], madeAt: now)
            case .begin(let job):
                let bound = NIOLoopBound(self, eventLoop: loop)
                storage.apply([.update(job)]) { result in
                    bound.eventLoop.runOrExecute { bound.value.begunCarefully(job, result, on: kind) }
                }
            }
        }
    }

    private func begunCarefully(_ job: Job, _ result: Result<Void, StorageError>, on kind: LaneKind) {
        if case .success = result, let known = runs[job.id], known.stage == .running, !known.isCancelled {
            let most = Int32(clamping: runs.mostAttempts(of: job))
            tell(job.id, known, isUrgent: true) {
                LinkMessage.writeBegun($0, attempt: job.attempt, of: most, to: &$1)
            }
        }
        begun([job], result, on: kind)
    }

    /// A durable node counts by itself what its end cuts short.
    private func tell(
        _ id: JobID, _ known: LiveJob, isUrgent: Bool = false, _ write: (HandOver, inout ByteBuffer) -> Void
    ) {
        guard !storage.isDurable,
            let link = destinations.numbered(known.giver)?.link, link.number == known.link
        else { return }
        let handOver = link.handOver(of: id, lowerHalf: known.handOver)
        link.connection.write { write(handOver, &$0) }
        // The run may end the process before the end of this turn.
        if isUrgent { link.connection.flush() }
    }

    // MARK: Under way

    func takeResults(of lane: NodeLane) {
        let results = lane.lua.takeResults()
        if results.closes { watchLanes() }
        if !results.suspended.isEmpty { noteSuspended(results.suspended, on: lane.kind) }
        for note in results.notes.values { sendProgress(note) }
        guard results.enqueued.isEmpty, !results.outcomes.contains(where: \.hasEnqueued) else {
            return enqueue(results, from: lane.kind)
        }
        end(results.outcomes, on: lane.kind)
    }

    /// Jobs that pause leave their place on the lane, and their credit, to others.
    private func noteSuspended(_ ids: [JobID], on kind: LaneKind) {
        let settled = runs.suspended(ids, on: kind)
        gauges?.noteChange()
        for id in runs.pausedSuspects(ids, on: kind) {
            if let known = runs[id] { tell(id, known) { LinkMessage.writePaused($0, to: &$1) } }
        }
        for known in settled { destinations.numbered(known.giver)?.settled(onLink: known.link) }
        if !settled.isEmpty { flushDestinations() }
        runReady()
    }

    private func sendProgress(_ note: LuaLane.Note) {
        guard let link = destinations.known(note.job.distributor)?.link else { return }
        let progress = Progress(id: note.job.id, run: note.job.runs, fraction: note.fraction, text: note.text)
        link.connection.write { LinkMessage.writeProgress(progress, to: &$0) }
    }

    /// A run that enqueued jobs ends when a distributor has them: were it lost before, it would run again.
    private func enqueue(_ results: LuaLane.Results, from kind: LaneKind) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let outcomes = results.outcomes
        enqueue(results.enqueued).whenComplete { _ in
            bound.value.end(outcomes.filter(\.hasEnqueued), on: kind)
        }
        end(outcomes.filter { !$0.hasEnqueued }, on: kind)
    }

    // MARK: Ending

    func end(_ outcomes: [LuaLane.Outcome], on kind: LaneKind) {
        guard !outcomes.isEmpty else { return }
        let now = now
        let ended = runs.ended(outcomes, on: kind, now: now)
        if !ended.raised.isEmpty { storeRaised(ended.raised, on: kind) }
        runReady()
        if !ended.endings.isEmpty { store(ended.endings, madeAt: now) }
        noteProgress()
    }

    /// The failures of runs are stored before the errbacks run.
    private func storeRaised(_ raised: [LuaLane.Outcome], on kind: LaneKind) {
        storeUnstored(raised.map(\.job))
        let bound = NIOLoopBound(self, eventLoop: loop)
        storage.apply(raised.map { .update($0.job) }) { result in
            bound.eventLoop.runOrExecute { bound.value.raisedStored(raised, result, on: kind) }
        }
    }

    private func raisedStored(
        _ raised: [LuaLane.Outcome], _ result: Result<Void, StorageError>, on kind: LaneKind
    ) {
        switch result {
        case .success: storageWorks()
        // What the errbacks come to is stored as one with the failure.
        case .failure(let error): storageRefused(error)
        }
        let next = runs.raisedStored(raised)
        end(next.cancelled, on: kind)
        submit(next.errbacks, on: kind)
    }

    func store(_ ended: [Ending], madeAt now: Moment) {
        let endings = tracing.map { ended.map($0.end) } ?? ended
        let changes = runs.store(endings, madeAt: now)
        storeUnstored(endings.map(\.job))
        let bound = NIOLoopBound(self, eventLoop: loop)
        storage.apply(changes) { result in
            bound.eventLoop.runOrExecute { bound.value.stored(endings, madeAt: now, result) }
        }
    }

    private func stored(_ endings: [Ending], madeAt: Moment, _ result: Result<Void, StorageError>) {
        runs.endsAnswered()
        if case .failure(let error) = result {
            storageRefused(error)
            guard error.code != .lost else { return noteProgress() }
            return storeLater(endings, madeAt: madeAt)
        }
        storageWorks()
        for ending in endings { finish(ending, madeAt: madeAt) }
        flushDestinations()
        sendPermits()
        // The end of a suspect lets the next begin.
        if runs.hasCarefulTurns { runReady() }
        armTimer()
        noteProgress()
    }

    /// Told before it is stored, the end of a run could come to nothing by a crash: the job would run again.
    private func storeLater(_ endings: [Ending], madeAt: Moment) {
        runs.endsWait()
        loop.assumeIsolated().scheduleTask(in: .seconds(1)) {
            let rest = self.runs.tryAgain(endings)
            if rest.isEmpty { self.noteProgress() } else { self.store(rest, madeAt: madeAt) }
        }
    }

    /// Tells of an end that is stored.
    func finish(_ ending: Ending, madeAt: Moment) {
        if !cancellations.isEmpty { cancelled(ending.job.id, .success(true)) }
        guard let known = runs.finish(ending, madeAt: madeAt) else { return }
        let job = ending.job
        metrics?.ended(ending.transition, hasRun: known.stage == .running, at: madeAt.wall)
        if configuration.logJobProcessing { log(ending.transition) }
        let destination = destinations[job.distributor]
        if let report = ending.report { deliver(report, to: destination) }
        switch ending.transition.next {
        case .park:
            logger.warning(
                "no script defines the job any more", metadata: ["job": "\(job.name)", "id": "\(job.id)"])
            // Its credit goes back with it.
            if !storage.isDurable { return destination.giveBack(job.id, known) }
        case .wait where known.isSuspect && ending.report == nil:
            // An attempt has failed, and the next is later.
            tell(job.id, known) { LinkMessage.writeWaits($0, attempt: job.attempt, to: &$1) }
        case .wait, .keep, .remove, .errbacks: break
        }
        if known.usesCredit { destination.settled(onLink: known.link) }
    }

    private func log(_ transition: JobLifecycle.Transition) {
        let job = transition.job
        switch (transition.next, transition.feedback?.kind) {
        case (.wait, nil), (_, .error):
            var metadata: Logger.Metadata = [
                "job": "\(job.name)", "id": "\(job.id)", "attempt": "\(job.attempt)",
                "status": "\(job.status.rawValue)",
            ]
            if configuration.logArgs { metadata["args"] = "\(job.args.shortened)" }
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
