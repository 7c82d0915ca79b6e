public import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// What decides when jobs run: schedules and pauses. Each call is done when it is stored, as far as the distributor has a storage
/// that keeps it, and throws `JobError.Code.stopped` after the stop.
extension Distributor {
    /// Who changes something, where that is this application.
    private static let user = "application"

    /// Sets or changes a schedule: `schedule(try Schedule("nightly", "30 2 * * *", [:], job: "report"))`. It exists
    /// until it is deleted, with a storage also across restarts. Throws `JobError.Code.invalidOption` if scripts of a
    /// connected node define a different schedule of that name.
    public func schedule(_ schedule: Schedule) async throws {
        try schedule.validate()
        _ = try schedule.times()
        let core = core
        try await calls.ask { [loop] in core.value?.set(schedule) ?? loop.makeSucceededVoidFuture() }
    }

    /// Deletes a schedule that was set, not one of a script. Returns false if there is none.
    @discardableResult
    public func deleteSchedule(_ name: String) async throws -> Bool {
        let core = core
        return try await calls.ask { [loop] in core.value?.deleteSchedule(name) ?? loop.makeSucceededFuture(false) }
    }

    /// Pauses a schedule: it makes no ticks until it is resumed, and ticks of the pause are not made up. Returns false
    /// if there is none, or it is already paused.
    @discardableResult
    public func pauseSchedule(_ name: String) async throws -> Bool {
        let core = core
        return try await calls.ask { [loop] in
            core.value?.pauseSchedule(name, by: Self.user) ?? loop.makeSucceededFuture(false)
        }
    }

    /// Resumes a schedule. Returns false if there is none, or it is not paused.
    @discardableResult
    public func resumeSchedule(_ name: String) async throws -> Bool {
        let core = core
        return try await calls.ask { [loop] in
            core.value?.pauseSchedule(name, by: nil) ?? loop.makeSucceededFuture(false)
        }
    }

    /// Makes a job of the schedule now, also while it is paused. Returns its id; nil if the schedule's overlap skips it
    /// because an earlier job is unfinished. Throws `JobError.Code.invalidOption` if there is no such schedule.
    @discardableResult
    public func runSchedule(_ name: String) async throws -> JobID? {
        let core = core
        return try await calls.ask { [loop] in core.value?.runSchedule(name) ?? loop.makeSucceededFuture(nil) }
    }

    /// Pauses the jobs of that name at this distributor and its nodes: no run begins until they are resumed; current
    /// runs continue. Returns false if they are already paused.
    @discardableResult
    public func pauseJobs(named name: String) async throws -> Bool { try await pause(.job(name), true) }

    /// Resumes the jobs of that name. Returns false if they are not paused.
    @discardableResult
    public func resumeJobs(named name: String) async throws -> Bool { try await pause(.job(name), false) }

    /// Pauses the node of that name: no run begins there until it is resumed; current runs continue. Returns false if
    /// it is already paused.
    @discardableResult
    public func pauseNode(_ name: String) async throws -> Bool { try await pause(.node(name), true) }

    /// Resumes the node of that name. Returns false if it is not paused.
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
