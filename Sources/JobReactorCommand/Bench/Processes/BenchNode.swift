internal import Foundation
internal import JobReactor
internal import JobReactorWire

/// A node in a process of its own.
///
/// Not `Sendable`: it belongs to the task that started it.
final class BenchNode {
    let processID: Int32
    private let process: BenchProcess
    private let scripts: URL
    private let address: Address

    /// The scripts of the benchmarks' nodes: a job that does nothing.
    static let noOp = "job('bench', function(args) end)\n"

    /// Starts `jobreactor node` with these scripts and waits until the distributor sees it.
    static func start(
        _ name: String = "bench", for distributor: Distributor, scripts source: String = noOp, options: [String] = []
    ) async throws -> BenchNode {
        let scripts = FileManager.default.temporaryDirectory.appending(
            path: "jobreactor-bench-\(UUID().uuidString)", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: scripts, withIntermediateDirectories: true)
        do {
            return try await start(name, for: distributor, in: scripts, source, options)
        } catch {
            try? FileManager.default.removeItem(at: scripts)
            throw error
        }
    }

    private static func start(
        _ name: String, for distributor: Distributor, in scripts: URL, _ source: String, _ options: [String]
    ) async throws -> BenchNode {
        try Data(source.utf8).write(to: scripts.appending(path: "bench.lua"))
        let process = try BenchProcess.jobreactor(
            "the node",
            [
                "node", "--name", name, "--distributor", "127.0.0.1:\(distributor.port ?? 0)", "--server",
                "127.0.0.1:0", "--jobs", scripts.path, "--log-level", "error",
            ] + options)
        let address = try await process.wait(for: "reached its distributor") {
            let info = try await distributor.nodes().first { $0.name == name && !$0.jobs.isEmpty && $0.window > 0 }
            return info.flatMap { Address($0.address) }
        }
        return BenchNode(process, scripts: scripts, address: address)
    }

    private init(_ process: BenchProcess, scripts: URL, address: Address) {
        self.process = process
        processID = process.processID
        self.scripts = scripts
        self.address = address
    }

    func stop() {
        process.stop()
        try? FileManager.default.removeItem(at: scripts)
    }

    /// What the node counts.
    func info() async throws -> [String: Int] {
        let reply = try await ask(["INFO"])
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

    /// Writes other scripts and has the node load them.
    func reload(_ source: String) async throws {
        try Data(source.utf8).write(to: scripts.appending(path: "bench.lua"), options: .atomic)
        _ = try await ask(["RELOAD"])
    }

    private func ask(_ words: [String]) async throws -> RESPValue {
        try await Query.send(words, to: address, isNode: true, security: WireSecurity())
    }
}
