import Foundation

/// Processor time in seconds, of all processors together, since the machine started.
struct ProcessorTime {
    /// What nobody used.
    private let idle: Double
    /// What some processes used.
    private let used: Double

    /// Now, with what the given processes have used so far.
    static func now(of processes: [Int32]) throws -> ProcessorTime {
        let machine = try String(contentsOfFile: "/proc/stat", encoding: .utf8)
        return ProcessorTime(idle: idle(machine), used: processes.map(used(by:)).reduce(0, +))
    }

    /// The time between two moments that was there for those processes: what they used, and what nobody did. What others
    /// used is not, as if they had machines of their own.
    static func available(from begin: ProcessorTime, to end: ProcessorTime) -> Double {
        (end.idle - begin.idle) + (end.used - begin.used)
    }

    /// Ticks to seconds: the kernel shows all times in hundredths.
    private static let tick = 0.01

    /// `cpu user nice system idle iowait …`
    private static func idle(_ machine: String) -> Double {
        let fields = machine.prefix { $0 != "\n" }.split(separator: " ").dropFirst()
        return fields.dropFirst(3).prefix(2).compactMap { Double($0) }.reduce(0, +) * tick
    }

    /// The fields after the name, which is in parentheses: state, 10 others, and the time as user and in the kernel.
    private static func used(by process: Int32) -> Double {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let name = text.lastIndex(of: ")")
        else { return 0 }
        let fields = text[text.index(after: name)...].split(separator: " ")
        return fields.dropFirst(11).prefix(2).compactMap { Double($0) }.reduce(0, +) * tick
    }
}
