import Foundation
import JobReactorTesting

/// A process that can be killed, stopped and started again, as often as need be, with its log in a file. When it ends and
/// nobody has asked for that it is noted, and started again, as a service manager does.
final class Member: Sendable {
    /// An end that nobody asked for, or that did not come.
    struct Surprise: Sendable {
        let member: String
        let what: String
        let at: Date
        /// It ended by itself with an error, as a process does that cannot open its storage.
        var isRefusal = false
    }

    let name: String
    private let program: String
    private let arguments: [String]
    /// It has an end, as a producer has.
    private let ends: Bool
    private let log: String
    private let state = Guarded(State())

    private struct State {
        var process: Process?
        /// Ends with the process.
        var ended: AsyncStream<Void>?
        /// It is to run.
        var isWanted = false
        /// It ended by itself, with success.
        var isDone = false
        var processes: Set<Int32> = []
        var surprises: [Surprise] = []
    }

    /// Seconds that a stop may take: the grace, 10, and as much again to close a storage that is away; and a busy machine.
    private static let longestStop = 60.0
    /// What nodes and distributors say of a stop whose time was too short for something that was under way.
    private static let cutShort = ["their runs count as attempts", "may run again"]

    init(_ name: String, _ program: String, _ arguments: [String], ends: Bool = false, folder: String) throws {
        self.name = name
        self.program = program
        self.arguments = arguments
        self.ends = ends
        log = "\(folder)/\(name).log"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
    }

    func start() throws {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        let output = try FileHandle(forWritingTo: URL(filePath: log))
        try output.seekToEnd()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        let (ended, end) = AsyncStream<Void>.makeStream()
        process.terminationHandler = { [weak self] process in
            self?.hasEnded(process)
            end.finish()
        }
        try state.withLock { state in
            try process.start()
            state.process = process
            state.ended = ended
            state.isWanted = true
            state.isDone = false
            state.processes.insert(process.processIdentifier)
        }
        try endWithUs(process.processIdentifier)
    }

    /// The ids of the processes that it has been.
    var processes: Set<Int32> { state.withLock { $0.processes } }
    var surprises: [Surprise] { state.withLock { $0.surprises } }
    /// It has come to its end.
    var isDone: Bool { state.withLock { $0.isDone } }

    func signal(_ number: Int32) {
        state.withLock { state in
            if let process = state.process, process.isRunning { Foundation.kill(process.processIdentifier, number) }
        }
    }

    func kill() async {
        let ended = unwant()
        signal(SIGCONT)
        signal(SIGKILL)
        if let ended { for await _ in ended {} }
    }

    /// Tells it to stop, and waits until it has. Returns whether it has said that its grace was too short for what was under
    /// way.
    func stop() async -> Bool {
        let before = logSize
        let ended = unwant()
        signal(SIGTERM)
        let patience = Task {
            try await Task.sleep(for: .seconds(Self.longestStop))
            note("does not end \(Int(Self.longestStop)) s after SIGTERM")
            signal(SIGKILL)
        }
        if let ended { for await _ in ended {} }
        patience.cancel()
        let log = logged(from: before)
        return Self.cutShort.contains { log.contains($0) }
    }

    private func unwant() -> AsyncStream<Void>? {
        state.withLock { state in
            state.isWanted = false
            return state.ended
        }
    }

    private func note(_ what: String, isRefusal: Bool = false) {
        state.withLock { $0.surprises.append(Surprise(member: name, what: what, at: Date(), isRefusal: isRefusal)) }
    }

    private func hasEnded(_ process: Process) {
        let (code, isCrash) = (process.terminationStatus, process.terminationReason == .uncaughtSignal)
        let wasWanted = state.withLock { state in
            if ends, !isCrash, code == 0, state.isWanted { state.isDone = true }
            return state.isWanted && !state.isDone
        }
        // Told to stop, it may end of SIGTERM in its first moments; no process ends of what only an error brings about.
        let isOrdered = !wasWanted && (!isCrash || [SIGKILL, SIGTERM].contains(code))
        guard !isOrdered else { return }
        note(isCrash ? "was ended by signal \(code)" : "ended with status \(code)", isRefusal: !isCrash)
        guard wasWanted else { return }
        Task {
            try await Task.sleep(for: .seconds(1))
            let isStillDown = state.withLock { $0.isWanted && $0.process === process }
            if isStillDown { try start() }
        }
    }

    private var logSize: UInt64 {
        (try? FileHandle(forReadingFrom: URL(filePath: log)).seekToEnd()) ?? 0
    }

    private func logged(from offset: UInt64) -> String {
        guard let file = try? FileHandle(forReadingFrom: URL(filePath: log)) else { return "" }
        try? file.seek(toOffset: offset)
        return String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
    }

    /// How often one of the texts stands in its log.
    func count(_ texts: [String]) -> Int {
        let text = logged(from: 0)
        return texts.reduce(0) { $0 + text.components(separatedBy: $1).count - 1 }
    }

    /// A shell that ends the process when this one is gone, however it went.
    private func endWithUs(_ child: Int32) throws {
        let watch = Process()
        watch.executableURL = URL(filePath: "/bin/sh")
        watch.arguments = [
            "-c",
            ProcessStart.killIfSame + """

                while kill -0 "$1" 2>/dev/null; do kill -0 "$2" 2>/dev/null || exit 0; sleep 1; done
                kill_if_same "$2" "$3"
                """, "watch", "\(getpid())", "\(child)", ProcessStart.of(child),
        ]
        watch.standardInput = FileHandle.nullDevice
        watch.standardOutput = FileHandle.nullDevice
        watch.standardError = FileHandle.nullDevice
        try watch.start()
    }
}

/// A value behind a lock.
final class Guarded<Value: Sendable>: Sendable {
    private let lock = NSLock()
    // Only touched while the lock is held.
    private nonisolated(unsafe) var value: Value

    init(_ value: Value) { self.value = value }

    func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}

enum Programs {
    /// What a program writes, with 20 s to do it: one that asks a frozen process would wait for ever.
    static func output(_ program: String, _ arguments: [String], input: String? = nil) async throws -> String {
        let files = FileManager.default.temporaryDirectory.appending(path: "jobreactor-chaos-\(UUID().uuidString)").path
        let (inputFile, outputFile) = (files + ".in", files + ".out")
        try (input ?? "").write(toFile: inputFile, atomically: true, encoding: .utf8)
        _ = FileManager.default.createFile(atPath: outputFile, contents: nil)
        defer {
            try? FileManager.default.removeItem(atPath: inputFile)
            try? FileManager.default.removeItem(atPath: outputFile)
        }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["timeout", "20", program] + arguments
        // Closed here: a process keeps them open for a while, and hundreds of open files cost the start of each program.
        let standardInput = try FileHandle(forReadingFrom: URL(filePath: inputFile))
        defer { try? standardInput.close() }
        let standardOutput = try FileHandle(forWritingTo: URL(filePath: outputFile))
        defer { try? standardOutput.close() }
        process.standardInput = standardInput
        process.standardOutput = standardOutput
        process.standardError = FileHandle.nullDevice
        let (ended, end) = AsyncStream<Void>.makeStream()
        process.terminationHandler = { _ in end.finish() }
        try process.start()
        for await _ in ended {}
        return try String(contentsOfFile: outputFile, encoding: .utf8)
    }
}
