internal import ArgumentParser
internal import JobReactor
internal import JobReactorCore
internal import JobReactorWire

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Look at jobs, cancel, retry or destroy them.",
        discussion: """
            With --storage, jobs are looked up where nodes keep them, whether or not those run. A change is asked of the \
            node that has the job at its --server, or made in the storage when it does not run. With --server that node \
            is asked for everything, whatever its storage; a distributor that is named there is asked for the jobs that it \
            keeps as failed, because nodes ended with them. With neither, show and cancel ask the distributor, which \
            knows the jobs that are not finished.
            """,
        subcommands: [
            JobsListCommand.self, JobsShowCommand.self, JobsCancelCommand.self, JobsRetryCommand.self,
            JobsDestroyCommand.self, JobsDestroyAllCommand.self,
        ])
}

/// What the commands for one job take.
struct JobOption: ParsableArguments {
    @Argument(help: "Id of the job.") var id: String
    @OptionGroup var storage: StorageOption
    @OptionGroup var distributor: DistributorOption
    @OptionGroup var security: SecurityOptions
    @OptionGroup var common: CommonOptions

    /// The job, and where it is to be looked for; for what no distributor can answer.
    func monitored() throws -> (JobID, JobMonitor) {
        let settings = try common.settings()
        let security = try settings.security(security, listens: false)
        return (try ArgumentWords.jobID(id), try storage.requiredMonitor(settings, security))
    }
}

struct JobsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the jobs in a storage, or how many there are.",
        usage:
            "jobreactor jobs list (--storage <storage> | --server <host:port>) [--node <name>] [--name <job>] [--status <status>] [<options>]"
    )

    @Option(help: "Of this node only.") var node: String?
    @Option(help: "Of this job name only.") var name: String?
    @Option(
        help: ArgumentHelp("With this status only: \(JobStatus.allCases.map(\.rawValue).joined(separator: ", "))."))
    var status: String?
    @Option(help: "List so many at most.") var limit = 100
    @Flag(help: "As a line of JSON each.") var json = false
    @OptionGroup var storage: StorageOption
    @OptionGroup var security: SecurityOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try common.settings()
        let monitor = try storage.requiredMonitor(settings, try settings.security(security, listens: false))
        var filter = JobMonitor.Filter(node: node, name: name)
        if let status {
            guard let known = JobStatus(rawValue: status.replacing("_", with: " ")) else {
                let all = JobStatus.allCases.map(\.rawValue).joined(separator: ", ")
                throw CommandFailure.usage("--status takes one of \(all), not '\(status)'")
            }
            filter.status = known
        }
        guard limit > 0 else { throw CommandFailure.usage("--limit takes a number of jobs from 1, not \(limit)") }
        let found = try await monitor.jobs(filter, limit: limit)
        if json {
            for found in found { try Terminal.result(found.json) }
            return
        }
        var table = TextTable(["ID", "JOB", "STATUS", "ATTEMPT", "DUE", "NODE", "ERROR"], numbers: [3])
        for found in found { table.add(found.row(now: .now)) }
        try Terminal.result(table.text)
        if found.count == limit { Terminal.note("the first \(limit) only: --limit shows more") }
    }
}

struct JobsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print the record of a job.",
        usage:
            "jobreactor jobs show <id> [--storage <storage> | --server <host:port> | --distributor <host:port>] [--json] [<options>]"
    )

    @Flag(help: "As a JSON object.") var json = false
    @OptionGroup var job: JobOption

    func run() async throws {
        let settings = try job.common.settings()
        let id = try ArgumentWords.jobID(job.id)
        let security = try settings.security(job.security, listens: false)
        let fields: [String]
        if let monitor = try job.storage.monitor(settings, security) {
            guard let found = try await monitor.load(id) else { throw CommandFailure.notStored(id) }
            fields = found.job.shownFields + ["on_node", found.owner.name]
        } else {
            let address = try job.distributor.address(settings)
            let reply = try await Query.send(["JOB", id.description], to: address, security: security)
            fields = (reply.elements ?? []).map { $0.text ?? "" }
            guard !fields.isEmpty else { throw CommandFailure.unknown(id, at: address) }
        }
        let pairs = stride(from: 0, to: fields.count - 1, by: 2).map { (fields[$0], fields[$0 + 1]) }
        if json {
            return try Terminal.result(JSONRecord.text(pairs))
        }
        let width = pairs.map(\.0.count).max() ?? 0
        try Terminal.result(
            pairs.map { name, value in
                name.padded(to: width) + "  "
                    + Terminal.printable(value).replacing("\n", with: "\n" + "".padded(to: width + 2))
            }.joined(separator: "\n"))
    }
}

