internal import JobReactorCore
internal import JobReactorLua
internal import NIOCore

/// Jobs that distributors hold back, by name or all of them: none of their runs begins, and what runs goes on.
extension NodeCore {
    func hold(isNode: Bool, jobs: [String], over link: DistributorLink) {
        let held = runs.hold(isNode: isNode, jobs: Set(jobs), by: link.distributor)
        settle(held.settled)
        if held.holdsMore { for lane in lanes { holdBack(from: lane) } }
        flushDestinations()
        sendPermits()
        if held.holdsLess { runReady() }
    }

    /// What waits for a thread of the lane has begun for the storage, and not for anybody else.
    private func holdBack(from lane: NodeLane) {
        let unbegun = lane.lua.withdraw()
        let held = unbegun.filter { runs.holds.holds($0.job.name) }
        if held.count < unbegun.count { lane.lua.submit(unbegun.filter { !runs.holds.holds($0.job.name) }) }
        tracing?.drop(held.lazy.map(\.job.id))
        holdBack(held, from: lane.kind)
    }

    /// Those of the runs that are not held, after others, whose beginnings were being stored meanwhile, wait for their turn again.
    func withoutHeld(_ begun: [LuaLane.Run], on kind: LaneKind) -> [LuaLane.Run] {
        guard !runs.holds.isEmpty else { return begun }
        // What follows of a run that has begun is part of it.
        let held = begun.filter { $0.raised == nil && runs.holds.holds($0.job.name) }
        guard !held.isEmpty else { return begun }
        holdBack(held, from: kind)
        return begun.filter { $0.raised != nil || !runs.holds.holds($0.job.name) }
    }

    private func holdBack(_ held: [LuaLane.Run], from kind: LaneKind) {
        guard !held.isEmpty else { return }
        let back = runs.heldBack(held, from: kind)
        settle(back.settled)
        // Were this lost, a crash would count attempts that were none.
        storage.apply(back.records.map { .update($0) }) { _ in }
        sendPermits()
        // Others have their places.
        runReady()
    }

    func settle(_ known: [LiveJob]) {
        for known in known { destinations.numbered(known.giver)?.settled(onLink: known.link) }
    }
}
