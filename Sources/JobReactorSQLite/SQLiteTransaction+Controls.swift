internal import FoundationEssentials
internal import GRDB
internal import JobReactorCore

/// What decides when jobs run.
extension SQLiteTransaction {
    func change(_ changes: [ControlChange]) throws {
        for change in changes {
            switch change {
            case .set(let control):
                try database.cachedStatement(
                    sql: "INSERT OR REPLACE INTO control (kind, name, value) VALUES (?, ?, ?)"
                ).execute(arguments: [control.key.kind.rawValue, control.key.name, Data(control.value)])
            case .remove(let key):
                try database.cachedStatement(sql: "DELETE FROM control WHERE kind = ? AND name = ?")
                    .execute(arguments: [key.kind.rawValue, key.name])
            }
        }
    }

    /// Those of a kind that only a later release knows are left where they are.
    func controls() throws -> [StoredControl] {
        let statement = try database.cachedStatement(sql: "SELECT kind, name, value FROM control")
        return try Row.fetchAll(statement).compactMap { row in
            guard let kind = StoredControl.Kind(rawValue: row[0]) else { return nil }
            return StoredControl(.init(kind, row[1]), Array(row[2] as Data))
        }.sorted { $0.key < $1.key }
    }
}
