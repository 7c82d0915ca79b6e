private import Foundation

/// What Linux tells of a process. Each function throws where there is no `/proc`.
enum ProcessReading {
    /// This process.
    static let own = Int32(ProcessInfo.processInfo.processIdentifier)

    /// Memory that the process has for itself alone, in bytes.
    static func memory(_ process: Int32) throws -> Int { try kilobytes("RssAnon", process) * 1024 }

    /// Memory in use, with what it shares (programs and libraries), in bytes.
    static func residentMemory(_ process: Int32) throws -> Int { try kilobytes("VmRSS", process) * 1024 }

    /// How often threads of the process have gone to sleep since it began.
    static func sleeps(_ process: Int32) throws -> Int {
        let tasks = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")
        // A thread may end while we look.
        return try (tasks ?? unreadable()).reduce(0) { sum, task in
            sum + ((try? number("voluntary_ctxt_switches", "/proc/\(process)/task/\(task)/status")) ?? 0)
        }
    }

    private static func kilobytes(_ field: String, _ process: Int32) throws -> Int {
        try number(field, "/proc/\(process)/status")
    }

    private static func number(_ field: String, _ file: String) throws -> Int {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix(field + ":") }),
            let number = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
        else { return try unreadable() }
        return number
    }

    private static func unreadable<Value>() throws -> Value {
        throw CommandFailure.failure("cannot read of a process from /proc: Linux is needed")
    }
}
