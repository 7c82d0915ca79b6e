internal import ArgumentParser
private import JobReactorCore
private import JobReactorWire

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Look at one job, or cancel it.",
        subcommands: [JobsShowCommand.self, JobsCancelCommand.self])
}

struct JobsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print the record of a job that is not finished.",
        usage: "jobreactor jobs show <id> [--distributor <host:port>] [<options>]")

    @Argument(help: "Id of the job.") var id: String
    @OptionGroup var distributor: DistributorOption
    @OptionGroup var security: SecurityOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try common.settings()
        let id = try ArgumentWords.jobID(id)
        let address = try distributor.address(settings)
        let reply = try await Query.send(
            ["JOB", id.description], to: address, security: try settings.security(security, listens: false))
        let fields = (reply.elements ?? []).map { $0.text ?? "" }
        guard !fields.isEmpty else { throw CommandFailure.unknown(id, at: address) }
        let rows = stride(from: 0, to: fields.count - 1, by: 2).map {
            [fields[$0], Terminal.printable(fields[$0 + 1])]
        }
        let width = rows.map { $0[0].count }.max() ?? 0
        try Terminal.result(
            rows.map { row in
                row[0].padded(to: width) + "  " + row[1].replacing("\n", with: "\n" + "".padded(to: width + 2))
            }.joined(separator: "\n"))
    }
}

struct JobsCancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Cancel a job: one that waits never runs, one that runs is interrupted.",
        usage: "jobreactor jobs cancel <id> [--distributor <host:port>] [<options>]")

    @Argument(help: "Id of the job.") var id: String
    @OptionGroup var distributor: DistributorOption
    @OptionGroup var security: SecurityOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try common.settings()
        let id = try ArgumentWords.jobID(id)
        let address = try distributor.address(settings)
        let reply = try await Query.send(
            ["CANCEL", id.description], to: address, security: try settings.security(security, listens: false))
        guard reply.integer == 1 else { throw CommandFailure.unknown(id, at: address) }
        try Terminal.result("cancelled \(id)")
    }
}

extension CommandFailure {
    fileprivate static func unknown(_ id: JobID, at address: Address) -> CommandFailure {
        .failure("\(address) knows no unfinished job \(id)")
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
