internal import JobReactor
internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// Runs of suspects: one at a time on a lane, each told to the distributor before it begins.
extension NodeCore {
    /// Begins the suspect whose turn it is, unless one is under way.
    func runCareful(on lane: NodeLane) {
        while lane.room > 0, let job = lane.careful.takeNext({ live[$0]?.stage }) {
            let now = now
            if let end = JobLifecycle.arrive(job, policy: policy(for: job), now: now.wall) {
                live[job.id]?.stage = .ending
                store([end], madeAt: now)
                continue
            }
            live[job.id]?.stage = .running
            lane.running += 1
            let begun = JobLifecycle.begin(job, now: now.wall)
            let bound = NIOLoopBound((self, lane), eventLoop: loop)
            storage.apply([.update(begun)]) { result in
                bound.eventLoop.runOrExecute { bound.value.0.begunCarefully(begun, result, on: bound.value.1) }
            }
        }
    }

    private func begunCarefully(_ job: Job, _ result: Result<Void, StorageError>, on lane: NodeLane) {
        if case .success = result, let known = live[job.id], known.stage == .running, !known.isCancelled {
            let most = Int32(clamping: policy(for: job).maxAttempt)
            tell(job.id, known, isUrgent: true) {
                LinkMessage.writeBegun($0, attempt: job.attempt, of: most, to: &$1)
            }
        }
        begun([job], result, on: lane)
    }

    /// Runs pause: those of suspects leave the way to the next.
    func notePaused(_ ids: [JobID], on lane: NodeLane) {
        guard lane.careful.isUnderWay else { return }
        for id in ids {
            guard let known = live[id], known.isSuspect, lane.careful.paused(id) else { continue }
            tell(id, known) { LinkMessage.writePaused($0, to: &$1) }
        }
    }

    /// An attempt of a suspect has failed, and the next is later.
    func tellWaits(_ job: Job, _ known: Live) {
        tell(job.id, known) { LinkMessage.writeWaits($0, attempt: job.attempt, to: &$1) }
    }

    /// A durable node counts by itself what its end cuts short.
    private func tell(
        _ id: JobID, _ known: Live, isUrgent: Bool = false, _ write: (HandOver, inout ByteBuffer) -> Void
    ) {
        guard !storage.isDurable,
            let link = destinations.values.first(where: { $0.number == known.giver })?.link, link.number == known.link
        else { return }
        let handOver = link.handOver(of: id, lowerHalf: known.handOver)
        link.connection.write { write(handOver, &$0) }
        // The run may end the process before the end of this turn.
        if isUrgent { link.connection.flush() }
    }
}
