internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// What backends for metrics get.
extension DistributorCore {
    func makeGauges(_ backend: MetricsBackend) -> LiveGauges {
        func reading(_ name: String, _ read: @escaping (DistributorCore) -> Int) -> LiveGauges.Reading {
            ("jobreactor_distributor_" + name, { [weak self] in self.map(read) ?? 0 })
        }
        let readings = [
            reading("unfinished") { core in core.ask { $0.count } },
            reading("waiting") { core in core.ask { $0.dispatcher.waitingCount } },
            reading("parked_jobs") { $0.parkedCount },
            reading("paged_out") { core in core.ask { $0.paged.count } },
            reading("kept_failed") { core in core.ask { $0.kept.count } },
            reading("nodes") { $0.links.values.count },
            reading("producers") { $0.producerCount },
            reading("connections") { $0.listener?.connectionCount ?? 0 },
            reading("memory_bytes") { core in core.ask { $0.entries.memory.total } },
            reading("memory_limit_bytes") { $0.memory.limit },
            reading("refusing") { $0.isBusy ? 1 : 0 },
            reading("storage_refuses") { $0.keeper?.isRefusing == true ? 1 : 0 },
            reading("keys_held") { core in core.ask { $0.keys.count } },
            reading("schedules") { $0.schedules.count },
            reading("schedules_paused") { $0.schedules.pausedCount },
            reading("schedules_late") { $0.schedules.lateCount },
            reading("last_tick_late_seconds") { $0.tickCounts.lastLateness },
        ]
        let server = configuration.storage as? any ConnectedStorage
        let counts = [
            reading("wrong_passwords") { $0.listener?.portGuard.wrongPasswordCount ?? 0 },
            reading("storage_reconnects") { _ in server?.reconnectCount ?? 0 },
            reading("late_ticks") { $0.tickCounts.late },
            reading("missed_ticks") { $0.tickCounts.missed },
            reading("skipped_ticks") { $0.tickCounts.skipped },
        ]
        let limits = LimitGauges(backend)
        return LiveGauges(
            readings, counts: counts,
            others: { [weak self] in self.map { core in limits.set(core.ask { $0.limits.totals }) } ?? false },
            backend, on: loop)
    }

    /// What has happened to ticks of schedules since the start.
    struct TickCounts {
        var late = 0
        var missed = 0
        var skipped = 0
        /// By how many seconds that one was late that began last.
        var lastLateness = 0
    }

    /// How many jobs wait that no connected node defines. Where there are many routes it is counted now and then.
    private var parkedCount: Int {
        if let parkedShown, loop.now - parkedShown.at < .seconds(10) { return parkedShown.count }
        let count = ask { $0.dispatcher.parkedCount }
        parkedShown = ledger.dispatcher.routeCount > 10_000 ? (count, loop.now) : nil
        return count
    }
}
