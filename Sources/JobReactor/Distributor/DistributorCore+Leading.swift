internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// Of distributors that share a place one leads: it makes the ticks of schedules there.
extension DistributorCore {
    /// Seconds between two looks at who leads, where distributors share a place.
    private static let leadInterval: Int64 = 5

    /// The distributor's storage is open: says when it is known who makes the ticks of its place.
    func beginLeading() -> EventLoopFuture<Void> {
        guard controls.isShared else { return loop.makeSucceededVoidFuture() }
        schedules.deactivate()
        controls.onFollowing = { [unowned self] jobs in self.follow(nil, dropping: jobs) }
        let bound = NIOLoopBound(self, eventLoop: loop)
        return controls.lead().map { bound.value.noteLeader($0, isFirst: true) }
    }

    private func noteLeader(_ other: String?, isFirst: Bool = false) {
        guard !isStopping else { return }
        if let other {
            follow(other)
        } else if !schedules.isActive {
            leads(isFirst: isFirst)
        } else {
            endTicksOfOthers()
        }
        loop.assumeIsolated().scheduleTask(in: .seconds(Self.leadInterval)) { [weak self] in self?.askWhoLeads() }
    }

    private func askWhoLeads() {
        guard !isStopping else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        controls.lead().whenComplete { result in
            // While the storage is away nothing is known: what the leader makes is stored, or not.
            switch result {
            case .success(let other): bound.value.noteLeader(other)
            case .failure: bound.value.noteLeader(bound.value.leader)
            }
        }
    }

    /// This one makes the ticks from now on. What the one before has stored is read first.
    private func leads(isFirst: Bool) {
        leader = nil
        let bound = NIOLoopBound(self, eventLoop: loop)
        let read = isFirst ? loop.makeSucceededVoidFuture() : controls.open()
        read.flatMap { bound.value.findTicksOfOthers() }.whenSuccess {
            let core = bound.value
            guard core.leader == nil, !core.isStopping else { return }
            core.takeUpSchedules()
            core.carryOut(
                core.schedules.activate(
                    state: { core.scheduleState($0) }, open: { core.openTicks(of: $0) }, now: core.clock.now))
            if !isFirst { core.logger.notice("this distributor makes the ticks of schedules here from now on") }
        }
    }

    /// Another makes the ticks. Jobs of ticks that could not be stored are none.
    private func follow(_ other: String?, dropping jobs: [Job] = []) {
        if leader != other || schedules.isActive {
            leader = other ?? leader ?? "another distributor"
            schedules.deactivate()
            ticksOfOthers = OpenTicks()
            logger.info(
                "another distributor makes the ticks of schedules here", metadata: ["distributor": "\(leader ?? "")"])
        }
        for job in jobs { change { $0.dropTick(job.id) } }
    }

    /// Why schedules cannot be changed here; nil where they can.
    func refuseAsFollower() -> JobError? {
        leader.map {
            JobError(.invalidOption, "the distributor \($0) makes the ticks of schedules here: say it there")
        }
    }

    // MARK: Ticks of the one before

    /// The last tick of each schedule that another distributor of the place has made, and whose job is unfinished: the next may have
    /// to wait for it. Earlier ones matter only where jobs of a schedule may overlap, and so wait for nothing.
    private func findTicksOfOthers() -> EventLoopFuture<Void> {
        var last: [JobID: JobTick] = [:]
        for control in controls.all(.ticks) {
            guard let at = scheduleState(control.key.name)?.last else { continue }
            let id = ScheduleTick(of: control.key.name, at: at).id
            if !ask({ $0.isKnown(id) }) { last[id] = JobTick(schedule: control.key.name, at: at) }
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        return controls.unfinished(last.keys.sorted()[...]).map { [last] unfinished in
            bound.value.ticksOfOthers = OpenTicks()
            for id in unfinished { if let tick = last[id] { bound.value.ticksOfOthers.add(id, tick, hasBegun: true) } }
        }
    }

    /// Nobody tells of their ends, so it is looked for them as long as there are any.
    private func endTicksOfOthers() {
        guard !ticksOfOthers.isEmpty else { return }
        let ids = ticksOfOthers.jobs
        let bound = NIOLoopBound(self, eventLoop: loop)
        controls.unfinished(ids[...]).whenSuccess { unfinished in
            let core = bound.value
            guard core.leader == nil, !core.isStopping else { return }
            for id in ids where !unfinished.contains(id) {
                guard let tick = core.ticksOfOthers[id] else { continue }
                core.ticksOfOthers.remove(id)
                core.tell(tick.schedule, .gone(id))
            }
        }
    }
}
