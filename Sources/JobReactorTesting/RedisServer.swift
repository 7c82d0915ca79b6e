private import Foundation
private import JobReactorCore

/// A real Redis server for a test, on a free loopback port, with an append-only file in its own folder, removed with
/// the test. Needs `redis-server` (Debian's package of that name) on the PATH, or the program that `REDIS_SERVER`
/// names, such as `valkey-server`.
public final class RedisServer: Sendable {
    public let port: Int
    private let folder: String
    private let options: [String]
    private let process = Locked<Process?>(nil)

    /// Options with which a killed server loses nothing that it has acknowledged. Without them it may answer before it
    /// has written, if its disk is slow to sync.
    public static let keepingAll = ["--appendfsync", "always"]

    /// The URL of the server.
    public var url: String { "redis://127.0.0.1:\(port)" }

    /// Starts a server and waits until it answers. `options` are additional command-line options.
    public static func start(_ options: [String] = []) async throws -> RedisServer {
        try await start(options, in: nil)
    }

    /// As above, with its files in the caller's folder, for example on a disk that the test fills.
    package static func start(in folder: String) async throws -> RedisServer {
        try await start([], in: folder)
    }

    private static func start(_ options: [String], in folder: String?) async throws -> RedisServer {
        var last: any Error = StorageError("no port is free")
        // Another program may take the port between our look and the start.
        for _ in 0..<5 {
            let server = try RedisServer(port: freePort(), options, in: folder)
            do {
                try await server.restart()
                return server
            } catch {
                last = error
            }
        }
        throw last
    }

    private init(port: Int, _ options: [String], in place: String?) throws {
        self.port = port
        self.options = options
        folder =
            (place.map { URL(filePath: $0) } ?? FileManager.default.temporaryDirectory)
            .appending(path: "jobreactor-redis-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit {
        let (process, folder) = (process.withLock { $0 }, folder)
        if let process, process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Starts it again with its append-only file, and waits until it answers.
    public func restart() async throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        let program = ProcessInfo.processInfo.environment["REDIS_SERVER"] ?? "redis-server"
        process.arguments =
            [
                program, "--port", "\(port)", "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes", "--save",
                "",
                "--logfile", "log",
            ] + options
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.start()
        try watch(process.processIdentifier)
        self.process.withLock { $0 = process }
        for _ in 0..<3000 {
            guard process.isRunning else { throw StorageError("\(program) does not start: \(log)") }
            if log.contains("eady to accept connections") { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw StorageError("\(program) is not ready after a minute: \(log)")
    }

    /// Kills it (SIGKILL), and waits until it is gone.
    public func kill() async {
        guard let process = process.withLock({ $0 }), process.isRunning else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        while process.isRunning { try? await Task.sleep(for: .milliseconds(5)) }
        try? FileManager.default.removeItem(atPath: folder + "/log")
    }

    /// Freezes it, so that it neither answers nor closes connections, or resumes it.
    public func freeze(_ freeze: Bool) {
        guard let process = process.withLock({ $0 }), process.isRunning else { return }
        Foundation.kill(process.processIdentifier, freeze ? SIGSTOP : SIGCONT)
    }

    private var log: String { (try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? "" }

    /// A shell that ends the server when this process is gone, however it went.
    private func watch(_ server: Int32) throws {
        let watch = Process()
        watch.executableURL = URL(filePath: "/bin/sh")
        watch.arguments = [
            "-c",
            ProcessStart.killIfSame + """

                while kill -0 "$1" 2>/dev/null; do kill -0 "$2" 2>/dev/null || exit 0; sleep 1; done
                kill_if_same "$2" "$4"
                rm -rf "$3"
                """, "watch", "\(getpid())", "\(server)", folder, ProcessStart.of(server),
        ]
        watch.standardInput = FileHandle.nullDevice
        watch.standardOutput = FileHandle.nullDevice
        watch.standardError = FileHandle.nullDevice
        try watch.start()
    }

    /// A port on the loopback interface that nothing uses now.
    public static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0
            } ? Int(UInt16(bigEndian: pointer.pointee.sin_port)) : 0
        }
        guard port > 0 else { throw StorageError("no free port on the loopback interface") }
        return port
    }
}
