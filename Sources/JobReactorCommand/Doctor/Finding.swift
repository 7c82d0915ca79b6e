internal import JobReactorCore

/// What the doctor has found of one thing: that it is as it should be, or what is wrong, and what to do.
struct Finding: Hashable, Sendable {
    enum Level: String, Sendable {
        case good = "ok"
        /// It works, and may not for long, or not as people think.
        case warning
        /// It does not work, or jobs may get lost.
        case error
    }

    let level: Level
    /// The thing, as it stands in the settings: `listen localhost:5000`.
    let subject: String
    let message: String
    /// What to do; nil where there is nothing to do, or the message says it.
    let advice: String?

    static func good(_ subject: String, _ message: String) -> Finding {
        Finding(level: .good, subject: subject, message: message, advice: nil)
    }

    static func warning(_ subject: String, _ message: String, _ advice: String? = nil) -> Finding {
        Finding(level: .warning, subject: subject, message: message, advice: advice)
    }

    static func error(_ subject: String, _ message: String, _ advice: String? = nil) -> Finding {
        Finding(level: .error, subject: subject, message: message, advice: advice)
    }

    /// On one line, whatever peers have said.
    var line: String {
        let level = level.rawValue + String(repeating: " ", count: 9 - level.rawValue.count)
        return level + Terminal.printableLine([subject, message, advice].compactMap { $0 }.joined(separator: ": "))
    }

    var json: JSONValue {
        .object([
            "level": .string(level.rawValue), "subject": .string(subject), "message": .string(message),
            "advice": advice.map { .string($0) } ?? .null,
        ])
    }

    /// `2 errors, 1 warning`.
    static func summary(_ findings: [Finding]) -> String {
        func text(_ level: Level, _ word: String) -> String {
            let count = findings.count { $0.level == level }
            return "\(count) \(word)\(count == 1 ? "" : "s")"
        }
        return "\(text(.error, "error")), \(text(.warning, "warning"))"
    }
}
