/// Every option of a job, once.
///
/// Reading them from Lua and JSON, the flags of `jobreactor enqueue` with their help, the command that it sends and the
/// errors that list them are made of this table. What is written by hand, as each job passes it, is compared with it by
/// tests: ``JobOptions`` with its checks, and the options on the wire. So are the definitions for editors of Lua and
/// the pages.
package struct JobOptionTable: Sendable {
    package let after = JobOption("after", .seconds, "seconds to wait before the first run") {
        $0.after
    } set: {
        $0.after = $1
    }
    package let runAt = JobOption(
        "run_at", .time, "the earliest time of the run; a time in the past means now",
        flag: ": seconds since 1970, or 2030-01-31T12:00:00Z"
    ) {
        $0.runAt
    } set: {
        $0.runAt = $1
    }
    package let period = JobOption("period", .secondsAboveZero, "seconds from the end of each run to the next one") {
        $0.period
    } set: {
        $0.period = $1
    }
    package let node = JobOption("node", .name, "the node that it prefers") {
        $0.node
    } set: {
        $0.node = $1
    }
    package let notNode = JobOption("not_node", .name, "the node that must not run it") {
        $0.notNode
    } set: {
        $0.notNode = $1
    }
    package let isDeferred = JobOption(
        "defer", .flag, "whether it runs on a thread beside the reactor lane, for heavy work"
    ) {
        $0.isDeferred ? true : nil
    } set: {
        $0.isDeferred = $1
    }
    package let maxAttempt = JobOption(
        "max_attempt", .whole(1...JobLimits.attempts, "a whole number from 1"),
        "total number of attempts, instead of the job's own policy"
    ) {
        $0.maxAttempt
    } set: {
        $0.maxAttempt = $1
    }
    package let retryMultiplier = JobOption(
        "retry_multiplier", .seconds,
        "seconds by which the wait grows from one retry to the next, instead of the job's own policy"
    ) {
        $0.retryMultiplier
    } set: {
        $0.retryMultiplier = $1
    }
    package let priority = JobOption(
        "priority", .whole(JobPriority.range, "a whole number from 0 (last) to 9 (first)"), isLater: true,
        "from 0 (last) to 9 (first), instead of the job's own policy; else 5"
    ) {
        $0.priority
    } set: {
        $0.priority = $1
    }
    package let unique = JobOption(
        "unique", .key, isLater: true, "a key that at most one job of this name holds at a time",
        lua: "; `true` derives it from the args", flag: "; --unique-args derives it from the args"
    ) {
        $0.unique.map { $0.key.map(FieldValue.text) ?? .flag(true) }
    } set: { options, value in
        switch value {
        case .text(let key): options.unique = JobUnique(key)
        case .flag(true): options.unique = JobUnique()
        default: options.unique = nil
        }
    }
    package let uniqueFor = JobOption(
        "unique_for", .seconds, of: "unique", isLater: true, "minimum seconds for which the key is held",
        lua: ". Default until the job is finished"
    ) {
        $0.unique.flatMap { $0.seconds == 0 ? nil : $0.seconds }
    } set: {
        $0.unique?.seconds = $1
    }
    package let onConflict = JobOption(
        "on_conflict", .choice(UniqueConflict.allCases.map(\.rawValue)), of: "unique", isLater: true,
        """
        if another job holds the key: that job stays and its id is returned (the default), it gets these args and \
        options while it waits, it also runs once more if it runs already, or an error is raised
        """
    ) {
        $0.unique?.onConflict
    } set: {
        $0.unique?.onConflict = $1
    }
    package let id = JobOption(
        "id", .id, "32 hexadecimal digits; a second job with the id of an unfinished job counts as that job"
    ) {
        $0.id
    } set: {
        $0.id = $1
    }
    package let trace = JobOption("trace", .trace, in: .commands, isLater: true, "the span that the job comes from") {
        $0.trace.map { JobArguments(unchecked: Array($0.json.utf8)) }
    } set: {
        $0.trace = JobTrace(json: $1.bytes)
    }
    package let schedule = JobOption(
        "schedule", .name, in: .links, isLater: true, "the schedule that the job comes of"
    ) {
        $0.tick?.schedule
    } set: {
        $0.tick = JobTick(schedule: $1, at: Timestamp(microseconds: 0))
    }
    package let tick = JobOption(
        "tick", .time, in: .links, of: "schedule", isLater: true,
        "the time at which the schedule was due, in microseconds"
    ) {
        $0.tick?.at
    } set: {
        $0.tick?.at = $1
    }

    // MARK: Parts of it

    package static let standard = JobOptionTable()

    /// In the order above.
    package static let all: [JobOption] = Mirror(reflecting: standard).children.compactMap { $0.value as? JobOption }

    /// What Lua and JSON may say.
    package static let ofScripts = all.filter { $0.places.contains(.scripts) }
    /// The names of these, in their order.
    static let namesOfScripts = ofScripts.map(\.name)

    /// What a client may say in a command.
    package static let ofCommands = all.filter { $0.places.contains(.commands) }
    /// As errors tell them: `AFTER s, …`
    package static let usageOfCommands = ofCommands.map(\.usage).joined(separator: ", ")
}
