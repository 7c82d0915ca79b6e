internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// Jobs and nodes of which nothing starts.
extension DistributorCore {
    /// Nothing of it starts from now on; what runs goes on. Says whether it was not paused before, when that is stored.
    func pause(_ target: PauseTarget, by user: String) -> EventLoopFuture<Bool> {
        guard pauses[target] == nil else { return loop.makeSucceededFuture(false) }
        let pause = Pause(by: user, at: clock.now)
        use(pause, for: target)
        return kept([.set(StoredControl(target.key, pause.json))])
    }

    /// Says whether it was paused, when it is stored that it is not.
    func resume(_ target: PauseTarget) -> EventLoopFuture<Bool> {
        guard pauses[target] != nil else { return loop.makeSucceededFuture(false) }
        use(nil, for: target)
        return kept([.remove(target.key)])
    }

    private func use(_ pause: Pause?, for target: PauseTarget) {
        pauses[target] = pause
        // Nodes first: what goes to them is not to be held there.
        for link in links.values { sendHold(to: link) }
        change { $0.pause(target, pause != nil) }
    }

    /// The node is told what it is to hold back: it has jobs that wait for their time, or for a retry.
    func sendHold(to link: NodeLink) {
        link.sendHold(isNode: pauses.nodes[link.introduction.name] != nil, jobs: pauses.jobs.keys.sorted())
    }

    private func kept(_ changes: [ControlChange]) -> EventLoopFuture<Bool> {
        let promise = loop.makePromise(of: Bool.self)
        controls.change(changes) { promise.succeed(true) }
        return promise.futureResult
    }

    /// What an earlier process was told.
    func takeUpPauses() {
        for control in controls.all(.pausedJob) + controls.all(.pausedNode) {
            guard let target = PauseTarget(control.key), let pause = Pause(json: control.value) else { continue }
            pauses[target] = pause
            change { $0.pause(target, true) }
        }
    }

    func writePauses(to buffer: inout ByteBuffer) {
        let all = pauses.all
        buffer.writeRESPArray(count: all.count)
        for (target, pause) in all {
            buffer.writeRESPCommand([
                "kind", target.kind, "name", target.name, "by", pause.by, "at", "\(pause.at.seconds)",
            ])
        }
    }
}

extension DistributorLedger {
    /// Nothing of it starts, or everything does again.
    mutating func pause(_ target: PauseTarget, _ isPaused: Bool) {
        switch target {
        case .job(let name): dispatcher.pause(job: name, isPaused)
        case .node(let name): dispatcher.pause(node: name, isPaused)
        }
        if isPaused { return freeUnusablePlaces() }
        for node in nodes.handles { sendWaiting(to: node) }
    }
}
