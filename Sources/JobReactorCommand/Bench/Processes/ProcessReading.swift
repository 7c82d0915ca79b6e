private import Foundation

/// What Linux tells of a process. Each function throws where there is no `/proc`.
enum ProcessReading {
    /// This process.
    static let own = Int32(ProcessInfo.processInfo.processIdentifier)

    /// Memory that the process has for itself alone, in bytes.
    static func memory(_ process: Int32) throws -> Int { try kilobytes("RssAnon", process) * 1024 }

    /// Memory in use, with what it shares (programs and libraries), in bytes.
    static func residentMemory(_ process: Int32) throws -> Int { try kilobytes("VmRSS", process) * 1024 }

    /// Seconds of a processor that the process has used since it began.
    static func processorSeconds(_ process: Int32) throws -> Double {
        // Behind the name, which may have spaces in it: utime and stime are the fields 14 and 15 of all.
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return try unreadable() }
        let fields = text[end...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
            return try unreadable()
        }
        return (user + system) / 100
    }

    /// How often each thread of the process has gone to sleep since it began, by its number.
    static func sleeps(_ process: Int32) throws -> [String: (thread: String, count: Int)] {
        let tasks = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")
        var sleeps: [String: (thread: String, count: Int)] = [:]
        for task in try tasks ?? unreadable() {
            let file = "/proc/\(process)/task/\(task)/status"
            // A thread may end while we look.
            guard let count = try? number("voluntary_ctxt_switches", file), let name = try? text("Name", file) else {
                continue
            }
            sleeps[task] = (name, count)
        }
        return sleeps
    }

    /// Whether it runs: one that has ended and whose end nobody has noted does not.
    static func isAlive(_ process: Int32) throws -> Bool {
        guard FileManager.default.fileExists(atPath: "/proc/self/status") else { return try unreadable() }
        guard let state = try? text("State", "/proc/\(process)/status") else { return false }
        return state != "Z" && state != "X"
    }

    private static func kilobytes(_ field: String, _ process: Int32) throws -> Int {
        try number(field, "/proc/\(process)/status")
    }

    private static func number(_ field: String, _ file: String) throws -> Int {
        guard let number = Int(try text(field, file)) else { return try unreadable() }
        return number
    }

    /// The first word of a field.
    private static func text(_ field: String, _ file: String) throws -> String {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix(field + ":") }),
            let word = line.split(whereSeparator: \.isWhitespace).dropFirst().first
        else { return try unreadable() }
        return String(word)
    }

    private static func unreadable<Value>() throws -> Value {
        throw CommandFailure.failure("cannot read the figures of a process from /proc: Linux is needed")
    }
}
