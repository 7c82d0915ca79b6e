internal import ArgumentParser
private import JobReactorCore
private import JobReactorWire

struct SchedulesListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the schedules of a distributor.",
        usage: "jobreactor schedules list [--json] [--distributor <host:port>] [<options>]")

    @OptionGroup var asked: AskedDistributor

    func run() async throws {
        let rows = try await asked.rows(["SCHEDULES"]).map { ScheduleRow(fields: $0) }
        if asked.json { return try Terminal.result(json: JSONValue.array(rows.map(\.json)).json) }
        try Terminal.result(ScheduleRow.table(of: rows).withoutEmpty(["LAST", "STATE"]).text)
    }
}

struct SchedulesShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show all fields of one schedule.",
        usage: "jobreactor schedules show <name> [--json] [--distributor <host:port>] [<options>]")

    @Argument(help: "Name of the schedule.") var name: String
    @OptionGroup var asked: AskedDistributor

    func run() async throws {
        let reply = try await asked.send(ScheduleOrder.get(name).words)
        guard reply != .null else { throw CommandFailure.failure("there is no schedule '\(name)'") }
        let row = ScheduleRow(fields: NodesCommand.fields(reply))
        if asked.json { return try Terminal.result(json: row.json.json) }
        var table = TextTable(["FIELD", "VALUE"])
        for (name, value) in row.lines { table.add([name, value]) }
        try Terminal.result(table.text)
    }
}
