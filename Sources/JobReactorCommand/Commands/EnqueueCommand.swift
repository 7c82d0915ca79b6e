internal import ArgumentParser
private import JobReactor
internal import JobReactorCore
private import JobReactorWire
private import Logging

struct EnqueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enqueue",
        abstract: "Enqueue one job and print its id, or wait for its outcome.",
        usage: "jobreactor enqueue <name> [<key=value> ...] [--args <json>] [--wait] [--json] [<options>]",
        discussion: """
            \(ArgumentWords.help)

            With --unique, the printed id is that of the job that holds the key, this one or another.

            With --wait, the progress of the job is shown, and the resulting args are printed as JSON. If the job fails for \
            good, its error is printed instead and the exit code is 1. For a periodic job, the wait ends after its first \
            successful run. Interrupting the wait does not affect the job.
            """)

    @Argument(help: "Name of the job.") var name: String
    @Argument(help: ArgumentHelp("Args of the job.", valueName: "key=value")) var words: [String] = []
    @Option(help: ArgumentHelp("Args of the job as one JSON object; key=value words override it.", valueName: "json"))
    var args: String?
    @OptionGroup var flags: JobOptionFlags
    @Flag(help: "Wait for the outcome and print the resulting args.") var wait = false
    @Option(help: ArgumentHelp("Longest wait with --wait. Default for ever.", valueName: "seconds"))
    var timeout: String?
    @Flag(help: "Print a JSON object: the id, and with --wait the outcome.") var json = false
    @OptionGroup var distributor: DistributorOption
    @OptionGroup var security: SecurityOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try common.settings()
        let name = try ArgumentWords.jobName(name)
        let arguments = try ArgumentWords.arguments(words, json: args)
        let options = try flags.jobOptions()
        let timeout = try JobOptionFlags.read(.seconds, timeout, "--timeout")
        if timeout != nil, !wait {
            throw CommandFailure.usage("--timeout needs --wait: without it there is nothing to wait for")
        }
        let address = try distributor.address(settings)
        let wireSecurity = try settings.security(security, listens: false)
        let logger = try common.logger(settings, level: .critical)
        if options.unique != nil, !wait {
            // The answer may be the id of another job.
            let reply = try await Query.send(
                Self.command(name, arguments, options), to: address, security: wireSecurity)
            let id = reply.text ?? ""
            return try Terminal.result(json ? JSONValue.object(["id": .string(id)]).json : id)
        }

        let client = try await withDeadline(10, else: .noAnswer(from: address)) {
            do { return try await JobClient.connect(to: address, security: wireSecurity, logger: logger) } catch {
                throw (error as? WireError).map { .unconnected(to: address, $0) } ?? CommandFailure(error)
            }
        }
        if wait {
            let line = ProgressLine()
            defer { line.end() }
            do {
                let result = try await client.perform(
                    name, arguments, options, timeout: timeout, onProgress: { line.show($0) })
                line.end()
                try Terminal.result(
                    json: json ? Self.json(result.id, result.status, result.args) : result.args.description)
            } catch let failure as JobFailure where json {
                line.end()
                try Terminal.result(json: Self.json(failure.id, failure.status, failure.args))
                throw CommandFailure.told
            }
        } else {
            let id = try client.enqueue(name, arguments, options)
            try await withDeadline(10, else: .noAnswer(from: address)) { try await client.flush() }
            try Terminal.result(json ? JSONValue.object(["id": .string(id.description)]).json : id.description)
        }
        await client.stop(grace: 1)
    }

    /// The words of a command that a distributor answers with the id of the job that stands.
    static func command(_ name: String, _ args: JobArguments, _ options: JobOptions) -> [String] {
        var words = ["ENQUEUE", name, args.description]
        var options = options
        options.unique = options.unique?.keyed(args)
        for option in JobOptionTable.ofCommands {
            guard let value = option.value(options) else { continue }
            words.append(option.word)
            if option.type != .flag { words.append(value.text) }
        }
        return words
    }

    private static func json(_ id: JobID, _ status: JobStatus, _ args: JobArguments) -> String {
        JSONValue.object([
            "id": .string(id.description), "status": .string(status.rawValue), "args": args.value,
        ]).json
    }
}
