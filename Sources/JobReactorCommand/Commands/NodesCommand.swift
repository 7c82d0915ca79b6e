internal import ArgumentParser
private import JobReactorCore
internal import JobReactorWire

struct NodesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodes", abstract: "List the nodes that are connected to a distributor.",
        usage: "jobreactor nodes [--json] [--distributor <host:port>] [<options>]")

    @Flag(help: "As a JSON array.") var json = false
    @OptionGroup var distributor: DistributorOption
    @OptionGroup var security: SecurityOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try common.settings()
        let address = try distributor.address(settings)
        let reply = try await Query.send(
            ["NODES"], to: address, security: try settings.security(security, listens: false))
        let rows = (reply.elements ?? []).map(Self.fields)
        try Terminal.result(json ? JSONValue.array(rows.map(Self.value)).json : Self.table(of: rows).text)
    }

    static func fields(_ row: RESPValue) -> [String: String] {
        let texts = (row.elements ?? []).map { $0.text ?? "" }
        var fields: [String: String] = [:]
        for index in stride(from: 0, to: texts.count - 1, by: 2) { fields[texts[index]] = texts[index + 1] }
        return fields
    }

    static func table(of rows: [[String: String]]) -> TextTable {
        var table = TextTable(["NODE", "ADDRESS", "LOAD", "WINDOW", "STATE", "JOBS"], numbers: [2, 3])
        for row in rows {
            let states = [row["draining"] == "1" ? "draining" : "ready", row["durable"] == "1" ? "durable" : nil]
            table.add([
                row["name"] ?? "", row["address"] ?? "", row["load"] ?? "", row["window"] ?? "",
                states.compactMap { $0 }.joined(separator: ", "), row["jobs"] ?? "",
            ])
        }
        return table
    }

    private static func value(_ row: [String: String]) -> JSONValue {
        .object(
            row.reduce(into: [:]) { value, field in
                value[field.key] =
                    switch field.key {
                    case "load", "window": Int(field.value).map { JSONValue($0) } ?? .null
                    case "durable", "draining": .bool(field.value == "1")
                    case "jobs": .array(field.value.split(separator: " ").map { .string(String($0)) })
                    default: .string(field.value)
                    }
            })
    }
}
