import Foundation
private import GRDBSQLite
import JobReactorTesting

/// A storage that can be broken. Each fault lasts for so many seconds, is mended, and returns how it was done; nil when it
/// could not be done now.
protocol BreakableStorage: Sendable {
    var name: String { get }

    func refuse(_ way: Int, seconds: Double) async throws -> String?
    func fill(seconds: Double) async throws -> String?
    func stall(seconds: Double) async throws -> String?
    func restart(_ way: Int, seconds: Double) async throws -> String?
}

/// The Redis server that all processes share, with its append-only file on a disk of its own.
struct RedisChaos: BreakableStorage {
    let name = "redis"
    let server: RedisServer
    let disk: Disk

    func refuse(_ way: Int, seconds: Double) async throws -> String? {
        let (what, begin, end) =
            switch way % 3 {
            case 0: ("no memory", ["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"])
            case 1:
                (
                    "no replicas", ["CONFIG", "SET", "min-replicas-to-write", "1"],
                    ["CONFIG", "SET", "min-replicas-to-write", "0"]
                )
            // Of a server that nobody is: what it has stays.
            default: ("read only", ["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"])
            }
        try await tell(begin)
        await Pause.seconds(seconds)
        try await tell(end)
        return what
    }

    func fill(seconds: Double) async throws -> String? {
        try disk.fill()
        await Pause.seconds(seconds)
        try disk.free()
        // What it could not write it still has, and would lose if it were killed now.
        for _ in 0..<300 {
            if try await ask(["INFO", "persistence"]).contains("aof_last_write_status:ok") { return "disk full" }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw ChaosError("Redis does not write to its disk 30 s after there was room again")
    }

    func stall(seconds: Double) async throws -> String? {
        server.freeze(true)
        await Pause.seconds(seconds)
        server.freeze(false)
        return "frozen"
    }

    func restart(_ way: Int, seconds: Double) async throws -> String? {
        guard way.isMultiple(of: 2) else { return try await stall(seconds: seconds) }
        await server.kill()
        await Pause.seconds(seconds)
        try await server.restart()
        return "killed"
    }

    private func tell(_ words: [String]) async throws {
        let answer = try await ask(words)
        guard answer.hasPrefix("OK") else {
            throw ChaosError("Redis answers '\(answer)' to \(words.joined(separator: " "))")
        }
    }

    private func ask(_ words: [String]) async throws -> String {
        try await Programs.output("redis-cli", ["-h", "127.0.0.1", "-p", "\(server.port)"] + words)
    }
}

/// The SQLite file of one process, on a disk of its own.
struct SQLiteChaos: BreakableStorage {
    let name: String
    let disk: Disk
    private let folder: String

    init(of member: String, disk: Disk) throws {
        name = Self.name(of: member)
        self.disk = disk
        folder = disk.folder + "/jobs"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    static func name(of member: String) -> String { "disk of \(member)" }

    var file: String { folder + "/jobs.sqlite" }

    /// What has the file open sees that nobody would find it any more, and what starts finds no folder.
    func refuse(_ way: Int, seconds: Double) async throws -> String? {
        let away = folder + ".away"
        try FileManager.default.moveItem(atPath: folder, toPath: away)
        await Pause.seconds(seconds)
        try FileManager.default.moveItem(atPath: away, toPath: folder)
        return "folder moved away"
    }

    func fill(seconds: Double) async throws -> String? {
        // The log has room for long; without it the next write needs some.
        if let connection = connect() {
            sqlite3_exec(connection, "PRAGMA wal_checkpoint(TRUNCATE)", nil, nil, nil)
            sqlite3_close(connection)
        }
        try disk.fill()
        await Pause.seconds(seconds)
        try disk.free()
        return "disk full"
    }

    func stall(seconds: Double) async throws -> String? {
        guard let connection = connect() else { return nil }
        defer { sqlite3_close(connection) }
        guard sqlite3_exec(connection, "BEGIN EXCLUSIVE", nil, nil, nil) == SQLITE_OK else { return nil }
        await Pause.seconds(seconds)
        sqlite3_exec(connection, "ROLLBACK", nil, nil, nil)
        return "locked for \(Int(seconds)) s"
    }

    func restart(_ way: Int, seconds: Double) async throws -> String? { nil }

    /// Nil when there is no file yet.
    private func connect() -> OpaquePointer? {
        var connection: OpaquePointer?
        guard sqlite3_open_v2(file, &connection, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK else {
            sqlite3_close(connection)
            return nil
        }
        sqlite3_busy_timeout(connection, 1000)
        return connection
    }
}
