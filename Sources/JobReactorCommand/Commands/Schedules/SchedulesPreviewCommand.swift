internal import ArgumentParser
internal import JobReactorCore

struct SchedulesPreviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview",
        abstract: "Show the next times at which a schedule is due, without a server.",
        usage: """
            jobreactor schedules preview <spec> [--timezone <zone>] [--dst-gap run|skip] [--dst-repeat first|last|both]
                       [--from <time>] [--count <n>] [--json]
            """,
        discussion: """
            The spec has five fields (minute, hour, day of month, month, day of week), or six with seconds first; or it is a \
            short form such as @daily, or an interval such as 'every 90s' (s, m, h or d), counted from --from. Each time is \
            shown with its offset, and with the effect of daylight saving.
            """)

    @Argument(help: "The spec as one quoted word: '30 2 * * *'.") var spec: String
    @OptionGroup var calendar: CalendarOptions
    @Option(
        help: ArgumentHelp(
            "Start time: seconds since 1970, or 2026-03-28T00:00:00Z. Default now.", valueName: "time"))
    var from: String?
    @Option(help: ArgumentHelp("Number of times, at most 1000.", valueName: "n")) var count = 5
    @Flag(help: "Print a JSON array.") var json = false
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard (1...1000).contains(count) else { throw ValidationError("--count takes a number from 1 to 1000") }
    }

    func run() async throws {
        // Which job it is plays no part.
        let schedule = try Schedule("preview", spec, try calendar.options(), job: "preview")
        let from = try JobOptionFlags.read(.time, from, "--from") ?? .now
        let times = try Self.times(schedule.times(), after: from, count: count)
        if json { return try Terminal.result(json: Self.json(of: times)) }
        guard !times.isEmpty else { throw CommandFailure.failure("'\(spec)' is not due after that time") }
        try Terminal.result(Self.table(of: times).text)
    }

    static func times(_ times: ScheduleTimes, after from: Timestamp, count: Int) -> [ScheduleTime] {
        var found: [ScheduleTime] = []
        while found.count < count, let next = times.next(after: found.last?.at ?? from, countedFrom: from) {
            found.append(next)
        }
        return found
    }

    static func table(of times: [ScheduleTime]) -> TextTable {
        var table = TextTable(["LOCAL TIME", "SECONDS SINCE 1970", "DAYLIGHT SAVING"], numbers: [1])
        for time in times {
            let rule =
                switch time.rule {
                case .gap: "local time does not exist that day: due at the end of the gap"
                case .repeat: "local time occurs twice that day"
                case nil: ""
                }
            table.add([time.local, seconds(time.at), rule])
        }
        return table.withoutEmpty(["DAYLIGHT SAVING"])
    }

    static func json(of times: [ScheduleTime]) -> String {
        let list = times.map { time in
            JSONValue.object([
                "at": time.at.microseconds % 1_000_000 == 0
                    ? JSONValue(time.at.microseconds / 1_000_000) : .number(time.at.seconds),
                "local": .string(time.local), "rule": time.rule.map { .string($0.rawValue) } ?? .null,
            ])
        }
        return JSONValue.array(list).json
    }

    private static func seconds(_ time: Timestamp) -> String {
        time.microseconds % 1_000_000 == 0 ? "\(time.microseconds / 1_000_000)" : "\(time.seconds)"
    }
}

/// The calendar that a schedule is counted by.
struct CalendarOptions: ParsableArguments {
    @Option(help: ArgumentHelp("IANA name of the time zone. Default UTC.", valueName: "zone")) var timezone: String?
    @Option(
        help: ArgumentHelp(
            "A tick whose local time does not exist is due at the end of the gap (run, the default), or not (skip).",
            valueName: "run|skip"),
        completion: .list(DaylightGap.allCases.map(\.rawValue)))
    var dstGap: String?
    @Option(
        help: ArgumentHelp(
            "Which runs of a tick whose local time occurs twice: the first (the default), the last or both.",
            valueName: "first|last|both"),
        completion: .list(DaylightRepeat.allCases.map(\.rawValue)))
    var dstRepeat: String?

    /// As a schedule takes them.
    func options() throws(CommandFailure) -> [String: JSONValue] {
        var options: [String: JSONValue] = [:]
        options["timezone"] = timezone.map { .string($0) }
        options["dst_gap"] = try word(DaylightGap.self, dstGap, "--dst-gap")
        options["dst_repeat"] = try word(DaylightRepeat.self, dstRepeat, "--dst-repeat")
        return options
    }

    private func word<Word: RawRepresentable & CaseIterable & Sendable>(
        _ type: Word.Type, _ text: String?, _ flag: String
    ) throws(CommandFailure) -> JSONValue? where Word.RawValue == String {
        try JobOptionFlags.read(SettingKind<Word>.word, text, flag).map { .string($0.rawValue) }
    }
}

extension SettingKind where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of the words.
    static var word: SettingKind {
        let words = Value.allCases.map(\.rawValue)
        return SettingKind(.text, words.joined(separator: "|"), allowed: "one of \(words.joined(separator: ", "))") {
            Value(rawValue: $0)
        }
    }
}
