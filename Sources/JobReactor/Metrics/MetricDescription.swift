/// Every metric that a distributor, a node or a client emits, as the page "Metrics" has them: for backends that show a text
/// with each, which swift-metrics does not carry.
package struct MetricDescription: Hashable, Sendable {
    package enum Kind: String, Sendable {
        case counter
        case timer
        case gauge
    }

    package let name: String
    package let kind: Kind
    package let labels: [String]
    /// One sentence without its full stop.
    package let help: String

    private init(_ name: String, _ kind: Kind, _ labels: String..., help: String) {
        self.name = "jobreactor_" + name
        self.kind = kind
        self.labels = labels
        self.help = help
    }

    package static let all = client + distributor + node
    /// The text of each name.
    package static let helps = Dictionary(all.map { ($0.name, $0.help) }, uniquingKeysWith: { first, _ in first })

    private static let client = [
        Self("client_enqueued", .counter, "job", help: "Jobs that the application has enqueued"),
        Self("client_succeeded", .counter, "job", help: "Good runs, as the application has heard of them"),
        Self(
            "client_failed", .counter, "job",
            help: "Jobs of the application that have failed for good, or that the distributor cannot accept"),
        Self("client_cancelled", .counter, "job", help: "Jobs of the application that were cancelled"),
        Self(
            "client_total_time", .timer, "job",
            help: "From when a job was enqueued, or was due, to its outcome at the application"),
    ]

    private static let distributor = [
        Self(
            "distributor_enqueued", .counter, "job",
            help: "Jobs that arrived at the distributor, each id counted once"),
        Self("distributor_parked", .counter, "job", help: "Jobs that no connected node defined when they arrived"),
        Self("distributor_sent", .counter, "node", help: "Jobs sent to a node"),
        Self(
            "distributor_redelivered", .counter, "job",
            help: "Jobs that go to a node again, as the first gave them back or was lost"),
        Self(
            "distributor_reports", .counter, "node",
            help: "Outcomes that a node has reported, including repeated ones"),
        Self(
            "distributor_links_lost", .counter, "node",
            help: "Connections to a node that have ended, for whatever reason"),
        Self("distributor_succeeded", .counter, "job", help: "Good runs, as the distributor has heard of them"),
        Self(
            "distributor_failed", .counter, "job",
            help: "Jobs that have failed for good, as the distributor has heard of them"),
        Self(
            "distributor_cancelled", .counter, "job",
            help: "Jobs that were cancelled, as the distributor has heard of them"),
        Self("distributor_wrong_passwords", .counter, help: "Wrong passwords that have come to the port"),
        Self("distributor_storage_errors", .counter, "call", help: "Calls that the storage has refused"),
        Self(
            "distributor_storage_reconnects", .counter,
            help: "Connections to the server of the storage that were made again"),
        Self(
            "distributor_wait_time", .timer, "job",
            help: "From when a job was enqueued, or was due, until it was sent to a node"),
        Self(
            "distributor_total_time", .timer, "job",
            help: "From when a job was enqueued, or was due, to its outcome; not of a job that a"
                + " durable node has and nobody here waits for"),
        Self(
            "distributor_storage_time", .timer, "call",
            help: "How long the storage takes for a call, of one job or of many"),
        Self("distributor_unfinished", .gauge, help: "Unfinished jobs, as far as they are known at the distributor"),
        Self("distributor_waiting", .gauge, help: "Jobs that wait at the distributor for a node"),
        Self(
            "distributor_parked_jobs", .gauge,
            help: "Jobs that wait at the distributor and that no connected node defines"),
        Self("distributor_paged_out", .gauge, help: "Jobs that are in the storage alone until their turn comes"),
        Self("distributor_kept_failed", .gauge, help: "Records of failed jobs that the distributor keeps"),
        Self("distributor_nodes", .gauge, help: "Nodes that are connected"),
        Self("distributor_producers", .gauge, help: "Applications that are connected, or were a while ago"),
        Self("distributor_connections", .gauge, help: "Connections to the port"),
        Self("distributor_memory_bytes", .gauge, help: "What the jobs and outcomes that wait at the distributor take"),
        Self("distributor_memory_limit_bytes", .gauge, help: "What they may take"),
        Self("distributor_refusing", .gauge, help: "1 while jobs are refused, as those that wait take all they may"),
        Self(
            "distributor_storage_refuses", .gauge,
            help: "1 while the storage of the distributor refuses what it is given"),
        Self("distributor_late_ticks", .counter, help: "Ticks of schedules whose jobs did not begin in time"),
        Self("distributor_missed_ticks", .counter, help: "Ticks of schedules that are missed for good"),
        Self(
            "distributor_skipped_ticks", .counter,
            help: "Ticks of schedules that were left out, most for a job that was unfinished"),
        Self("distributor_limit_in_use", .gauge, "limit", help: "Places that runs have in a limit, of all its keys"),
        Self(
            "distributor_limit_waiting", .gauge, "limit",
            help: "Jobs that wait and need a place in the limit, here and at nodes"),
        Self(
            "distributor_limit_size", .gauge, "limit",
            help: "How many runs the limit lets be at once, of each key where it has one; 0 where it has only a rate"),
        Self("distributor_keys_held", .gauge, help: "Keys of unique jobs that are held"),
        Self("distributor_schedules", .gauge, help: "Schedules that are defined"),
        Self("distributor_schedules_paused", .gauge, help: "Schedules that are paused"),
        Self("distributor_schedules_late", .gauge, help: "Schedules of which a tick has not begun in time"),
        Self(
            "distributor_last_tick_late_seconds", .gauge,
            help: "By how many seconds that tick of a schedule was late that began last"),
    ]

    private static let node = [
        Self(
            "node_received", .counter, "node", "job",
            help: "Jobs that arrived at the node and are stored, each counted once"),
        Self("node_started", .counter, "node", "job", help: "Runs that have begun"),
        Self("node_succeeded", .counter, "node", "job", help: "Good runs"),
        Self("node_retried", .counter, "node", "job", help: "Runs that have failed and are tried again"),
        Self("node_failed", .counter, "node", "job", help: "Jobs that have failed for good"),
        Self("node_cancelled", .counter, "node", "job", help: "Jobs that were cancelled at the node"),
        Self("node_parked", .counter, "node", "job", help: "Jobs that no script defined any more when their turn came"),
        Self("node_enqueued", .counter, "node", "job", help: "Jobs that scripts have enqueued"),
        Self(
            "node_long_slices", .counter, "node", "job",
            help: "Runs that went on without a pause for longer than the setting slice_warning says"),
        Self(
            "node_interrupted_slices", .counter, "node", "job",
            help: "Runs that were interrupted, as they went on without a pause for longer than slice_limit says"),
        Self("node_reports", .counter, "node", help: "Outcomes for distributors"),
        Self(
            "node_links_lost", .counter, "node",
            help: "Connections to a distributor that have ended, for whatever reason"),
        Self(
            "node_reloads", .counter, "node", "outcome",
            help: "Loads of the scripts while the node ran: loaded, or failed where they could not be read"),
        Self("node_wrong_passwords", .counter, "node", help: "Wrong passwords that have come to the port of the node"),
        Self("node_storage_errors", .counter, "node", "call", help: "Calls that the storage of the node has refused"),
        Self(
            "node_storage_reconnects", .counter, "node",
            help: "Connections of the node to the server of its storage that were made again"),
        Self(
            "node_wait_time", .timer, "node", "job",
            help: "From when a job arrived at the node, or was due, until its run began"),
        Self(
            "node_late_time", .timer, "node", "job",
            help: "The same, of jobs that had to wait for their time alone: retries, and those with"
                + " after, run_at or period"),
        Self(
            "node_run_time", .timer, "node", "job",
            help: "From the beginning of a run to its end, with its suspensions and errbacks"),
        Self(
            "node_storage_time", .timer, "node", "call",
            help: "How long the storage of the node takes for a call, of one job or of many"),
        Self("node_delayed", .gauge, "node", help: "Jobs that wait at the node for their time"),
        Self("node_waiting", .gauge, "node", help: "Jobs that wait at the node for their turn"),
        Self("node_running", .gauge, "node", help: "Jobs that run and are not suspended"),
        Self("node_suspended", .gauge, "node", help: "Jobs that are suspended"),
        Self("node_parked_jobs", .gauge, "node", help: "Jobs at the node that no script defines any more"),
        Self("node_unreported", .gauge, "node", help: "Outcomes that a distributor has not taken yet"),
        Self(
            "node_full", .gauge, "node",
            help: "1 while as many jobs wait for their time as may, and no more are asked for"),
        Self("node_distributors", .gauge, "node", help: "Distributors that the node is linked to"),
        Self("node_connections", .gauge, "node", help: "Connections to the port of the node"),
        Self("node_broken_scripts", .gauge, "node", help: "Files that cannot be loaded as they are"),
        Self("node_script_generation", .gauge, "node", help: "How often the scripts were loaded"),
        Self(
            "node_stuck", .gauge, "node",
            help: "1 while a job hangs where it cannot be interrupted, and the node takes no jobs"),
        Self("node_storage_refuses", .gauge, "node", help: "1 while the storage of the node refuses what it is given"),
        Self("node_lua_memory_bytes", .gauge, "node", help: "What all Lua states and shared take"),
        Self("node_lua_memory_limit_bytes", .gauge, "node", help: "What they may take; 0 for no limit"),
        Self("node_shared_memory_bytes", .gauge, "node", help: "What shared takes of it"),
    ]
}
