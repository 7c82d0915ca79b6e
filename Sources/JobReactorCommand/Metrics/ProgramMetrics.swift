private import Foundation
private import JobReactorCore

/// What is read of this process when somebody asks, beside what it counts.
struct ProgramMetrics: Sendable {
    /// The counter of what is asked at the HTTP port.
    static let requests = "jobreactor_http_requests"
    /// Of the counters of the program.
    static let helps = [requests: "Requests to the HTTP port"]

    private let role: String
    private let version: String
    private let spansDropped: (@Sendable () -> Int)?
    private let startedAt = Date().timeIntervalSince1970

    /// `role` is `node` or `distributor`; `spansDropped` is there where spans are sent.
    init(role: String, version: String, spansDropped: (@Sendable () -> Int)? = nil) {
        self.role = role
        self.version = version
        self.spansDropped = spansDropped
    }

    func write(to text: inout PrometheusText) {
        text.add(
            "jobreactor_build_info", .gauge, help: "The version of the program; the value is always 1.",
            labels: PrometheusText.labels([("role", role), ("version", version)]), 1)
        text.add(
            "jobreactor_log_lines_dropped_total", .counter,
            help: "Lines of the log that were dropped because nobody read them.",
            Double(Terminal.background?.dropped ?? 0))
        if let spansDropped {
            text.add(
                "jobreactor_spans_dropped_total", .counter, help: "Spans that the collector has not accepted.",
                Double(spansDropped()))
        }
        text.add(
            "process_start_time_seconds", .gauge, help: "When the process began, in seconds since 1970.", startedAt)
        text.add("process_max_fds", .gauge, help: "Files that the process may have open.", Double(OpenFiles.limit))
        text.add(
            "process_cpu_seconds_total", .counter, help: "Processor time of the process.", Self.processorSeconds)
        #if os(Linux)
            if let bytes = try? ProcessReading.residentMemory(ProcessReading.own) {
                text.add("process_resident_memory_bytes", .gauge, help: "Memory of the process.", Double(bytes))
            }
            if let files = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
                text.add("process_open_fds", .gauge, help: "Files that the process has open.", Double(files.count))
            }
        #endif
    }

    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
