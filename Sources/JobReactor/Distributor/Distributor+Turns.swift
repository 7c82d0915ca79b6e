public import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// What decides when jobs run: schedules and pauses. Each call is done when it is stored, as far as the distributor has a storage
/// that keeps it, and throws `JobError.Code.stopped` after the stop.
extension Distributor {
    /// Who changes something, where that is this application.
    private static let user = "application"

    /// Sets a schedule, or changes it: `schedule(try Schedule("nightly", "30 2 * * *", [:], job: "report"))`. It stands until it is
    /// deleted, over restarts where there is a storage. Throws `JobError.Code.invalidOption` when scripts of a connected node define
    /// one of that name, and differently.
    public func schedule(_ schedule: Schedule) async throws {
        try schedule.validate()
        _ = try schedule.times()
        let core = core
        try await calls.ask { [loop] in core.value?.set(schedule) ?? loop.makeSucceededVoidFuture() }
    }

    /// Deletes one that was set, not by a script. Returns false where there is none.
    @discardableResult
    public func deleteSchedule(_ name: String) async throws -> Bool {
        let core = core
        return try await calls.ask { [loop] in core.value?.deleteSchedule(name) ?? loop.makeSucceededFuture(false) }
    }

    /// Nothing comes of the schedule until it is resumed; what was due meanwhile is not caught up with. Returns false where there is
    /// none, or it is paused already.
    @discardableResult
    public func pauseSchedule(_ name: String) async throws -> Bool {
        let core = core
        return try await calls.ask { [loop] in
            core.value?.pauseSchedule(name, by: Self.user) ?? loop.makeSucceededFuture(false)
        }
    }

    /// Returns false where there is none, or it is not paused.
    @discardableResult
    public func resumeSchedule(_ name: String) async throws -> Bool {
        let core = core
        return try await calls.ask { [loop] in
            core.value?.pauseSchedule(name, by: nil) ?? loop.makeSucceededFuture(false)
        }
    }

    /// Makes a job of the schedule now, whether it is paused or not. Returns its id; nil where it makes none, as that of an earlier
    /// tick is unfinished. Throws `JobError.Code.invalidOption` where there is no such schedule.
    @discardableResult
    public func runSchedule(_ name: String) async throws -> JobID? {
        let core = core
        return try await calls.ask { [loop] in core.value?.runSchedule(name) ?? loop.makeSucceededFuture(nil) }
    }

    /// Nothing of the jobs of that name starts until they are resumed, at this distributor and its nodes; what runs goes on. Returns
    /// false where they are paused already.
    @discardableResult
    public func pauseJobs(named name: String) async throws -> Bool { try await pause(.job(name), true) }

    /// Returns false where they are not paused.
    @discardableResult
    public func resumeJobs(named name: String) async throws -> Bool { try await pause(.job(name), false) }

    /// Nothing starts on the node of that name until it is resumed; what runs goes on. Returns false where it is paused already.
    @discardableResult
    public func pauseNode(_ name: String) async throws -> Bool { try await pause(.node(name), true) }

    /// Returns false where it is not paused.
    @discardableResult
    public func resumeNode(_ name: String) async throws -> Bool { try await pause(.node(name), false) }

    private func pause(_ target: PauseTarget, _ isPaused: Bool) async throws -> Bool {
        if let problem = Name.problem(in: target.name) {
            throw JobError(.invalidName, "the name of the \(target.kind) \(problem)")
        }
        let core = core
        return try await calls.ask { [loop] in
            let changed = isPaused ? core.value?.pause(target, by: Self.user) : core.value?.resume(target)
            return changed ?? loop.makeSucceededFuture(false)
        }
    }
}
