internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// What `NODES` and `INFO` say.
extension DistributorCore {
    /// Names of jobs that `NODES` says of a node.
    static let mostNamesOfNode = 1000
    /// Names of waiting jobs that `INFO` says.
    static let mostNamesWaiting = 100

    func writeNodes(to buffer: inout ByteBuffer) {
        let nodes = nodes()
        buffer.writeRESPArray(count: nodes.count)
        for node in nodes {
            let fields: [(String, String)] = [
                ("name", node.name), ("address", node.address), ("durable", node.isDurable ? "1" : "0"),
                ("draining", node.isDraining ? "1" : "0"), ("window", "\(node.window)"), ("load", "\(node.load)"),
                ("storage_error", node.storageError ?? ""), ("paused", node.isPaused ? "1" : "0"),
                ("jobs_count", "\(node.jobs.count)"),
                ("jobs", node.jobs.prefix(Self.mostNamesOfNode).joined(separator: " ")),
            ]
            buffer.writeRESPCommand(fields.flatMap { [$0.0, $0.1] })
        }
    }

    /// The names with most jobs, and the others in one line, whose key no job can have. Where there are many it takes a while,
    /// and is not looked for again within a second, whoever asks.
    private var waitingFields: [(String, String)] {
        if let waitingShown, loop.now - waitingShown.at < .seconds(1) { return waitingShown.fields }
        let fields = makeWaitingFields()
        waitingShown = ledger.dispatcher.routeCount > 10_000 ? (fields, loop.now) : nil
        return fields
    }

    private func makeWaitingFields() -> [(String, String)] {
        let listed = waitingJobs(limit: Self.mostNamesWaiting)
        let others = ledger.dispatcher.waitingCount - listed.reduce(0) { $0 + $1.count }
        return listed.map { ($0.name, "count=\($0.count)" + ($0.isParked ? ",parked=no node defines it" : "")) }
            + (others > 0 ? [("jobs of other names", "count=\(others)")] : [])
    }

    func info(_ section: String?) -> String {
        let counters = ledger.counters
        return InfoText.make(
            section,
            [
                (
                    "Server",
                    [
                        ("jobreactor_version", JobReactorVersion.current), ("role", "distributor"), ("name", name),
                        ("id", identity),
                        ("tcp_port", "\(listener?.port ?? 0)"),
                        ("uptime_in_seconds", "\(Int(now.steady.seconds - startedAt.steady.seconds))"),
                        ("server_time_usec", "\(now.wall.microseconds)"),
                    ]
                ),
                (
                    "Clients",
                    (listener?.portGuard.infoFields ?? []) + [("producers", "\(producerCount)")]
                ),
                (
                    "Memory",
                    [
                        ("waiting_bytes", "\(ledger.entries.memory.total)"), ("max_memory", "\(memory.limit)"),
                        ("busy", isBusy ? "1" : "0"), ("paged_out", "\(ledger.paged.count)"),
                    ]
                ),
                (
                    "Jobs",
                    [
                        ("enqueued", "\(counters.enqueued)"), ("sent", "\(counters.sent)"),
                        ("succeeded", "\(counters.succeeded)"), ("failed", "\(counters.failed)"),
                        ("given_back", "\(counters.givenBack)"), ("repeated_reports", "\(counters.repeatedReports)"),
                        ("refused_reports", "\(counters.refusedReports)"),
                        ("unfinished", "\(ledger.count)"), ("waiting", "\(ledger.dispatcher.waitingCount)"),
                        ("kept_failed", "\(ledger.kept.count)"),
                        ("at_away_nodes", "\(ledger.entries.ownedCount(byOthersThan: ledger.nodes.names))"),
                        ("keys_held", "\(ledger.keys.count)"),
                    ]
                ),
                (
                    "Waiting",
                    waitingFields
                ),
                (
                    "Nodes",
                    nodes().map { ($0.name, "address=\($0.address),load=\($0.load),window=\($0.window)") }
                ),
            ])
    }

    /// A row for each limit that scripts define, name and value in turn.
    func writeLimits(to buffer: inout ByteBuffer) {
        let now = now
        let rows = ask { $0.limits.rows(at: now.steady) }
        buffer.writeRESPArray(count: rows.count)
        for row in rows {
            func text(_ value: Any?) -> String { value.map { "\($0)" } ?? "" }
            let free = row.nextFree.map { now.wall.advanced(byMicroseconds: $0.elapsed(since: now.steady)).seconds }
            buffer.writeRESPCommand([
                "name", row.limit.name, "concurrency", text(row.limit.concurrency), "rate", text(row.limit.rate),
                "per", row.limit.rate == nil ? "" : "\(row.limit.per)", "key", row.limit.key ?? "", "when_full",
                row.limit.whenFull.rawValue, "in_use", "\(row.inUse)", "waiting", "\(row.waiting)", "next_free",
                text(free), "keys", row.limit.key == nil ? "" : "\(row.keys)",
            ])
        }
    }
}
