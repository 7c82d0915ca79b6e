internal import ArgumentParser
private import JobReactor
internal import JobReactorCore
internal import JobReactorWire

struct JobsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print the record of a job.",
        usage:
            "jobreactor jobs show <id> [--storage <storage> | --server <host:port> | --distributor <host:port>] [--json] [<options>]"
    )

    @Argument(help: "Id of the job, or its beginning.") var id: String
    @Flag(help: "Print a JSON object.") var json = false
    @OptionGroup var place: JobPlaceOptions

    func run() async throws {
        let place = try place.place()
        let id = try await JobIDArgument.find(id, in: place.monitor)
        let clock = LocalTime()
        let fields: JobFields
        if let address = place.distributor {
            // It finds jobs wherever they are.
            let reply = try await Query.send(["JOB", id.description], to: address, security: place.security)
            let words = (reply.elements ?? []).map { $0.text ?? "" }
            guard !words.isEmpty else { throw CommandFailure.unknown(id, at: address) }
            fields = JobFields(reply: words, clock)
        } else {
            guard let found = try await place.monitor.load(id) else { throw CommandFailure.notStored(id) }
            fields = JobFields(found, clock)
        }
        if json { try Terminal.result(json: fields.json) } else { try Terminal.result(fields.text) }
    }
}

extension CommandFailure {
    static func unknown(_ id: JobID, at address: Address) -> CommandFailure {
        .failure("\(address) knows no unfinished job \(id)")
    }

    static func notStored(_ id: JobID, _ kind: String = "") -> CommandFailure {
        .failure("there is no \(kind)job \(id) there")
    }
}