struct JobsCancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Cancel a job: one that waits never runs, one that runs is interrupted.",
        usage:
            "jobreactor jobs cancel <id> [--storage <storage> | --server <host:port> | --distributor <host:port>] [<options>]"
    )

    @OptionGroup var job: JobOption

    func run() async throws {
        let settings = try job.common.settings()
        let id = try ArgumentWords.jobID(job.id)
        let security = try settings.security(job.security, listens: false)
        if let monitor = try job.storage.monitor(settings, security) {
            guard try await monitor.cancel(id) else { throw CommandFailure.notStored(id, "unfinished ") }
        } else {
            let address = try job.distributor.address(settings)
            let reply = try await Query.send(["CANCEL", id.description], to: address, security: security)
            guard reply.integer == 1 else { throw CommandFailure.unknown(id, at: address) }
        }
        try Terminal.result("cancelled \(id)")
    }
}

struct JobsRetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Run a job now: one that has failed from its first attempt, one that waits at once.",
        usage: "jobreactor jobs retry <id> (--storage <storage> | --server <host:port>) [<options>]")

    @OptionGroup var job: JobOption

    func run() async throws {
        let (id, monitor) = try job.monitored()
        guard try await monitor.retry(id) else {
            throw CommandFailure.failure("there is no job \(id) that could be run again: look with jobs show")
        }
        try Terminal.result("runs again: \(id)")
    }
}

struct JobsDestroyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destroy", abstract: "Remove a job and its record; one that is not finished is cancelled.",
        usage: "jobreactor jobs destroy <id> (--storage <storage> | --server <host:port>) [<options>]")

    @OptionGroup var job: JobOption

    func run() async throws {
        let (id, monitor) = try job.monitored()
        guard try await monitor.destroy(id) else { throw CommandFailure.notStored(id) }
        try Terminal.result("destroyed \(id)")
    }
}

struct JobsDestroyAllCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destroy-all", abstract: "Remove all jobs of a node.",
        usage: "jobreactor jobs destroy-all --node <name> (--storage <storage> | --server <host:port>) [<options>]")

    @Option(help: "The node whose jobs go.") var node: String
    @OptionGroup var storage: StorageOption
    @OptionGroup var security: SecurityOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try common.settings()
        let monitor = try storage.requiredMonitor(settings, try settings.security(security, listens: false))
        let count = try await monitor.destroyAllJobs(for: node)
        try Terminal.result("destroyed \(count) \(count == 1 ? "job" : "jobs") of \(node)")
    }
}

extension JobMonitor.Found {
    /// Of the table.
    fileprivate func row(now: Timestamp) -> [String] {
        let wait = job.dueAt.seconds - now.seconds
        let due = job.status.isFinished ? "" : wait <= 0 ? "now" : "in \(Int(wait.rounded(.up))) s"
        let error = (job.lastError ?? "").split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        return [
            job.id.description, job.name, job.status.rawValue, "\(job.attempt)", due, owner.name,
            error.count > 60 ? error.prefix(59) + "…" : error,
        ]
    }

    fileprivate var json: String {
        let fields = job.shownFields + ["on_node", owner.name]
        return JSONRecord.text(stride(from: 0, to: fields.count - 1, by: 2).map { (fields[$0], fields[$0 + 1]) })
    }
}

/// The fields of a record as a JSON object: numbers as numbers, args as an object.
private enum JSONRecord {
    static func text(_ fields: [(name: String, value: String)]) -> String {
        JobArguments(fields.map { ($0.name, value($0.name, $0.value)) }).description
    }

    private static func value(_ name: String, _ text: String) -> JSONValue {
        switch name {
        case "args": (try? JSONValue(parsing: Array(text.utf8))) ?? .null
        case "attempt", "max_attempt": Int(text).map { JSONValue($0) } ?? .null
        case "due_at", "run_at", "failed_at", "period", "make_after", "retry_multiplier":
            Double(text).map { .number($0) } ?? .null
        case "defer": .bool(text == "true")
        default: .string(text)
        }
    }
}

extension CommandFailure {
    fileprivate static func unknown(_ id: JobID, at address: Address) -> CommandFailure {
        .failure("\(address) knows no unfinished job \(id)")
    }

    fileprivate static func notStored(_ id: JobID, _ kind: String = "") -> CommandFailure {
        .failure("there is no \(kind)job \(id) there")
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
