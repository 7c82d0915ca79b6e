internal import ArgumentParser
internal import Foundation
internal import JobReactorWire

/// Where the jobs of a benchmark are kept.
enum StorageKind: String, CaseIterable, ExpressibleByArgument, Sendable {
    case memory, sqlite, redis
}

/// A place for the jobs of one process, gone with the benchmark.
///
/// Not `Sendable`: it belongs to the task that made it.
final class BenchStorage {
    let kind: StorageKind
    /// As `--storage` takes it.
    let text: String
    /// Of the Redis server.
    let address: Address?
    let folder: URL
    private let server: BenchProcess?

    /// Starts what the storage needs. A Redis server appends each command to a file, and syncs that once a second.
    static func make(_ kind: StorageKind) async throws -> BenchStorage {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "jobreactor-bench-\(UUID().uuidString)", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        do { return try await make(kind, in: folder) } catch {
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
    }

    private static func make(_ kind: StorageKind, in folder: URL) async throws -> BenchStorage {
        switch kind {
        case .memory: return BenchStorage(kind, "memory", folder)
        case .sqlite: return BenchStorage(kind, "sqlite:\(folder.appending(path: "bench.db").path)", folder)
        case .redis:
            let address = Address(host: "127.0.0.1", port: try await BenchProcess.freePort())
            let server = try BenchProcess(
                "the Redis server (Debian's package redis-server)",
                [
                    "redis-server", "--port", "\(address.port)", "--bind", address.host, "--dir", folder.path,
                    "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--daemonize", "no",
                ])
            _ = try await server.wait(for: "opened its port") {
                try await Query.send(["PING"], to: address, security: WireSecurity())
            }
            return BenchStorage(kind, "redis://\(address)", folder, address: address, server: server)
        }
    }

    private init(
        _ kind: StorageKind, _ text: String, _ folder: URL, address: Address? = nil, server: BenchProcess? = nil
    ) {
        self.kind = kind
        self.text = text
        self.folder = folder
        self.address = address
        self.server = server
    }

    func remove() {
        server?.stop()
        try? FileManager.default.removeItem(at: folder)
    }
}
