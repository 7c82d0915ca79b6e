internal import ArgumentParser
private import Foundation
internal import JobReactorCore

/// The options of one job. They belong to the job and not to an installation, so they are flags alone. What follows one that
/// takes a number is its value, also `-1`: the answer is then what the flag takes.
struct JobOptionFlags: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Wait so many seconds before the first run.", valueName: "seconds"))
    var after: String?

    @Option(help: ArgumentHelp("Wait until this time: seconds since 1970, or 2030-01-31T12:00:00Z.", valueName: "time"))
    var runAt: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Run again this many seconds after each run.", valueName: "seconds"))
    var period: String?

    @Option(help: ArgumentHelp("Preferred node.", valueName: "name"))
    var node: String?

    @Option(help: ArgumentHelp("Node that must not run the job.", valueName: "name"))
    var notNode: String?

    @Flag(name: .customLong("defer"), help: "Run on a thread beside the reactor lane, for heavy jobs.")
    var isDeferred = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Total number of attempts. Default that of the script or the node.", valueName: "n"))
    var maxAttempt: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The n-th retry waits n times this long. Default that of the script or the node.",
            valueName: "seconds"))
    var retryMultiplier: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Priority from 0 (last) to 9 (first). Default that of the script, or 5.", valueName: "n"))
    var priority: String?

    @Option(
        help: ArgumentHelp(
            "Unique key: no other job of this name holds it until this one is finished.", valueName: "key"))
    var unique: String?

    @Flag(help: "The same, with a key derived from the args.")
    var uniqueArgs = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Shortest time for which the key is held.", valueName: "seconds"))
    var uniqueFor: String?

    @Option(
        help: ArgumentHelp(
            """
            If another job holds the key: keep that job (the default), replace its args, run it once more if it runs \
            already, or raise an error.
            """, valueName: "keep|replace|again|raise"),
        completion: .list(UniqueConflict.allCases.map(\.rawValue)))
    var onConflict: String?

    @Option(
        name: .customLong("id"),
        help: ArgumentHelp(
            "Id of the job, 32 hexadecimal digits. A second job with the id of an unfinished job counts as that job.",
            valueName: "id"))
    var jobID: String?

    func jobOptions() throws(CommandFailure) -> JobOptions {
        if after != nil, runAt != nil { throw .usage("--after and --run-at exclude each other: keep one of them") }
        var options = JobOptions(
            after: try Self.read(.seconds, after, "--after"), runAt: try Self.read(.time, runAt, "--run-at"),
            period: try Self.read(.seconds, period, "--period"), node: try Self.read(.name, node, "--node"),
            notNode: try Self.read(.name, notNode, "--not-node"), isDeferred: isDeferred,
            maxAttempt: try Self.read(.wholeNumber(1...Int(Int32.max)), maxAttempt, "--max-attempt"),
            retryMultiplier: try Self.read(.seconds, retryMultiplier, "--retry-multiplier"),
            priority: try Self.read(.wholeNumber(JobPriority.range), priority, "--priority"),
            id: try Self.read(.jobID, jobID, "--id"))
        options.unique = try jobUnique()
        do throws(JobError) { try options.validate(names: .flags) } catch { throw .usage(error.message) }
        return options
    }

    private func jobUnique() throws(CommandFailure) -> JobUnique? {
        guard unique != nil || uniqueArgs else {
            for (flag, value) in [("--unique-for", uniqueFor), ("--on-conflict", onConflict)] where value != nil {
                throw .usage("\(flag) needs --unique or --unique-args")
            }
            return nil
        }
        if unique != nil, uniqueArgs { throw .usage("--unique and --unique-args exclude each other: keep one of them") }
        return JobUnique(
            unique, for: try Self.read(.seconds, uniqueFor, "--unique-for") ?? 0,
            onConflict: try Self.read(.word, onConflict, "--on-conflict") ?? .keep)
    }

    static func read<Value>(
        _ kind: SettingKind<Value>, _ text: String?, _ flag: String
    ) throws(CommandFailure) -> Value? {
        guard let text else { return nil }
        if Value.self == Timestamp.self, let day = LocalTime.missingDay(in: text) {
            throw .usage("\(flag): there is no day \(day)")
        }
        return try kind.value(of: [text], from: flag)
    }
}

extension SettingKind where Value == JobID {
    static let jobID = SettingKind(.text, "id", allowed: "32 hexadecimal digits") { JobID($0) }
}

extension SettingKind where Value == Timestamp {
    /// A time without a zone is no moment, so ISO 8601 must end in `Z` or an offset.
    static let time = SettingKind(
        .text, "time", allowed: "seconds since 1970, or a time with its zone, such as 2030-01-31T12:00:00Z"
    ) { text in
        if let seconds = Double(text) {
            return seconds.isFinite && abs(seconds) <= 9e12 ? Timestamp(seconds: seconds) : nil
        }
        let plain = Date.ISO8601FormatStyle()
        for style in [plain, Date.ISO8601FormatStyle(includingFractionalSeconds: true)] {
            if let date = try? style.parse(text) { return Timestamp(seconds: date.timeIntervalSince1970) }
        }
        return nil
    }
}
