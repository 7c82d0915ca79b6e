internal import ArgumentParser
internal import JobReactor
internal import JobReactorCore
internal import JobReactorWire

struct JobsCancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Cancel jobs: waiting jobs never run, running jobs are interrupted.",
        usage: JobsChange.usage("cancel"))

    @OptionGroup var jobs: JobsChange

    func run() async throws { try await jobs.carryOut(.cancel) }
}

struct JobsRetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Run jobs again: failed jobs from their first attempt, waiting jobs at once.",
        usage: JobsChange.usage("retry"),
        discussion: "With filters, only failed jobs are retried, unless --status names another status.")

    @OptionGroup var jobs: JobsChange

    func run() async throws { try await jobs.carryOut(.retry) }
}

struct JobsDestroyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destroy", abstract: "Remove jobs and their records; unfinished jobs are cancelled.",
        usage: JobsChange.usage("destroy"))

    @OptionGroup var jobs: JobsChange

    func run() async throws { try await jobs.carryOut(.destroy) }
}

struct JobsDestroyAllCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destroy-all", abstract: "Remove all jobs of a node.",
        usage:
            """
            jobreactor jobs destroy-all --node <name> (--storage <storage> | --server <host:port>) [--dry-run] [--yes] \
            [--json] [<options>]
            """
    )

    @Option(help: "The node whose jobs are removed.") var node: String
    @OptionGroup var answer: ChangeAnswer
    @OptionGroup var storage: StorageOption
    @OptionGroup var security: SecurityOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try common.settings()
        let monitor = try storage.requiredMonitor(settings, try settings.security(security, listens: false))
        try await answer.change(.destroy, of: " of \(Terminal.printableLine(node))") { isDry in
            try await monitor.destroyAllJobs(for: node, isDry: isDry)
        }
    }
}

/// What the commands take that change one job, or all that a filter means.
struct JobsChange: ParsableArguments {
    @Argument(help: "Id of the job, or its beginning; without it, all jobs that match the filters.")
    var id: String?
    @OptionGroup var filter: JobFilterOptions
    @Flag(help: "All jobs.") var all = false
    @OptionGroup var answer: ChangeAnswer
    @OptionGroup var place: JobPlaceOptions

    static func usage(_ verb: String) -> String {
        """
        jobreactor jobs \(verb) (<id> | [--node <name>] [--name <job>] [--status <status>] [--since <time>] [--error <text>] \
        [--all]) [--dry-run] [--yes] [--storage <storage> | --server <host:port> | --distributor <host:port>] [<options>]
        """
    }

    func carryOut(_ change: JobMonitor.Change) async throws {
        let words = ChangeWords(change)
        let filter = try filter.filter()
        guard let id else {
            guard all != !self.filter.isEmpty else {
                throw CommandFailure.usage(
                    all
                        ? "--all means every job: leave out the filters, or --all"
                        : "name the job to \(words.verb) by its id, or several jobs by --name, --status, --since, --error or --node,"
                            + " or all jobs by --all")
            }
            let monitor = try place.place().monitor
            return try await answer.change(change) { isDry in
                try await monitor.change(change, all: filter, isDry: isDry)
            }
        }
        guard !all, self.filter.isEmpty else {
            throw CommandFailure.usage("an id names one job: leave out the filters, or the id")
        }
        try await changeOne(change, id, words)
    }

    private func changeOne(_ change: JobMonitor.Change, _ text: String, _ words: ChangeWords) async throws {
        let place = try place.place()
        let id = try await JobIDArgument.find(text, in: place.monitor)
        if answer.dryRun {
            guard let found = try await place.monitor.load(id) else { throw CommandFailure.notStored(id) }
            return try answer.give(change, 1, isDry: true, id, "would be \(words.done): \(id) (\(found.job.name))")
        }
        switch (change, place.distributor) {
        case (.cancel, let address?):
            // It finds jobs wherever they are.
            let reply = try await Query.send(["CANCEL", id.description], to: address, security: place.security)
            guard reply.integer == 1 else { throw CommandFailure.unknown(id, at: address) }
        case (.cancel, nil):
            guard try await place.monitor.cancel(id) else { throw CommandFailure.notStored(id, "unfinished ") }
        case (.retry, _):
            guard try await place.monitor.retry(id) else {
                throw CommandFailure.failure("there is no job \(id) that could be run again: see jobreactor jobs show")
            }
        case (.destroy, _):
            guard try await place.monitor.destroy(id) else { throw CommandFailure.notStored(id) }
        }
        try answer.give(change, 1, isDry: false, id, "\(words.one) \(id)")
    }
}

/// How a change is asked for and told.
struct ChangeAnswer: ParsableArguments {
    @Flag(help: "Print the number of jobs, and change nothing.") var dryRun = false
    @Flag(help: "Change many jobs without asking.") var yes = false
    @Flag(help: "Print a JSON object.") var json = false

    /// Changes many jobs once it is said that they are meant. `change` returns how many they are; called with true it only
    /// counts. `place` stands behind their number.
    func change(
        _ change: JobMonitor.Change, of place: String = "", by changing: (_ isDry: Bool) async throws -> Int
    ) async throws {
        let words = ChangeWords(change)
        func jobs(_ count: Int) -> String { "\(count) \(count == 1 ? "job" : "jobs")\(place)" }
        let count = try await changing(true)
        if dryRun || count == 0 {
            return try give(change, count, isDry: dryRun, nil, "\(jobs(count)) would be \(words.done)")
        }
        if !yes {
            guard Terminal.canAsk else {
                throw CommandFailure.usage(
                    "\(jobs(count)) would be \(words.done): give --yes, because there is no terminal to ask on, or --dry-run to count them"
                )
            }
            guard Terminal.ask("\(jobs(count)): \(words.verb)?") else {
                throw CommandFailure.failure("nothing has changed")
            }
        }
        let changed = try await changing(false)
        try give(change, changed, isDry: false, nil, "\(words.done) \(jobs(changed))")
    }

    func give(
        _ change: JobMonitor.Change, _ count: Int, isDry: Bool, _ id: JobID?, _ text: String
    ) throws {
        guard !json else { return try Terminal.result(json: Self.json(change, count, isDry: isDry, id)) }
        try Terminal.result(Terminal.printable(text))
    }

    private static func json(_ change: JobMonitor.Change, _ count: Int, isDry: Bool, _ id: JobID?) -> String {
        var members: [String: JSONValue] = [
            "change": .string(ChangeWords(change).verb), "count": JSONValue(count), "dry_run": .bool(isDry),
        ]
        if let id { members["id"] = .string(id.description) }
        return JSONValue.object(members).json
    }
}

/// What a change is called.
private struct ChangeWords {
    let verb: String
    /// Of many: it is so.
    let done: String
    /// Before the id of one.
    let one: String

    init(_ change: JobMonitor.Change) {
        switch change {
        case .cancel: (verb, done, one) = ("cancel", "cancelled", "cancelled")
        case .retry: (verb, done, one) = ("retry", "retried", "runs again:")
        case .destroy: (verb, done, one) = ("destroy", "destroyed", "destroyed")
        }
    }
}
