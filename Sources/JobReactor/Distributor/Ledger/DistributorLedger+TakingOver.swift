internal import JobReactorCore

/// What becomes of the jobs of a durable node that was lost, as ``Takeovers`` says.
extension DistributorLedger {
    mutating func handOver(_ name: String) {
        guard let place = takeovers.place(ofLost: name), let heir = nodes.heir(at: place) else { return }
        did(.log(.takenOver(node: name, by: heir.name)))
        did(.adopt(name, by: heir.node))
    }

    /// A time has come that ``Action/wake(_:after:)`` told of.
    mutating func wake(_ timer: Takeovers.Timer, isStopping: Bool) {
        switch timer {
        // What a node may have is given to no other: it may have run. With a storage the next process asks the node.
        case _ where isStopping: break
        case .lost(let name, let number): if takeovers.giveUp(name, number: number) != nil { handOver(name) }
        case .doubt(let name, let number): endDoubt(about: name, number: number)
        case .abandoned(let place, let seconds):
            let heir = nodes.heir(at: place)
            if let heir { did(.adopt(nil, by: heir.node)) }
            if let (timer, after) = takeovers.askAgain(at: place, after: seconds, hasHeir: heir != nil) {
                did(.wake(timer, after: after))
            }
        }
    }

    /// A node has taken over the jobs of another, or could not.
    mutating func adopted(_ name: String?, _ isDone: Bool, by node: Node) {
        guard let name, let place = takeovers.place(ofLost: name), let heir = nodes[node]?.name else { return }
        guard isDone else {
            // It lives, without a connection to us, or its lease has not ended: it has its time once more.
            let (timer, seconds) = takeovers.nodeLost(name, at: place, atLeast: 1)
            return did(.wake(timer, after: seconds))
        }
        takeovers.takenOver(name)
        for entry in entries.owned(by: name) { entries.move(entry, to: .owned(by: heir)) }
        owned.moved(from: name, to: heir)
        // What runs on asks for its place again there.
        if !limits.isEmpty { freePlaces(of: name, but: []) }
        cancelAgain(at: node, heir)
        // The heir knows what it has taken over, and takes the rest.
        sendInDoubt(of: name, to: node)
        if !keys.replacing.isEmpty { replaceAgain(at: node, heir) }
    }

    /// The node is back, or another has taken over from it, and has reported what it has done: what it has not reported it
    /// gets again, and knows by the id what it has already.
    mutating func sendInDoubt(of name: String, to node: Node) {
        guard nodes[node]?.isDurable == true else { return }
        for id in takeovers.takeDoubts(about: name) {
            guard let entry = entries[id], case .inDoubt(name) = entry.place, let job = entry.job else { continue }
            dispatcher.useCredit(of: node)
            send(entry, job, to: node, isAgain: true)
            if cancelling.contains(id) { did(.cancel(id, at: node)) }
        }
    }

    /// The node has not come back in time.
    private mutating func endDoubt(about name: String, number: Int) {
        let jobs = takeovers.endDoubt(about: name, number: number) { [nodes] in nodes.heir(at: $0) != nil }
        guard !jobs.isEmpty else { return }
        did(.log(.notBack(node: name, jobs: jobs.count)))
        for id in jobs {
            guard let entry = entries[id], case .inDoubt(name) = entry.place else { continue }
            givenBefore.insert(id, name)
            giveBack(entry, id)
        }
    }
}
