internal import JobReactor
internal import JobReactorCore
internal import JobReactorLua
internal import Logging
internal import NIOCore

/// What watches over what runs long without a pause, while anything runs.
struct Watchdog {
    var timer: Scheduled<Void>?
    /// The runs that were asked for their places, by their numbers: those that are in Lua say them in the log.
    var asked: Set<UInt64> = []
    /// Those of them that did not answer, as they are in C, and those of which the log has told.
    var silent: Set<UInt64> = []
    var told: Set<UInt64> = []
    /// Those that are interrupted.
    var ended: Set<UInt64> = []
    /// The chores that the log has told of, by their numbers.
    var toldChores: Set<UInt64> = []
    /// A run was asked a moment ago.
    var awaitsAnswer = false
    /// A run hangs where Lua cannot be interrupted: the node takes no jobs.
    var isStuck = false
    var stuckJob: String?
}

/// A job that runs long without a pause holds up the reactor lane: the log says where it is, then it is interrupted. One that
/// hangs within C cannot be: the log says so, too, and after a while the distributors are told that this node defines nothing,
/// and send what has not begun elsewhere, until it comes back.
extension NodeCore {
    /// Seconds after the limit within which an interrupted run has ended, unless it hangs.
    private static let patience = 2.0
    /// Seconds within which a run has come to its next Lua instruction, unless it is within C.
    private static let answerTime = 0.05

    private var isWatched: Bool { configuration.sliceWarning > 0 || configuration.sliceLimit > 0 }

    /// Whether anything runs that may take long.
    private var hasWork: Bool {
        NodeTurns.kinds.contains(where: runs.isBusy) || watchdog.isStuck || hasChores
    }

    /// Whether scripts are loaded or states closed.
    private var hasChores: Bool {
        reloading.current != nil || life.state == .loading || lanes.contains { !$0.lua.chores.isEmpty }
    }

