private import FoundationEssentials
internal import GRDB
public import JobReactorCore

/// An SQLite file with the jobs of one node, for inspection whether or not the node runs.
public struct SQLitePlace: StoragePlace {
    public let file: String

    public init(file: String) {
        self.file = file
    }

    public func makeStorage() -> (any JobStorage)? { SQLiteStorage(file: file) }

    public func owners() async throws(StorageError) -> [StoredOwner] {
        let text = try await read { try String.fetchOne($0, sql: "SELECT name FROM owner") } ?? ""
        let parts = text.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let role = StorageOwner.Role(rawValue: String(parts[0])) else { return [] }
        let holder = SQLiteLock.holder(file: file + ".lock")
        return [
            StoredOwner(role: role, name: String(parts[1]), isOpen: holder != nil, address: holder?.address)
        ]
    }

    public func jobs(of owner: StoredOwner, after id: JobID?, limit: Int) async throws(StorageError) -> [Job] {
        try await read { try SQLiteTransaction($0, finishedAfter: 0).jobs(after: id, limit: limit) }
    }

    public func jobs(of owner: StoredOwner, before id: JobID?, limit: Int) async throws(StorageError) -> [Job] {
        try await read { try SQLiteTransaction($0, finishedAfter: 0).jobs(before: id, limit: limit) }
    }

    public func load(_ id: JobID, of owner: StoredOwner) async throws(StorageError) -> Job? {
        try await read { try SQLiteTransaction($0, finishedAfter: 0).load(id) }
    }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(StorageError) -> Value {
        do {
            guard FileManager.default.fileExists(atPath: file) else {
                throw StorageError("there is no file \(file): give the file of a node", code: .unusable)
            }
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(5)
            let queue = try DatabaseQueue(path: file, configuration: configuration)
            defer { try? queue.close() }
            return try await queue.read { database in
                guard try Int.fetchOne(database, sql: "PRAGMA application_id") == SQLiteSchema.applicationID else {
                    throw StorageError("\(file) is not a file of jobreactor: give the file of a node", code: .unusable)
                }
                return try body(database)
            }
        } catch {
            throw SQLiteWriter.describe(error, file: file)
        }
    }
}
