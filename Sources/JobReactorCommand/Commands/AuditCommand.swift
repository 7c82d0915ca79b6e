internal import ArgumentParser
private import JobReactorCore
private import JobReactorWire

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Show the audit log of a distributor or a node: who changed what, the newest change first.",
        usage: "jobreactor audit [--count <n>] [--json] [--distributor <host:port> | --server <host:port>] [<options>]",
        discussion: """
            The server keeps the last 100,000 changes of one year in its storage; with memory storage, only as long as it \
            runs. This needs the role operator.
            """)

    @Option(help: ArgumentHelp("Number of entries, at most 1000.", valueName: "n")) var count = 100
    @Flag(help: "Print a JSON array.") var json = false
    @OptionGroup var asked: AskedOptions
    @OptionGroup var security: SecurityOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard (1...1000).contains(count) else { throw ValidationError("--count takes a number from 1 to 1000") }
    }

    func run() async throws {
        let settings = try common.settings()
        let (address, isNode) = try asked.address(settings)
        let wireSecurity = try settings.security(security, listens: false)
        let reply = try await Query.send(
            ["AUDIT", "COUNT", "\(count)"], to: address, isNode: isNode, security: wireSecurity)
        let rows = (reply.elements ?? []).map(NodesCommand.fields)
        let clock = LocalTime()
        func time(_ row: [String: String]) -> Timestamp? {
            row["time"].flatMap { Double($0) }.map { Timestamp(seconds: $0) }
        }
        if json {
            let entries = rows.map { row in
                var entry = row.mapValues { JSONValue.string($0) }
                if let time = time(row) {
                    (entry["time"], entry["time_local"]) = (.number(time.seconds), .string(clock.text(time)))
                }
                return JSONValue.object(entry)
            }
            return try Terminal.result(json: JSONValue.array(entries).json)
        }
        var table = TextTable(["TIME", "USER", "ADDRESS", "COMMAND", "CHANGE"], numbers: [])
        for row in rows {
            table.add([
                time(row).map(clock.text) ?? "", row["user"] ?? "", row["address"] ?? "", row["command"] ?? "",
                row["change"] ?? "",
            ])
        }
        try Terminal.result(table.text)
    }
}