    /// Looks after a while, if anything runs.
    func watchLanes() {
        guard isWatched, watchdog.timer == nil, life.state != .stopped, hasWork else { return }
        let shortest = [configuration.sliceWarning, configuration.sliceLimit].filter { $0 > 0 }.min() ?? 1
        let delay = watchdog.awaitsAnswer ? Self.answerTime : min(1, max(0.02, shortest / 2))
        watchdog.awaitsAnswer = false
        watchdog.timer = loop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(delay * 1000))) {
            self.watchdog.timer = nil
            self.lookAtLanes()
        }
    }

    private func lookAtLanes() {
        guard let lane = lanes.first else { return watchLanes() }
        lookAtChores()
        let slices = lane.lua.slices
        for slice in slices { look(at: slice, on: lane) }
        let running = Set(slices.map(\.number))
        watchdog.asked.formIntersection(running)
        watchdog.silent.formIntersection(running)
        watchdog.told.formIntersection(running)
        watchdog.ended.formIntersection(running)
        let (limit, isStuck) = (configuration.sliceLimit, watchdog.isStuck)
        let stuck = limit > 0 ? slices.first { $0.seconds >= limit + Self.patience } : nil
        watchdog.isStuck = stuck != nil
        watchdog.stuckJob = stuck.map { "\($0.job.name) \($0.job.id)" }
        if let stuck, !isStuck { becomeUnhealthy(stuck) }
        if stuck == nil, isStuck { becomeHealthy() }
        // What pauses for long costs no looks: its lane is idle.
        if runs.runningCount(on: .reactor) > 0 || watchdog.isStuck || !slices.isEmpty || hasChores { watchLanes() }
    }

    private func look(at slice: LuaLane.Slice, on lane: NodeLane) {
        let (warning, limit) = (configuration.sliceWarning, configuration.sliceLimit)
        if warning > 0, slice.seconds >= warning {
            if watchdog.asked.insert(slice.number).inserted {
                lane.lua.warn(slice)
                watchdog.awaitsAnswer = true
                metrics?.ranLong(slice.job.name)
            } else if slice.isSilent, !watchdog.told.contains(slice.number) {
                // Without a call that is known it may have had no processor: then it is looked at once more.
                let isSure = !watchdog.silent.insert(slice.number).inserted || slice.call != nil
                if isSure { tell(of: slice) }
            }
            // It cannot always be seen where it is.
            if slice.isSilent, slice.place == nil { lane.lua.warn(slice) }
        }
        if limit > 0, slice.seconds >= limit {
            if watchdog.ended.insert(slice.number).inserted { metrics?.interrupted(slice.job.name) }
            lane.lua.end(slice)
        }
    }

    /// A run is within C, where nobody can interrupt it.
    private func tell(of slice: LuaLane.Slice) {
        watchdog.told.insert(slice.number)
        logger.warning(
            "a job blocks the others of its lane in C, where it cannot be interrupted",
            metadata: metadata(of: slice))
    }

    private func metadata(of slice: LuaLane.Slice) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "job": "\(slice.job.name)", "id": "\(slice.job.id)", "seconds": "\(Self.tenths(slice.seconds))",
            "waiting": "\(max(0, runs.runningCount(on: .reactor) - 1) + runs.readyCount)",
        ]
        if let place = slice.place { metadata["at"] = "\(place)" }
        return metadata
    }

    private static func tenths(_ seconds: Double) -> Double { (seconds * 10).rounded() / 10 }

    /// Scripts that are long in loading, and states that are long in closing.
    private func lookAtChores() {
        let chores = lanes.flatMap { $0.lua.chores }
        let warning = configuration.sliceWarning
        for chore in chores where warning > 0 && chore.seconds >= warning {
            guard chore.kind != .abandoned, watchdog.toldChores.insert(chore.number).inserted else { continue }
            var metadata: Logger.Metadata = ["seconds": "\(Self.tenths(chore.seconds))"]
            if let script = chore.script { metadata["script"] = "\(script)" }
            if let call = chore.call { metadata["at"] = "\(call)" }
            logger.warning(
                chore.kind == .closing
                    ? "finalizers (__gc) of scripts that are no longer used take long"
                    : "scripts take long while they are loaded", metadata: metadata)
        }
        watchdog.toldChores.formIntersection(chores.map(\.number))
    }

    /// What has run for longer than the log waits before it says so, in words.
    var longWork: [String] {
        let least = configuration.sliceWarning > 0 ? configuration.sliceWarning : 1
        func words(_ what: String, _ seconds: Double, _ call: String?) -> String {
            "\(what), \(Self.tenths(seconds)) s" + (call.map { ", \($0)" } ?? "")
        }
        let slices = lanes.flatMap { $0.lua.slices }.filter { $0.seconds >= least }
        let chores = lanes.flatMap { $0.lua.chores }.filter { $0.seconds >= least }
        return slices.map { words("job \($0.job.name) \($0.job.id)", $0.seconds, $0.place) }
            + chores.map { chore in
                let what =
                    switch chore.kind {
                    case .loading: "loading \(chore.script ?? "scripts")"
                    case .abandoned: "left out \(chore.script ?? "scripts")"
                    case .closing: "closing scripts"
                    }
                return words(what, chore.seconds, chore.call)
            }
    }

    private func becomeUnhealthy(_ slice: LuaLane.Slice) {
        var metadata = metadata(of: slice)
        if configuration.logArgs { metadata["args"] = "\(slice.job.args.shortened)" }
        logger.critical(
            "a job hangs in C and cannot be interrupted; until it ends, this node takes no jobs: restart the node if it does not end",
            metadata: metadata)
        announceJobs()
        gauges?.noteChange()
        // A durable node owns what it has; of the others the distributors have copies.
        if !storage.isDurable { handBack(from: .reactor) }
    }

    private func becomeHealthy() {
        logger.notice("the hanging job has ended; this node takes jobs again")
        announceJobs()
        runReady()
    }

    /// What distributors may send here.
    var announcedJobs: [String] { watchdog.isStuck ? [] : runs.jobNames }

    /// What the scripts say of when jobs run, also of jobs that are not taken now.
    var definitions: NodeDefinitions { scripts?.nodeDefinitions ?? NodeDefinitions() }

    /// Tells the distributors which jobs this node takes.
    func announceJobs() {
        for destination in destinations.all { destination.link?.sendJobs(announcedJobs, definitions) }
    }
}
