internal import ArgumentParser
private import Foundation
internal import JobReactorCore

/// The options of one job, from ``JobOptionTable``. They belong to the job and not to an installation, so they are flags
/// alone. What follows one that takes a number is its value, also `-1`: the answer is then what the flag takes.
struct JobOptionFlags: ParsableArguments {
    @Option(job: \.after) var after: String?
    @Option(job: \.runAt) var runAt: String?
    @Option(job: \.period) var period: String?
    @Option(job: \.node) var node: String?
    @Option(job: \.notNode) var notNode: String?
    @Flag(job: \.isDeferred) var isDeferred = false
    @Option(job: \.maxAttempt) var maxAttempt: String?
    @Option(job: \.retryMultiplier) var retryMultiplier: String?
    @Option(job: \.priority) var priority: String?
    @Option(job: \.unique) var unique: String?
    @Flag(help: "As --unique, with a key that is made of the args.") var uniqueArgs = false
    @Option(job: \.uniqueFor) var uniqueFor: String?
    @Option(job: \.onConflict) var onConflict: String?
    @Option(job: \.id) var jobID: String?

    /// What was said of each.
    private var texts: [(option: KeyPath<JobOptionTable, JobOption>, text: String?)] {
        [
            (\.after, after), (\.runAt, runAt), (\.period, period), (\.node, node), (\.notNode, notNode),
            (\.maxAttempt, maxAttempt), (\.retryMultiplier, retryMultiplier), (\.priority, priority),
            (\.unique, unique), (\.uniqueFor, uniqueFor), (\.onConflict, onConflict), (\.id, jobID),
        ]
    }

    func jobOptions() throws(CommandFailure) -> JobOptions {
        if after != nil, runAt != nil { throw .usage("--after and --run-at exclude each other: keep one of them") }
        if unique != nil, uniqueArgs { throw .usage("--unique and --unique-args exclude each other: keep one of them") }
        var options = JobOptions(isDeferred: isDeferred, unique: uniqueArgs ? JobUnique() : nil)
        for (path, text) in texts {
            let option = JobOptionTable.standard[keyPath: path]
            guard let text else { continue }
            if option.part != nil, options.unique == nil {
                throw .usage("\(option.flag) needs --unique or --unique-args")
            }
            _ = option.set(&options, try Self.value(option, text))
        }
        do throws(JobError) { try options.validate(names: .flags) } catch { throw .usage(error.message) }
        return options
    }

    /// The value that the text of a flag has.
    private static func value(_ option: JobOption, _ text: String) throws(CommandFailure) -> FieldValue {
        func read<Value>(_ kind: SettingKind<Value>) throws(CommandFailure) -> Value {
            try Self.value(kind, text, option.flag)
        }
        return switch option.type {
        case .id: try read(.jobID).field
        case .name: .text(try read(.name))
        case .text, .key, .object, .trace, .flag: .text(text)
        case .choice(let words): .text(try read(.choice(words)))
        case .whole(let range, _): .whole(try read(.wholeNumber(range)))
        case .seconds, .secondsAboveZero: .number(try read(.seconds))
        case .time: .time(try read(.time))
        }
    }

    private static func value<Value>(
        _ kind: SettingKind<Value>, _ text: String, _ flag: String
    ) throws(CommandFailure) -> Value {
        if Value.self == Timestamp.self, let day = LocalTime.missingDay(in: text) {
            throw .usage("\(flag): there is no day \(day)")
        }
        return try kind.value(of: [text], from: flag)
    }

    static func read<Value>(
        _ kind: SettingKind<Value>, _ text: String?, _ flag: String
    ) throws(CommandFailure) -> Value? {
        guard let text else { return nil }
        return try value(kind, text, flag)
    }
}

// Flags take their name and their help from the table of options.

extension Option where Value == String? {
    init(job option: KeyPath<JobOptionTable, JobOption>) {
        let option = JobOptionTable.standard[keyPath: option]
        self.init(
            name: .customLong(option.name.replacing("_", with: "-")), parsing: option.parsing,
            help: ArgumentHelp(option.help, valueName: option.type.valueName), completion: option.completion)
    }
}

extension Flag where Value == Bool {
    init(wrappedValue: Bool, job option: KeyPath<JobOptionTable, JobOption>) {
        let option = JobOptionTable.standard[keyPath: option]
        self.init(
            wrappedValue: wrappedValue, name: .customLong(option.name.replacing("_", with: "-")),
            help: ArgumentHelp(option.help))
    }
}

extension JobOption {
    /// What follows a flag that takes a number is its value, also `-1`.
    fileprivate var parsing: SingleValueParsingStrategy {
        switch type {
        case .whole, .seconds, .secondsAboveZero: .unconditional
        default: .next
        }
    }

    fileprivate var completion: CompletionKind? {
        if case .choice(let words) = type { .list(words) } else { nil }
    }
}

extension SettingKind where Value == String {
    static func choice(_ words: [String]) -> SettingKind {
        SettingKind(.text, words.joined(separator: "|"), allowed: "one of \(words.joined(separator: ", "))") {
            words.contains($0) ? $0 : nil
        }
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
