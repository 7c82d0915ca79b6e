internal import Foundation
internal import JobReactor
internal import JobReactorWire

/// A node in a process of its own, which ends with this one however that ends.
///
/// Not `Sendable`: it belongs to the task that started it.
final class BenchNode {
    let name: String
    let processID: Int32
    private let shell: Process
    /// The shell waits for its end, which comes at the latest with the end of this process.
    private let life: Pipe
    private let scripts: URL
    private let address: Address

    /// Starts `jobreactor node` with these scripts and waits until the distributor sees it.
    static func start(
        _ name: String, for distributor: Distributor, scripts source: String, options: [String] = []
    ) async throws -> BenchNode {
        let scripts = FileManager.default.temporaryDirectory.appending(
            path: "jobreactor-bench-\(UUID().uuidString)", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: scripts, withIntermediateDirectories: true)
        try Data(source.utf8).write(to: scripts.appending(path: "bench.lua"))
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        let life = Pipe()
        let output = Pipe()
        shell.standardInput = life
        shell.standardOutput = output
        let watch = #""$@" >/dev/null & echo $!; read -r end; kill -9 $!"#
        let node = [
            try ownExecutable(), "node", "--name", name, "--distributor", "127.0.0.1:\(distributor.port ?? 0)",
            "--server", "127.0.0.1:0", "--jobs", scripts.path, "--log-level", "error",
        ]
        shell.arguments = ["-c", watch, "sh"] + node + options
        try shell.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let processID = Int32(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw CommandFailure.failure("the node of the benchmark did not start")
        }
        for _ in 0..<600 {
            let nodes = try await distributor.nodes()
            if let info = nodes.first(where: { $0.name == name && !$0.jobs.isEmpty && $0.window > 0 }),
                let address = Address(info.address)
            {
                return BenchNode(
                    name, processID: processID, shell: shell, life: life, scripts: scripts, address: address)
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw CommandFailure.failure("the node of the benchmark did not reach its distributor within 30 s")
    }

    private init(
        _ name: String, processID: Int32, shell: Process, life: Pipe, scripts: URL, address: Address
    ) {
        self.name = name
        self.processID = processID
        self.shell = shell
        self.life = life
        self.scripts = scripts
        self.address = address
    }

    private static func ownExecutable() throws -> String {
        guard let url = Bundle.main.executableURL else {
            throw CommandFailure.failure("cannot tell where this program is, to start it once more")
        }
        return url.path
    }

    func stop() {
        try? life.fileHandleForWriting.close()
        shell.waitUntilExit()
        try? FileManager.default.removeItem(at: scripts)
    }

    /// What the node counts.
    func info() async throws -> [String: Int] {
        let reply = try await Query.send(["INFO"], to: address, isNode: true, security: WireSecurity())
        var counts: [String: Int] = [:]
        for line in (reply.text ?? "").split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2, let count = Int(parts[1]) { counts[String(parts[0])] = count }
        }
        return counts
    }

    /// Waits until the node counts so, looking once every tenth of a second.
    func wait(until isReached: ([String: Int]) -> Bool) async throws {
        while !isReached(try await info()) { try await Task.sleep(for: .milliseconds(100)) }
    }

    /// Memory that the node has for itself alone, in bytes.
    func memory() throws -> Int { try Self.memory("\(processID)") }

    /// Memory that this process has for itself alone, in bytes.
    static func ownMemory() throws -> Int { try memory("self") }

    private static func memory(_ process: String) throws -> Int {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") }),
            let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
        else { throw CommandFailure.failure("cannot read the memory of a process from /proc: Linux is needed") }
        return kilobytes * 1024
    }
}
