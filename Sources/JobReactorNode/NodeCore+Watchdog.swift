internal import JobReactor
internal import JobReactorCore
internal import JobReactorLua
internal import Logging
internal import NIOCore

/// What watches over jobs that run long without a pause, while any runs.
struct Watchdog {
    var timer: Scheduled<Void>?
    /// The runs that the log has told of, by their numbers.
    var warned: Set<UInt64> = []
    /// A run hangs where Lua cannot be interrupted: the node takes no jobs.
    var isStuck = false
    var stuckJob: String?
}

/// A job that runs long without a pause holds up the reactor lane: the log says where it is, then it is interrupted. One that
/// hangs within C cannot be: then the distributors are told that this node defines nothing, and send what has not begun
/// elsewhere, until it comes back.
extension NodeCore {
    /// Seconds after the limit within which an interrupted run has ended, unless it hangs.
    private static let patience = 2.0

    private var isWatched: Bool { configuration.sliceWarning > 0 || configuration.sliceLimit > 0 }

    /// Looks after a while, if anything runs.
    func watchLanes() {
        guard isWatched, watchdog.timer == nil, life.state != .stopped else { return }
        guard NodeTurns.kinds.contains(where: runs.isBusy) || watchdog.isStuck else { return }
        let shortest = [configuration.sliceWarning, configuration.sliceLimit].filter { $0 > 0 }.min() ?? 1
        let delay = min(1, max(0.02, shortest / 2))
        watchdog.timer = loop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(delay * 1000))) {
            self.watchdog.timer = nil
            self.lookAtLanes()
        }
    }

    private func lookAtLanes() {
        guard let lane = lanes.first else { return }
        let slices = lane.lua.slices
        for slice in slices { look(at: slice, on: lane) }
        watchdog.warned.formIntersection(slices.map(\.number))
        let (limit, isStuck) = (configuration.sliceLimit, watchdog.isStuck)
        let stuck = limit > 0 ? slices.first { $0.seconds >= limit + Self.patience } : nil
        watchdog.isStuck = stuck != nil
        watchdog.stuckJob = stuck.map { "\($0.job.name) \($0.job.id)" }
        if let stuck, !isStuck { becomeUnhealthy(stuck) }
        if stuck == nil, isStuck { becomeHealthy() }
        // What pauses for long costs no looks: its lane is idle.
        if runs.runningCount(on: .reactor) > 0 || watchdog.isStuck || !slices.isEmpty { watchLanes() }
    }

    private func look(at slice: LuaLane.Slice, on lane: NodeLane) {
        let (warning, limit) = (configuration.sliceWarning, configuration.sliceLimit)
        if limit > 0, slice.seconds >= limit {
            lane.lua.end(slice)
        } else if warning > 0, slice.seconds >= warning, watchdog.warned.insert(slice.number).inserted {
            lane.lua.warn(slice)
        }
    }

    private func becomeUnhealthy(_ slice: LuaLane.Slice) {
        var metadata: Logger.Metadata = [
            "job": "\(slice.job.name)", "id": "\(slice.job.id)", "seconds": "\(Int(slice.seconds))",
        ]
        if configuration.logArgs { metadata["args"] = "\(slice.job.args.shortened)" }
        logger.critical(
            "a job hangs where it cannot be interrupted; until it ends this node takes no jobs: restart it if it does not",
            metadata: metadata)
        announceJobs()
        // A durable node owns what it has; of the others the distributors have copies.
        if !storage.isDurable { handBack(from: .reactor) }
    }

    private func becomeHealthy() {
        logger.notice("the job that hung has ended; this node takes jobs again")
        announceJobs()
        runReady()
    }

    /// What distributors may send here.
    var announcedJobs: [String] { watchdog.isStuck ? [] : runs.jobNames }

    /// Tells the distributors which jobs this node takes.
    func announceJobs() {
        for destination in destinations.all { destination.link?.sendJobs(announcedJobs) }
    }
}
