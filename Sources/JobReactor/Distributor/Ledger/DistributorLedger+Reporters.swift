internal import JobReactorCore
internal import JobReactorWire

/// Which node may say what has become of a job: one that was given it, or that has taken over from such a one.
extension DistributorLedger {
    func mayReport(_ node: Node, _ id: JobID, _ entry: LedgerEntry) -> Bool {
        switch entry.place {
        case .node(node, _): return true
        case .owned(let owner), .inDoubt(let owner): if isNode(node, orHeirOf: owner) { return true }
        case .node, .waiting, .saving: break
        }
        return entry.isTakenUp || nodes[node].map { givenBefore.contains(id, $0.name) } == true
    }

    /// Whether a new job of that id waits here, and was given to no node but perhaps this one.
    func isNobodys(_ id: JobID, _ node: Node) -> Bool {
        guard let entry = entries[id] else { return paged[id]?.isTakenUp == false }
        if case .node(node, _) = entry.place { return false }
        return entry.isNew
    }

    /// Whether it is the node of that name, or may have taken over from it, as both keep their jobs at one place.
    func isNode(_ node: Node, orHeirOf owner: String) -> Bool {
        guard let connected = nodes[node] else { return false }
        if connected.name == owner { return true }
        guard let place = connected.place else { return false }
        return place == nodes.named(owner).flatMap { nodes[$0]?.place } ?? takeovers.place(ofLost: owner)
    }

    /// Does not count the report, hears nothing more from the node for a moment, and says so once for each link. Returns nil:
    /// nobody is told.
    mutating func refuse(_ report: JobReport, from node: Node) -> (name: String, sink: Sink)? {
        counters.refusedReports += 1
        did(.rest(node))
        if let name = nodes[node]?.name, nodes.distrust(node) {
            did(.log(.foreignReport(report.id, name: report.name, node: name)))
        }
        return nil
    }
}
