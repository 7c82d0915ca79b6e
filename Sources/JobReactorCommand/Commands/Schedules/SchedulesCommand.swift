internal import ArgumentParser
internal import JobReactorCore
internal import JobReactorWire

struct SchedulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedules",
        abstract: "List, preview, set, pause, run and delete schedules.",
        discussion: """
            A schedule of a script exists as long as a node with that script is connected; a schedule that is set here exists \
            until it is deleted. A pause survives restarts. Changes need the role operator. Times are in the zone of the \
            schedule, with their offset; --json has seconds since 1970.
            """,
        subcommands: [
            SchedulesListCommand.self, SchedulesShowCommand.self, SchedulesSetCommand.self,
            SchedulesDeleteCommand.self, SchedulesPauseCommand.self, SchedulesResumeCommand.self,
            SchedulesRunCommand.self, SchedulesPreviewCommand.self,
        ])
}

/// The distributor that is asked, and how it answers.
struct AskedDistributor: ParsableArguments {
    @Flag(help: "As JSON.") var json = false
    @OptionGroup var distributor: DistributorOption
    @OptionGroup var security: SecurityOptions
    @OptionGroup var common: CommonOptions

    func send(_ words: [String]) async throws -> RESPValue {
        let settings = try common.settings()
        return try await Query.send(
            words, to: try distributor.address(settings), security: try settings.security(security, listens: false))
    }

    /// Rows of names and values.
    func rows(_ words: [String]) async throws -> [[String: String]] {
        (try await send(words).elements ?? []).map(NodesCommand.fields)
    }

    /// Carries out a change that is answered with 1, or with 0 where there is nothing to do.
    func change(_ words: [String], done: String, nothing: String) async throws {
        let reply = try await send(words)
        // What sets something says OK.
        guard reply != .integer(0), reply != .null else { throw CommandFailure.failure(nothing) }
        try Terminal.result(json ? JSONValue.object(["change": .string(done)]).json : done)
    }
}

/// A schedule as a distributor tells of it: names and values.
struct ScheduleRow {
    let fields: [String: String]

    subscript(name: String) -> String { fields[name] ?? "" }

    private func time(_ name: String) -> Timestamp? { Double(self[name]).map { Timestamp(seconds: $0) } }

    /// In the schedule's zone, as far as this machine knows it.
    private func local(_ name: String) -> String {
        guard let time = time(name) else { return "" }
        let zone = self["timezone"].isEmpty ? "UTC" : self["timezone"]
        let offset = (try? ZoneDatabase.system.rules(of: zone))?.offset(at: time) ?? 0
        return ScheduleTime(at: time, offset: offset).local
    }

    private var state: String {
        if !self["paused_by"].isEmpty { return "paused by \(self["paused_by"])" }
        return self["late"] == "1" ? "late" : self["last_outcome"]
    }

    static func table(of rows: [ScheduleRow]) -> TextTable {
        var table = TextTable(
            ["SCHEDULE", "WHEN", "JOB", "NEXT", "LAST", "STATE", "MISSED", "SKIPPED", "DEFINED BY"], numbers: [6, 7])
        for row in rows {
            table.add([
                row["name"], row["spec"], row["job"], row.local("next"), row.local("last"), row.state, row["missed"],
                row["skipped"], row["place"],
            ])
        }
        return table
    }

    private static let times: Set<String> = ["next", "last", "paused_at", "starts", "ends"]
    private static let numbers: Set<String> = ["made", "missed", "skipped", "open", "window", "jitter", "late_after"]

    /// All that is told, in the order of the names: times as people read them.
    var lines: [(name: String, value: String)] {
        fields.sorted { $0.key < $1.key }.map { name, value in
            (name, Self.times.contains(name) && !value.isEmpty ? "\(local(name)) (\(value))" : value)
        }
    }

    var json: JSONValue {
        .object(
            fields.reduce(into: [:]) { members, field in
                let (name, value) = (field.key, field.value)
                members[name] =
                    switch name {
                    case "late": .bool(value == "1")
                    case "args": (try? JSONValue(parsing: value.utf8)) ?? .string(value)
                    case _ where Self.times.contains(name) || Self.numbers.contains(name):
                        Int(value).map { JSONValue($0) } ?? Double(value).map { .number($0) } ?? .null
                    default: .string(value)
                    }
            })
    }
}
