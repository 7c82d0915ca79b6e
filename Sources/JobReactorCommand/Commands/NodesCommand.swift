internal import ArgumentParser
internal import JobReactor
private import JobReactorCore
internal import JobReactorWire

struct NodesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodes",
        abstract: "List the connected nodes of a distributor, and the jobs that wait for a node.",
        usage: "jobreactor nodes [--json] [--distributor <host:port>] [<options>]")

    @Flag(help: "Print a JSON object.") var json = false
    @OptionGroup var distributor: DistributorOption
    @OptionGroup var security: SecurityOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try common.settings()
        let address = try distributor.address(settings)
        let wireSecurity = try settings.security(security, listens: false)
        let reply = try await Query.send(["NODES"], to: address, security: wireSecurity)
        let nodes = (reply.elements ?? []).map(Self.fields)
        let info = try await Query.send(["INFO", "waiting"], to: address, security: wireSecurity)
        let waiting = Self.waitingJobs(info.text ?? "")
        if json {
            let waiting = waiting.map { jobs in
                JSONValue.object([
                    "name": .string(jobs.name), "count": JSONValue(jobs.count), "parked": .bool(jobs.isParked),
                ])
            }
            return try Terminal.result(
                json: JSONValue.object(["nodes": .array(nodes.map(Self.value)), "waiting": .array(waiting)]).json)
        }
        try Terminal.result(Self.table(of: nodes).text)
        if !waiting.isEmpty { try Terminal.result("\n" + Self.table(of: waiting, Self.jobNames(nodes)).text) }
    }

    /// From lines as `name:count=3,parked=no node defines it`.
    static func waitingJobs(_ section: String) -> [WaitingJobs] {
        section.split(whereSeparator: \.isNewline).compactMap { line in
            // The last: the name before it may have the like.
            guard let parts = line.ranges(of: ":count=").last else { return nil }
            let values = line[parts.upperBound...].split(separator: ",", maxSplits: 1)
            guard let count = values.first.flatMap({ Int($0) }) else { return nil }
            return WaitingJobs(name: String(line[..<parts.lowerBound]), count: count, isParked: values.count > 1)
        }
    }

    /// `names` are those that the nodes define.
    static func table(of waiting: [WaitingJobs], _ names: Set<String> = []) -> TextTable {
        var table = TextTable(["WAITING JOB", "COUNT", "FOR"], numbers: [1])
        // What peers say of themselves is not to keep anyone waiting.
        var budget = 10_000_000
        for jobs in waiting {
            let hint = jobs.isParked ? NearestName.find(jobs.name, among: names, budget: &budget) : nil
            table.add([
                jobs.name, "\(jobs.count)",
                jobs.isParked
                    ? "a node that defines it (parked)" + (hint.map { ": did you mean '\($0)'?" } ?? "")
                    : "a node that is allowed and free",
            ])
        }
        return table
    }

    private static func jobNames(_ nodes: [[String: String]]) -> Set<String> {
        nodes.reduce(into: []) { names, node in
            names.formUnion((node["jobs"] ?? "").split(separator: " ").map(String.init))
        }
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
            let error = row["storage_error"].flatMap { $0.isEmpty ? nil : "its storage refuses: \($0)" }
            let states = [
                row["draining"] == "1" ? "draining" : error ?? (row["paused"] == "1" ? "paused" : "ready"),
                row["durable"] == "1" ? "durable" : nil,
            ]
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
                    case "durable", "draining", "paused": .bool(field.value == "1")
                    case "jobs": .array(field.value.split(separator: " ").map { .string(String($0)) })
                    default: .string(field.value)
                    }
            })
    }
}
