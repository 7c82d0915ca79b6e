internal import ArgumentParser
internal import JobReactor
internal import JobReactorCore
internal import JobReactorWire

struct JobsCancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Cancel jobs: one that waits never runs, one that runs is interrupted.",
        usage: JobsChange.usage("cancel"))

    @OptionGroup var jobs: JobsChange

    func run() async throws { try await jobs.carryOut(.cancel) }
}

struct JobsRetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Run jobs now: one that has failed from its first attempt, one that waits at once.",
        usage: JobsChange.usage("retry"),
        discussion: "Of many jobs those are meant that have failed, where --status says no other.")

    @OptionGroup var jobs: JobsChange

    func run() async throws { try await jobs.carryOut(.retry) }
}

struct JobsDestroyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destroy", abstract: "Remove jobs and their records; those that are not finished are cancelled.",
        usage: JobsChange.usage("destroy"))

    @OptionGroup var jobs: JobsChange

    func run() async throws { try await jobs.carryOut(.destroy) }
}

struct JobsDestroyAllCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destroy-all", abstract: "Remove all jobs of a node.",
        usage:
            "jobreactor jobs destroy-all --node <name> (--storage <storage> | --server <host:port>) [--json] [<options>]"
    )

    @Option(help: "The node whose jobs go.") var node: String
    @Flag(help: "As a JSON object.") var json = false
    @OptionGroup var storage: StorageOption
    @OptionGroup var security: SecurityOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try common.settings()
        let monitor = try storage.requiredMonitor(settings, try settings.security(security, listens: false))
        let count = try await monitor.destroyAllJobs(for: node)
        guard !json else { return try Terminal.result(json: JobsChange.answer(.destroy, count, isDry: false)) }
        try Terminal.result("destroyed \(count) \(count == 1 ? "job" : "jobs") of \(Terminal.printableLine(node))")
    }
}

/// What the commands take that change one job, or all that a filter means.
struct JobsChange: ParsableArguments {
    @Argument(help: "Id of the job, or the beginning of it; without it all jobs are meant that the filters name.")
    var id: String?
    @OptionGroup var filter: JobFilterOptions
    @Flag(help: "All jobs there.") var all = false
    @Flag(help: "Say how many jobs it would be, and change nothing.") var dryRun = false
    @Flag(help: "Change many jobs without asking.") var yes = false
    @Flag(help: "As a JSON object.") var json = false
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
                        : "name the job to \(words.verb) by its id, or several by --name, --status, --since, --error or --node,"
                            + " or all of them by --all")
            }
            return try await changeMany(change, filter, words)
        }
        guard !all, self.filter.isEmpty else {
            throw CommandFailure.usage("an id means one job: leave out the filters, or the id")
        }
        try await changeOne(change, id, words)
    }

    private func changeOne(_ change: JobMonitor.Change, _ text: String, _ words: ChangeWords) async throws {
        let place = try place.place()
        let id = try await JobIDArgument.find(text, in: place.monitor)
        if dryRun {
            guard let found = try await place.monitor.load(id) else { throw CommandFailure.notStored(id) }
            return try answer(change, 1, isDry: true, id, "would be \(words.done): \(id) (\(found.job.name))")
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
                throw CommandFailure.failure("there is no job \(id) that could be run again: look with jobs show")
            }
        case (.destroy, _):
            guard try await place.monitor.destroy(id) else { throw CommandFailure.notStored(id) }
        }
        try answer(change, 1, isDry: false, id, "\(words.one) \(id)")
    }

    private func changeMany(
        _ change: JobMonitor.Change, _ filter: JobMonitor.Filter, _ words: ChangeWords
    ) async throws {
        let monitor = try place.place().monitor
        let count = try await monitor.change(change, all: filter, isDry: true)
        let jobs = "\(count) \(count == 1 ? "job" : "jobs")"
        if dryRun || count == 0 {
            return try answer(change, count, isDry: dryRun, nil, "\(jobs) would be \(words.done)")
        }
        if !yes {
            guard Terminal.canAsk else {
                throw CommandFailure.usage(
                    "\(jobs) would be \(words.done): say --yes, as there is no terminal to ask at, or --dry-run to count them"
                )
            }
            guard Terminal.ask("\(jobs): \(words.verb)?") else {
                throw CommandFailure.failure("nothing is changed")
            }
        }
        let changed = try await monitor.change(change, all: filter)
        try answer(change, changed, isDry: false, nil, "\(words.done) \(changed) \(changed == 1 ? "job" : "jobs")")
    }

    private func answer(
        _ change: JobMonitor.Change, _ count: Int, isDry: Bool, _ id: JobID?, _ text: String
    ) throws {
        guard !json else { return try Terminal.result(json: Self.answer(change, count, isDry: isDry, id)) }
        try Terminal.result(Terminal.printable(text))
    }

    static func answer(_ change: JobMonitor.Change, _ count: Int, isDry: Bool, _ id: JobID? = nil) -> String {
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
