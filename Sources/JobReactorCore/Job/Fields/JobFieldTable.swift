/// Every field of the record of a job, once, in the order in which `JOB` shows them.
///
/// `args.job_itself`, `JOB`, the output of `jobreactor jobs`, `Codable`, new columns of SQLite files and the checks of
/// storages are made of this table. What is written by hand, as each job passes it, is compared with it by tests: the
/// record on the wire and the rows of SQLite. So are `JobInfo` and the pages.
package struct JobFieldTable: Sendable {
    // MARK: What every job has

    let id = JobField.always("id", .id, seen: [.shown, .scripts], "32 hexadecimal digits, in order of time") {
        $0.id
    }
    let name = JobField.always("name", .name, seen: [.shown, .scripts], "the job's name, which a script defines") {
        $0.name
    }
    let args = JobField.always(
        "args", .object, seen: .shown, "its args, as stored: without what a current run has changed"
    ) {
        $0.args
    } set: {
        $0.args = $1
    }.showing { job in
        // Bytes that are no UTF-8 take more as text.
        let text = job.args.description
        let isShown = text.utf8.count <= JobLimits.argsBytes + JobLimits.addedBytes
        return .text(isShown ? text : job.args.shortened)
    }
    let status = JobField.always(
        "status", .choice(JobStatus.allCases.map(\.rawValue)), seen: [.shown, .scripts],
        "`new`, `queued`, `in progress`, `error` (a step failed, its errbacks run), `complete`, `failed` or `cancelled`"
    ) {
        $0.status
    } set: {
        $0.status = $1
    }
    let attempt = JobField.always(
        "attempt", .whole(0...Int(Int32.max)), seen: [.shown, .scripts],
        "runs begun since the last good one of a periodic job, or in all"
    ) {
        $0.attempt
    } set: {
        $0.attempt = $1
    }
    let runs = JobField.always("runs", .whole(0...Int(Int32.max)), "runs begun in all") {
        $0.runs
    } set: {
        $0.runs = $1
    }
    let isDeferred = JobField.always(
        "defer", .flag, seen: [.shown, .scripts], "whether it runs on a thread beside the reactor lane"
    ) {
        $0.isDeferred
    } set: {
        $0.isDeferred = $1
    }
    let distributor = JobField.always(
        "distributor", .name, seen: [.shown, .scripts],
        "the name of the distributor that sent it, and that gets its outcome"
    ) {
        $0.distributor
    } set: {
        $0.distributor = $1
    }

    // MARK: When it runs

    let dueAt = JobField.always("due_at", .time, seen: .shown, "when it is to run next") {
        $0.dueAt
    } set: {
        $0.dueAt = $1
    }
    let runAt = JobField.ifSet("run_at", .time, seen: [.shown, .scripts], since: 1, "when its last run began") {
        $0.runAt
    } set: {
        $0.runAt = $1
    }
    let period = JobField.ifSet(
        "period", .secondsAboveZero, seen: [.shown, .scripts], since: 1,
        "from the end of one run to the next, of a periodic job"
    ) {
        $0.period
    } set: {
        $0.period = $1
    }
    let makeAfter = JobField.ifSet(
        "make_after", .seconds, seen: [.shown, .scripts], since: 1, "the wait from the last save to the next run"
    ) {
        $0.makeAfter
    } set: {
        $0.makeAfter = $1
    }

    // MARK: What its producer has set

    let node = JobField.ifSet(
        "node", .name, seen: [.shown, .scripts], since: 1,
        "the node that it prefers; to a script, the node that runs it"
    ) {
        $0.node
    } set: {
        $0.node = $1
    }.showingScripts { _, node in .text(node) }
    let notNode = JobField.ifSet("not_node", .name, seen: .shown, since: 1, "the node that must not run it") {
        $0.notNode
    } set: {
        $0.notNode = $1
    }
    let maxAttempt = JobField.ifSet(
        "max_attempt", .whole(1...JobLimits.attempts), seen: .shown, since: 1,
        "attempts in all, when the producer set it"
    ) {
        $0.maxAttempt
    } set: {
        $0.maxAttempt = $1
    }
    let retryMultiplier = JobField.ifSet(
        "retry_multiplier", .seconds, seen: .shown, since: 1,
        "by how much the wait grows from one retry to the next, when the producer set it"
    ) {
        $0.retryMultiplier
    } set: {
        $0.retryMultiplier = $1
    }
    let priority = JobField.ifSet(
        "priority", .whole(JobPriority.range), seen: .shown, since: 4,
        "from 0 (last) to 9 (first), when the producer set it"
    ) {
        $0.priority
    } set: {
        $0.priority = $1
    }
    let unique = JobField.ifSet("unique", .key, seen: .shown, since: 4, column: "unique_key", "the key that it holds") {
        $0.unique?.key
    } set: {
        $0.unique = JobUnique($1)
    }
    let uniqueUntil = JobField.unstored("unique_until", .time, seen: .shown, "until when it holds the key at least") {
        $0.unique?.heldUntil
    }
    let uniqueFor = JobField.ifSet(
        "unique_for", .seconds, since: 4, of: "unique", "for how long it holds the key at least"
    ) {
        $0.unique?.seconds
    } set: {
        $0.unique?.seconds = $1
    }
    let onConflict = JobField.ifSet(
        "on_conflict", .choice(UniqueConflict.allCases.map(\.rawValue)), since: 4, of: "unique",
        "what became of it where another held the key"
    ) {
        $0.unique?.onConflict
    } set: {
        $0.unique?.onConflict = $1
    }
    let acceptedAt = JobField.ifSet("accepted_at", .time, since: 4, of: "unique", "since when it holds the key") {
        $0.unique?.acceptedAt
    } set: {
        $0.unique?.acceptedAt = $1
    }

    // MARK: Where it comes from, and what follows it

    let schedule = JobField.ifSet("schedule", .name, seen: .shown, since: 4, "the schedule that it comes of") {
        $0.tick?.schedule
    } set: {
        $0.tick = JobTick(schedule: $1, at: Timestamp(microseconds: 0))
    }
    let tick = JobField.ifSet(
        "tick", .time, seen: .shown, since: 4, of: "schedule", "the time at which the schedule was due"
    ) {
        $0.tick?.at
    } set: {
        $0.tick?.at = $1
    }
    let again = JobField.ifSet(
        "again", .object, seen: .shown, since: 4, "the args of one more run that follows the one under way"
    ) {
        $0.again
    } set: {
        $0.again = $1
    }.showing(as: .text) { $0.again.map { .text($0.shortened) } }

    // MARK: What has come of it so far

    let failedAt = JobField.ifSet("failed_at", .time, seen: [.shown, .scripts], since: 1, "when a run last failed") {
        $0.failedAt
    } set: {
        $0.failedAt = $1
    }
    let lastError = JobField.ifSet(
        "last_error", .text, seen: [.shown, .scripts], since: 1,
        "why a run last failed; the error of an errback that failed too is on a line of its own"
    ) {
        $0.lastError
    } set: {
        $0.lastError = $1
    }.showingScripts { job, _ in job.lastError.map { .text($0.cut(toBytes: JobLimits.argsTextBytes)) } }
    let lastTraceback = JobField.ifSet(
        "traceback", .text, seen: .shown, since: 1, "where a run last failed, as Lua says it"
    ) {
        $0.lastTraceback
    } set: {
        $0.lastTraceback = $1
    }
    let doing = JobField.unstored(
        "doing", .text, seen: [.records, .shown],
        """
        of a job on its node's lane: `running for 12.3 s, jobs.lua:3 in os.execute`, `paused`, or `waiting` and for \
        what
        """
    ) {
        $0.doing
    } set: {
        $0.doing = $1
    }
    /// Whatever is no trace is none: the job runs.
    let trace = JobField.ifSet(
        "trace", .trace, seen: .shown, since: 3, "the span that it comes from, where its producer traces"
    ) {
        $0.trace.map { JobArguments(unchecked: Array($0.json.utf8)) }
    } set: {
        $0.trace = JobTrace(json: $1.bytes)
    }

    // MARK: What is made of others

    let onSuccess = JobField.unstored(
        "on_success", .id, seen: [.shown, .scripts], "what its success feedback is found by: its id"
    ) {
        $0.id
    }
    let onError = JobField.unstored(
        "on_error", .id, seen: [.shown, .scripts], "what its error feedback is found by: its id"
    ) {
        $0.id
    }
    let waitsFor = JobField.added(
        "waits_for", .text, by: .answers,
        """
        what it waits for beside its time: `no node defines it: did you mean 'greet'?`, `all 3 nodes that define it are \
        full`
        """)
    let onNode = JobField.added("on_node", .name, by: .answers, "the node that has it, of a job that is at one")
    let madeAt = JobField.added("made_at", .time, by: .program, "when it was made; `jobreactor jobs` alone has it")
    let runTime = JobField.added(
        "run_time", .seconds, by: .program, "how long its last run took; `jobreactor jobs` alone has it")

    // MARK: Parts of it

    static let standard = JobFieldTable()

    /// In the order above.
    package static let all: [JobField] = Mirror(reflecting: standard).children.compactMap { $0.value as? JobField }

    /// What every storage keeps.
    package static let stored = all.filter { $0.places.contains(.storages) }

    /// What `JOB` shows.
    package static let shown = all.filter { $0.places.contains(.shown) }

    /// The field of that name; nil for none.
    package static func named(_ name: String) -> JobField? { all.first { $0.name == name } }

    /// What scripts see, without the rest of the table: each run makes it where it is asked for.
    package static let ofScripts = all.filter { $0.places.contains(.scripts) }.map {
        (name: $0.name, value: $0.toScripts)
    }
}
