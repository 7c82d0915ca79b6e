internal import ArgumentParser
internal import JobReactorCore

struct LimitsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits",
        abstract: "List the limits of a distributor: runs in use, waiting jobs, and when a place becomes free.",
        usage: "jobreactor limits [--json] [--distributor <host:port>] [<options>]")

    @OptionGroup var asked: AskedDistributor

    func run() async throws {
        let rows = try await asked.rows(["LIMITS"])
        if asked.json { return try Terminal.result(json: JSONValue.array(rows.map(Self.json)).json) }
        try Terminal.result(Self.table(of: rows, LocalTime()).withoutEmpty(["KEY", "RATE", "NEXT FREE"]).text)
    }

    static func table(of rows: [[String: String]], _ clock: LocalTime) -> TextTable {
        var table = TextTable(
            ["LIMIT", "CONCURRENCY", "RATE", "KEY", "IN USE", "WAITING", "NEXT FREE", "WHEN FULL"],
            numbers: [1, 4, 5])
        for row in rows {
            func text(_ name: String) -> String { row[name] ?? "" }
            let rate = text("rate").isEmpty ? "" : "\(text("rate")) in \(text("per")) s"
            let next = Double(text("next_free")).map { clock.short(Timestamp(seconds: $0)) } ?? ""
            table.add([
                text("name"), text("concurrency"), rate, text("key"), text("in_use"), text("waiting"), next,
                text("when_full"),
            ])
        }
        return table
    }

    private static let numbers: Set<String> = ["concurrency", "rate", "per", "in_use", "waiting", "next_free", "keys"]

    static func json(of row: [String: String]) -> JSONValue {
        .object(
            row.reduce(into: [:]) { members, field in
                guard numbers.contains(field.key) else {
                    members[field.key] = .string(field.value)
                    return
                }
                members[field.key] =
                    Int(field.value).map { JSONValue($0) } ?? Double(field.value).map { .number($0) } ?? .null
            })
    }
}
