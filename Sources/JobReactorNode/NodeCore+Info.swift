internal import JobReactor
internal import JobReactorCore
internal import JobReactorLua
internal import JobReactorWire
internal import NIOCore

/// What `INFO` says of a node.
extension NodeCore {
    func info(_ section: String?) -> String {
        InfoText.make(
            section,
            [
                ("Server", server), ("Health", healthFields), ("Busy", busy), ("Memory", memoryFields),
                ("Clients", connections),
                ("Jobs", jobs),
                ("Distributors", linkedDistributors.enumerated().map { ("distributor\($0.offset)", $0.element) }),
                ("Scripts", scriptFields), ("Broken", brokenFiles), ("Problems", problems),
            ])
    }

    /// For ``Node/health()``.
    var health: ServiceHealth {
        if life.isStopping { return ServiceHealth(hindrances: ["it stops"]) }
        guard life.hasStarted else { return .starting }
        var health = ServiceHealth()
        if watchdog.isStuck { health.faults.append("a job hangs in C and cannot be interrupted") }
        if !life.ownsJobs { health.hindrances.append("its storage is being opened again") }
        if storageHealth.isRefusing { health.hindrances.append("its storage refuses") }
        if runs.jobNames.isEmpty { health.hindrances.append("no script defines a job") }
        if !configuration.distributors.isEmpty, destinations.all.allSatisfy({ $0.link == nil }) {
            health.hindrances.append("it is linked to no distributor")
        }
        return health
    }

    private var server: [(String, String)] {
        [
            ("jobreactor_version", JobReactorVersion.current), ("role", "node"), ("name", configuration.name),
            ("id", instance), ("tcp_port", "\(port ?? 0)"),
            ("uptime_in_seconds", "\(Int(now.steady.seconds - startedAt.steady.seconds))"),
            ("server_time_usec", "\(now.wall.microseconds)"),
        ]
    }

    private var connections: [(String, String)] { listener?.portGuard.infoFields ?? [("connected_clients", "0")] }

    private var healthFields: [(String, String)] {
        [
            ("healthy", watchdog.isStuck || storageHealth.isRefusing ? "0" : "1"),
            ("stuck_job", watchdog.stuckJob ?? ""), ("storage_error", storageHealth.error?.message ?? ""),
        ]
    }

    private var memoryFields: [(String, String)] {
        [
            ("lua_memory", "\(memory.used)"), ("lua_memory_limit", "\(memory.limit)"),
            ("shared_memory", "\(shared.bytes)"), ("shared_keys", "\(shared.count)"),
        ]
    }

    /// What has run for long without a pause, of jobs and beside them.
    private var busy: [(String, String)] { longWork.enumerated().map { ("busy\($0.offset)", $0.element) } }

    private var jobs: [(String, String)] {
        [
            ("received", "\(runs.counters.received)"), ("succeeded", "\(runs.counters.succeeded)"),
            ("failed_runs", "\(runs.counters.failedRuns)"), ("failed", "\(runs.counters.failed)"),
            ("cancelled", "\(runs.counters.cancelled)"), ("running", "\(runs.runningCount)"),
            ("suspended", "\(runs.suspendedCount)"), ("ready", "\(runs.readyCount)"),
            ("waiting", "\(runs.waitingCount)"), ("most_waiting", "\(mostWaiting)"), ("full", isFull ? "1" : "0"),
            ("parked", "\(runs.parkedCount)"), ("paused", runs.holds.isNode ? "1" : "0"),
            ("paused_jobs", runs.holds.jobs.sorted().joined(separator: " ")),
            ("paused_by", runs.holds.distributors.joined(separator: " ")),
            ("waiting_for_away", waitingForAway.map { "\($0.distributor)=\($0.count)" }.joined(separator: " ")),
            ("unreported", "\(unreportedCount)"),
        ]
    }

    /// Which generation runs, and since when.
    private var scriptFields: [(String, String)] {
        [
            ("generation", "\(scripts?.generation ?? 0)"),
            ("states", "\(lanes.reduce(0) { $0 + $1.lua.stateCount })"),
            ("loaded_at", "\(Int(reloading.loadedAt.wall.seconds))"),
            ("loaded_before_seconds", "\(Int(now.steady.seconds - reloading.loadedAt.steady.seconds))"),
            ("watched", reloading.watch == nil ? "0" : "1"), ("files", "\(scripts?.fileCount ?? 0)"),
            ("jobs", "\(runs.jobNames.count)"), ("problems", "\(scripts?.problems.count ?? 0)"),
        ]
    }

    private var brokenFiles: [(String, String)] {
        (scripts?.broken ?? []).enumerated().map { index, broken in
            let since = broken.usedSince.map { "version of \($0.clockText) in use" } ?? "not in use"
            return ("broken\(index)", "\(since): \(broken.reason)")
        }
    }

    private var problems: [(String, String)] {
        (scripts?.problems ?? []).enumerated().map { index, problem in
            // Without its traceback: one line each.
            ("problem\(index)", String(problem.message.prefix { $0 != "\n" }))
        }
    }

    // MARK: Looking

    var linkedDistributors: [String] { destinations.all.compactMap { $0.link?.connection.peer }.sorted() }
    var unreportedCount: Int { destinations.all.reduce(0) { $0 + $1.delivery.reportCount } }

    func load(_ id: JobID, _ done: @escaping (Result<Job?, StorageError>) -> Void) {
        let bound = NIOLoopBound(done, eventLoop: loop)
        storage.load(id) { result in bound.eventLoop.runOrExecute { bound.value(result) } }
    }
}
