/// All metrics of distributors, nodes and clients, as on the page "Metrics", for backends that show a text with each
/// metric; swift-metrics has no texts.
package struct MetricDescription: Hashable, Sendable {
    package enum Kind: String, Sendable {
        case counter
        case timer
        case gauge
    }

    package let name: String
    package let kind: Kind
    package let labels: [String]
    /// One sentence without a full stop.
    package let help: String

    private init(_ name: String, _ kind: Kind, _ labels: String..., help: String) {
        self.name = "jobreactor_" + name
        self.kind = kind
        self.labels = labels
        self.help = help
    }

    package static let all = client + distributor + node
    /// The texts by name.
    package static let helps = Dictionary(all.map { ($0.name, $0.help) }, uniquingKeysWith: { first, _ in first })

    private static let client = [
        Self("client_enqueued", .counter, "job", help: "Jobs enqueued by the application"),
        Self("client_succeeded", .counter, "job", help: "Successful runs, as known to the application"),
        Self(
            "client_failed", .counter, "job",
            help: "Jobs of the application that have failed for good, or that the distributor cannot accept"),
        Self("client_cancelled", .counter, "job", help: "Jobs of the application that were cancelled"),
        Self(
            "client_total_time", .timer, "job",
            help: "Time from when a job was enqueued or due to its outcome at the application"),
    ]

    private static let distributor = [
        Self(
            "distributor_enqueued", .counter, "job",
            help: "Jobs that arrived at the distributor, each id counted once"),
        Self("distributor_parked", .counter, "job", help: "Jobs that no connected node defined when they arrived"),
        Self("distributor_sent", .counter, "node", help: "Jobs sent to a node"),
        Self(
            "distributor_redelivered", .counter, "job",
            help: "Jobs sent to a node again because the first returned them or was lost"),
        Self(
            "distributor_reports", .counter, "node",
            help: "Outcomes reported by a node, including repeated ones"),
        Self(
            "distributor_links_lost", .counter, "node",
            help: "Connections to a node that have ended, for any reason"),
        Self("distributor_succeeded", .counter, "job", help: "Successful runs, as known to the distributor"),
        Self(
            "distributor_failed", .counter, "job",
            help: "Jobs that have failed for good, as known to the distributor"),
        Self(
            "distributor_cancelled", .counter, "job",
            help: "Jobs that were cancelled, as known to the distributor"),
        Self("distributor_wrong_passwords", .counter, help: "Wrong passwords received at the port"),
        Self("distributor_storage_errors", .counter, "call", help: "Calls refused by the storage"),
        Self(
            "distributor_storage_reconnects", .counter,
            help: "Reconnects to the server of the storage"),
        Self(
            "distributor_wait_time", .timer, "job",
            help: "Time from when a job was enqueued or due until it was sent to a node"),
        Self(
            "distributor_total_time", .timer, "job",
            help: "Time from when a job was enqueued or due to its outcome, except jobs of durable nodes"
                + " whose outcome nobody here waits for"),
        Self(
            "distributor_storage_time", .timer, "call",
            help: "Duration of a storage call, for one job or many"),
        Self("distributor_unfinished", .gauge, help: "Unfinished jobs that the distributor knows"),
        Self("distributor_waiting", .gauge, help: "Jobs that wait at the distributor for a node"),
        Self(
            "distributor_parked_jobs", .gauge,
            help: "Jobs that wait at the distributor because no connected node defines them"),
        Self("distributor_paged_out", .gauge, help: "Jobs that are only in the storage until their turn comes"),
        Self("distributor_kept_failed", .gauge, help: "Records of failed jobs kept by the distributor"),
        Self("distributor_nodes", .gauge, help: "Connected nodes"),
        Self("distributor_producers", .gauge, help: "Applications that are or recently were connected"),
        Self("distributor_connections", .gauge, help: "Connections to the port"),
        Self("distributor_memory_bytes", .gauge, help: "Memory of the jobs and outcomes that wait at the distributor"),
        Self("distributor_memory_limit_bytes", .gauge, help: "The limit of that memory"),
        Self("distributor_refusing", .gauge, help: "1 while jobs are refused because waiting jobs use all memory"),
        Self(
            "distributor_storage_refuses", .gauge,
            help: "1 while the storage of the distributor refuses to store"),
        Self("distributor_late_ticks", .counter, help: "Ticks of schedules whose jobs did not begin in time"),
        Self(
            "distributor_missed_ticks", .counter,
            help: "Ticks of schedules that were dropped because they were too late"),
        Self(
            "distributor_skipped_ticks", .counter,
            help: "Ticks of schedules that were skipped, usually because an earlier job was unfinished"),
        Self("distributor_limit_in_use", .gauge, "limit", help: "Places of the limit in use by runs, for all its keys"),
        Self(
            "distributor_limit_waiting", .gauge, "limit",
            help: "Jobs that wait for a place in the limit, here and at nodes"),
        Self(
            "distributor_limit_size", .gauge, "limit",
            help: "Concurrent runs that the limit allows, for each key if it has one; 0 if it has only a rate"),
        Self("distributor_keys_held", .gauge, help: "Unique keys that jobs hold"),
        Self("distributor_schedules", .gauge, help: "Defined schedules"),
        Self("distributor_schedules_paused", .gauge, help: "Paused schedules"),
        Self("distributor_schedules_late", .gauge, help: "Schedules with a tick that has not begun in time"),
        Self(
            "distributor_last_tick_late_seconds", .gauge,
            help: "Lateness in seconds of the last tick that began"),
    ]

    private static let node = [
        Self(
            "node_received", .counter, "node", "job",
            help: "Jobs received and stored by the node, each counted once"),
        Self("node_started", .counter, "node", "job", help: "Runs that have begun"),
        Self("node_succeeded", .counter, "node", "job", help: "Successful runs"),
        Self("node_retried", .counter, "node", "job", help: "Runs that have failed and are tried again"),
        Self("node_failed", .counter, "node", "job", help: "Jobs that have failed for good"),
        Self("node_cancelled", .counter, "node", "job", help: "Jobs that were cancelled at the node"),
        Self("node_parked", .counter, "node", "job", help: "Jobs that no script defined any more when their turn came"),
        Self("node_enqueued", .counter, "node", "job", help: "Jobs enqueued by scripts"),
        Self(
            "node_long_slices", .counter, "node", "job",
            help: "Runs without suspension for longer than the setting slice_warning"),
        Self(
            "node_interrupted_slices", .counter, "node", "job",
            help: "Runs interrupted because they had no suspension for longer than slice_limit"),
        Self("node_reports", .counter, "node", help: "Outcomes for distributors"),
        Self(
            "node_links_lost", .counter, "node",
            help: "Connections to a distributor that have ended, for any reason"),
        Self(
            "node_reloads", .counter, "node", "outcome",
            help: "Reloads of the scripts: loaded, or failed if they could not be read"),
        Self("node_wrong_passwords", .counter, "node", help: "Wrong passwords received at the port of the node"),
        Self("node_storage_errors", .counter, "node", "call", help: "Calls refused by the storage of the node"),
        Self(
            "node_storage_reconnects", .counter, "node",
            help: "Reconnects of the node to the server of its storage"),
        Self(
            "node_wait_time", .timer, "node", "job",
            help: "Time from when a job arrived at the node or was due until its run began"),
        Self(
            "node_late_time", .timer, "node", "job",
            help: "The same, only for jobs that waited for their due time: retries, and jobs with"
                + " after, run_at or period"),
        Self(
            "node_run_time", .timer, "node", "job",
            help: "Duration of a run, with its suspensions and errbacks"),
        Self(
            "node_storage_time", .timer, "node", "call",
            help: "Duration of a call of the node's storage, for one job or many"),
        Self("node_delayed", .gauge, "node", help: "Jobs that wait at the node for their due time"),
        Self("node_waiting", .gauge, "node", help: "Jobs that wait at the node for their turn"),
        Self("node_running", .gauge, "node", help: "Jobs that run and are not suspended"),
        Self("node_suspended", .gauge, "node", help: "Jobs that are suspended"),
        Self("node_parked_jobs", .gauge, "node", help: "Jobs at the node that no script defines any more"),
        Self("node_unreported", .gauge, "node", help: "Outcomes that a distributor has not taken yet"),
        Self(
            "node_full", .gauge, "node",
            help: "1 while the jobs that wait for their due time use all their memory"),
        Self("node_distributors", .gauge, "node", help: "Distributors linked to the node"),
        Self("node_connections", .gauge, "node", help: "Connections to the port of the node"),
        Self("node_broken_scripts", .gauge, "node", help: "Files that could not be loaded"),
        Self("node_script_generation", .gauge, "node", help: "Number of times the scripts were loaded"),
        Self(
            "node_stuck", .gauge, "node",
            help: "1 while a job hangs in C and the node takes no jobs"),
        Self("node_storage_refuses", .gauge, "node", help: "1 while the storage of the node refuses to store"),
        Self("node_lua_memory_bytes", .gauge, "node", help: "Memory of all Lua states and shared"),
        Self("node_lua_memory_limit_bytes", .gauge, "node", help: "The limit of that memory; 0 for no limit"),
        Self("node_shared_memory_bytes", .gauge, "node", help: "Memory of shared alone"),
    ]
}
