import Foundation
import JobReactorTesting
import Testing

/// A program that a test started, with what it has written so far. It is ended with the test.
///
/// It writes to files: a pipe's end might be inherited by whatever program another test starts at the same moment, and then
/// never end.
final class RunningProgram: Sendable {
    private let process: Process
    private let folder: Folder
    let name: String

    init(_ program: String, _ arguments: [String], environment: [String: String] = [:], directory: String? = nil) throws
    {
        name = ([program] + arguments).joined(separator: " ")
        folder = try Folder(["output": "", "errors": ""])
        process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        var variables = ProcessInfo.processInfo.environment
        variables["PATH"] = "\(Programs.folder):\(variables["PATH"] ?? "/usr/bin:/bin")"
        variables.merge(environment) { _, new in new }
        process.environment = variables
        if let directory { process.currentDirectoryURL = URL(filePath: directory) }
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: folder.path + "/output"))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: folder.path + "/errors"))
        process.standardInput = FileHandle.nullDevice
        try process.start()
        Programs.endWithTheTests(process.processIdentifier)
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    var standardOutput: String { text("output") }
    var standardError: String { text("errors") }

    private func text(_ file: String) -> String {
        (try? Data(contentsOf: URL(filePath: folder.path + "/" + file))).map { String(decoding: $0, as: UTF8.self) }
            ?? ""
    }

    /// Processor time of the process and its threads so far, in clock ticks (1/100 s).
    func processorTicks() throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)
        // After the name in parentheses: the state is the first field, utime and stime are the 12th and 13th.
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ").dropFirst()
        return fields.dropFirst(11).prefix(2).reduce(0) { $0 + (Int($1) ?? 0) }
    }

    var processIdentifier: Int32 { process.processIdentifier }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for the end and returns the exit status; a program killed by a signal has 128 and the signal's number.
    @discardableResult
    func exitStatus(seconds: Double = 300, sourceLocation: SourceLocation = #_sourceLocation) async throws -> Int32 {
        try await eventually("\(name) ends", seconds: seconds, sourceLocation: sourceLocation) {
            !process.isRunning
        }
        guard !process.isRunning else {
            signal(SIGKILL)
            return -1
        }
        return process.terminationReason == .uncaughtSignal
            ? 128 + process.terminationStatus : process.terminationStatus
    }

    /// Waits until the program has written the text to its log.
    func logs(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await eventually("'\(text)' in the log of \(name)", sourceLocation: sourceLocation) {
            standardError.contains(text) || !process.isRunning
        }
        if !standardError.contains(text) {
            Issue.record("\(name) ended: \(standardError)", sourceLocation: sourceLocation)
        }
    }
}

/// What a program that has ended wrote and returned.
struct Finished: Sendable {
    var status: Int32
    var output: String
    var errors: String
}

enum Programs {
    /// A file of process ids, and a shell that ends those of them that are ours still when the tests are gone, however
    /// they went: a test that crashes cannot end what it started.
    private static let started: FileHandle? = {
        let file = FileManager.default.temporaryDirectory.appending(path: "jobreactor-tests-\(getpid())").path
        _ = FileManager.default.createFile(atPath: file, contents: nil)
        let watch = Process()
        watch.executableURL = URL(filePath: "/bin/sh")
        watch.arguments = [
            "-c",
            ProcessStart.killIfSame + """

                while kill -0 "$1" 2>/dev/null; do sleep 1; done
                while read -r pid start; do kill_if_same "$pid" "$start"; done <"$2"
                rm -f "$2"
                """, "watch", "\(getpid())", file,
        ]
        watch.standardInput = FileHandle.nullDevice
        watch.standardOutput = FileHandle.nullDevice
        watch.standardError = FileHandle.nullDevice
        try? watch.start()
        return FileHandle(forWritingAtPath: file)
    }()

    static func endWithTheTests(_ process: Int32) {
        try? started?.write(contentsOf: Data("\(process) \(ProcessStart.of(process))\n".utf8))
    }

    /// Where the build put the programs: beside the tests.
    static let folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path

    static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], directory: String? = nil,
        seconds: Double = 300, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Finished {
        let running = try RunningProgram(program, arguments, environment: environment, directory: directory)
        let status = try await running.exitStatus(seconds: seconds, sourceLocation: sourceLocation)
        return Finished(status: status, output: running.standardOutput, errors: running.standardError)
    }

    /// A connection to a port of this machine that says nothing. To be closed by the caller.
    static func connect(_ port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(status == 0)
        return descriptor
    }

    /// A port on the loopback interface that nothing uses now.
    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer -> Int in
                guard bind(descriptor, pointer, length) == 0, getsockname(descriptor, pointer, &length) == 0 else {
                    return 0
                }
                return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    Int(UInt16(bigEndian: $0.pointee.sin_port))
                }
            }
        }
        try #require(port > 0)
        return port
    }
}

/// A folder that goes with the test.
final class Folder: Sendable {
    let path: String

    init(_ files: [String: String] = [:]) throws {
        path = FileManager.default.temporaryDirectory.appending(path: "jobreactor-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (name, text) in files {
            let file = URL(filePath: path).appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Asks again until the answer is yes; fails after `seconds`.
func eventually(
    _ what: String, seconds: Double = 300, sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("never came: \(what)", sourceLocation: sourceLocation)
}
