internal import ArgumentParser
private import Foundation
internal import JobReactor
internal import JobReactorCore

/// Which jobs are meant.
struct JobFilterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Only jobs of this node or distributor.", valueName: "name")) var node: String?
    @Option(help: ArgumentHelp("Only jobs with this name.", valueName: "job")) var name: String?
    @Option(
        help: ArgumentHelp("Only jobs with this status: \(JobFilterOptions.statuses).", valueName: "status"),
        completion: .list(JobStatus.allCases.map { $0.rawValue.replacing(" ", with: "_") }))
    var status: String?
    @Option(
        help: ArgumentHelp(
            "Only jobs made, begun or failed since then: 15m, 2h or 1d ago, 14:05, 2030-01-31, 2030-01-31T14:05 or a Unix time.",
            valueName: "time"))
    var since: String?
    @Option(
        help: ArgumentHelp("Only jobs whose last error contains this text, ignoring case.", valueName: "text"))
    var error: String?

    fileprivate static let statuses = JobStatus.allCases.map(\.rawValue).joined(separator: ", ")

    var isEmpty: Bool { [node, name, status, since, error].allSatisfy { $0 == nil } }

    func filter(_ clock: LocalTime = LocalTime()) throws(CommandFailure) -> JobMonitor.Filter {
        if let error, error.isEmpty || error.utf8.count > JobFilter.errorBytes {
            throw .usage("--error takes a text of 1 to \(JobFilter.errorBytes) bytes")
        }
        return JobMonitor.Filter(
            node: try JobOptionFlags.read(.name, node, "--node"), name: try JobOptionFlags.read(.name, name, "--name"),
            status: try JobOptionFlags.read(.status, status, "--status"),
            since: try JobOptionFlags.read(.since(clock), since, "--since"), error: error)
    }
}

extension SettingKind where Value == JobStatus {
    static let status = SettingKind(
        .text, "status", allowed: "one of \(JobStatus.allCases.map(\.rawValue).joined(separator: ", "))"
    ) { JobStatus(rawValue: $0.replacing("_", with: " ").lowercased()) }
}

extension SettingKind where Value == Timestamp {
    /// A time that has come, as people say it.
    static func since(_ clock: LocalTime) -> SettingKind {
        SettingKind(
            .text, "time",
            allowed:
                "a time such as 90s, 15m, 2h or 1d ago, 14:05, 2030-01-31, 2030-01-31T14:05 (local, or with its zone)"
                + " or seconds since 1970"
        ) { text in
            if let seconds = ago(text) { return clock.now.advanced(bySeconds: -seconds) }
            // As seconds since 1970 a small number is in the seventies: its unit was forgotten.
            if let number = Double(text) { return number >= 1e8 && number < 1e12 ? Timestamp(seconds: number) : nil }
            return local(text, clock) ?? SettingKind.time.read([text])
        }
    }

    private static func ago(_ text: String) -> Double? {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let number = Double(text.dropLast()), number >= 0,
            number * unit <= 3_155_760_000
        else { return nil }
        return number * unit
    }

    /// `14:05`, `14:05:12`, a date, or both with a `T` or a space between.
    private static func local(_ text: String, _ clock: LocalTime) -> Timestamp? {
        let parts = text.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "T" || $0 == " " }
        if parts.count == 1, let second = secondOfDay(parts[0]) { return clock.last(secondOfDay: second) }
        guard let first = parts.first, let date = numbers(first, "-", [4, 2, 2]), (1...9999).contains(date[0]),
            LocalTime.missingDay(in: text) == nil
        else { return nil }
        guard let second = parts.count == 1 ? 0 : secondOfDay(parts[1]) else { return nil }
        return clock.moment(year: date[0], month: date[1], day: date[2], secondOfDay: second)
    }

    private static func secondOfDay(_ text: Substring) -> Int? {
        guard let time = numbers(text, ":", [2, 2]) ?? numbers(text, ":", [2, 2, 2]), time[0] < 24, time[1] < 60,
            time.count == 2 || time[2] < 60
        else { return nil }
        return time[0] * 3600 + time[1] * 60 + (time.count == 3 ? time[2] : 0)
    }

    /// Numbers of so many digits each.
    private static func numbers(_ text: Substring, _ separator: Character, _ digits: [Int]) -> [Int]? {
        let words = text.split(separator: separator, omittingEmptySubsequences: false)
        guard words.count == digits.count, zip(words, digits).allSatisfy({ $0.utf8.count == $1 }),
            words.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } })
        else { return nil }
        return words.compactMap { Int($0) }
    }
}
