internal import Foundation
private import NIOCore
private import NIOPosix

/// A process beside this one, which ends with it however that ends.
///
/// Not `Sendable`: it belongs to the task that started it.
final class BenchProcess {
    let processID: Int32
    private let name: String
    private let shell: Process
    /// The shell waits for its end, which comes at the latest with the end of this process.
    private let life: Pipe

    /// Starts a program that is on the PATH; `name` is for errors. What it says on standard output is dropped.
    init(_ name: String, _ words: [String]) throws {
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        let life = Pipe()
        let output = Pipe()
        shell.standardInput = life
        shell.standardOutput = output
        shell.arguments = ["-c", #""$@" >/dev/null & echo $!; read -r end; kill -9 $!"#, "sh"] + words
        try shell.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let processID = Int32(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw CommandFailure.failure("\(name) of the benchmark did not start")
        }
        self.name = name
        self.processID = processID
        self.shell = shell
        self.life = life
    }

    /// This program once more.
    static func jobreactor(_ name: String, _ arguments: [String]) throws -> BenchProcess {
        guard let url = Bundle.main.executableURL else {
            throw CommandFailure.failure("cannot find the path of this program to start it again")
        }
        return try BenchProcess(name, [url.path] + arguments)
    }

    func stop() {
        try? life.fileHandleForWriting.close()
        shell.waitUntilExit()
    }

    /// Waits for what `look` finds, for half a minute; what it throws counts as not yet.
    func wait<Value>(for what: String, _ look: () async throws -> Value?) async throws -> Value {
        for _ in 0..<600 {
            if let found = try? await look() { return found }
            guard try ProcessReading.isAlive(processID) else {
                throw CommandFailure.failure("\(name) of the benchmark has ended; its output is above")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw CommandFailure.failure("\(name) of the benchmark has not \(what) within 30 s")
    }

    /// A port of the loopback interface that nothing uses now.
    static func freePort() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port ?? 0
        try await channel.close().get()
        return port
    }
}
