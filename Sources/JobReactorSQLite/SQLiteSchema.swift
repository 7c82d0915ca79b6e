internal import GRDB
internal import JobReactorCore

/// The tables, and how files of earlier releases become such.
///
/// Ids are 16 bytes, the greatest first, so that they sort as they are. Times are microseconds since 1970. Texts that may
/// hold any byte, a zero among them, are blobs of UTF-8: `SELECT CAST(args AS TEXT) FROM job`.
enum SQLiteSchema {
    /// "JRct": tells our files from those of other programs.
    static let applicationID = 0x4A52_6374

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 jobs and reports") { database in
            try database.execute(
                sql: """
                    PRAGMA application_id = \(applicationID);
                    CREATE TABLE owner (name TEXT NOT NULL, epoch INTEGER NOT NULL) STRICT;
                    CREATE TABLE job (
                      id BLOB NOT NULL PRIMARY KEY, name TEXT NOT NULL, args BLOB NOT NULL, status TEXT NOT NULL,
                      attempt INTEGER NOT NULL, runs INTEGER NOT NULL, due_at INTEGER NOT NULL, distributor TEXT NOT NULL,
                      defer INTEGER NOT NULL, run_at INTEGER, failed_at INTEGER, make_after REAL, period REAL,
                      node TEXT, not_node TEXT, max_attempt INTEGER, retry_multiplier REAL, last_error BLOB,
                      traceback BLOB, finished_at INTEGER) STRICT;
                    CREATE INDEX finished ON job (finished_at) WHERE finished_at IS NOT NULL;
                    CREATE TABLE report (
                      id BLOB NOT NULL, run INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
                      status TEXT NOT NULL, args BLOB NOT NULL, distributor TEXT NOT NULL, made_at INTEGER NOT NULL,
                      PRIMARY KEY (id, run)) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("2 audit") { database in
            try database.execute(
                sql: """
                    CREATE TABLE audit (
                      id BLOB NOT NULL PRIMARY KEY, at INTEGER NOT NULL, user BLOB NOT NULL, address BLOB NOT NULL,
                      command BLOB NOT NULL, change BLOB NOT NULL) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("3 trace") { database in
            try database.execute(sql: "ALTER TABLE job ADD COLUMN trace TEXT")
        }
        migrator.registerMigration("4 turns") { database in
            try database.execute(
                sql: """
                    ALTER TABLE job ADD COLUMN priority INTEGER;
                    ALTER TABLE job ADD COLUMN unique_key TEXT;
                    ALTER TABLE job ADD COLUMN unique_for REAL;
                    ALTER TABLE job ADD COLUMN on_conflict TEXT;
                    ALTER TABLE job ADD COLUMN accepted_at INTEGER;
                    ALTER TABLE job ADD COLUMN schedule TEXT;
                    ALTER TABLE job ADD COLUMN tick INTEGER;
                    ALTER TABLE job ADD COLUMN again BLOB;
                    """)
        }
        migrator.registerMigration("5 controls") { database in
            try database.execute(
                sql: """
                    CREATE TABLE control (
                      kind TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, name)
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
        registerFields(&migrator)
        return migrator
    }

    /// The number of the last migration written above; those that follow bring fields of jobs, as their table says.
    private static let written = 5

    private static func registerFields(_ migrator: inout DatabaseMigrator) {
        let columns = JobFieldTable.stored.compactMap { field in field.column.map { ($0, field.type.sql) } }
        for number in Set(columns.map(\.0.since)).sorted() where number > written {
            migrator.registerMigration("\(number) fields") { database in
                for (column, type) in columns where column.since == number {
                    try database.execute(sql: "ALTER TABLE job ADD COLUMN \(column.name) \(type)")
                }
            }
        }
    }

    /// Makes the file ours. Returns the epoch that begins, and the number of finished jobs that are kept.
    static func prepare(_ queue: DatabaseQueue, file: String, owner: StorageOwner) throws -> (Int64, Int) {
        let migrator = migrator
        try queue.read { database in
            let application = try Int.fetchOne(database, sql: "PRAGMA application_id")
            let tables = try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM sqlite_master") ?? 0
            guard tables == 0 || application == applicationID else {
                throw StorageError(
                    "\(file) is the database of another program: give each node its own file", code: .unusable)
            }
            guard try !migrator.hasBeenSuperseded(database) else {
                throw StorageError(
                    "\(file) was written by a newer release of jobreactor: run that release, or a later one",
                    code: .unusable)
            }
        }
        try migrator.migrate(queue)
        let name = "\(owner.role.rawValue):\(owner.name)"
        return try queue.write { database in
            if let holder = try String.fetchOne(database, sql: "SELECT name FROM owner") {
                guard holder == name else {
                    throw StorageError(
                        "\(file) contains the jobs of \(holder), not of \(name): give each its own file",
                        code: .unusable)
                }
                try database.execute(sql: "UPDATE owner SET epoch = epoch + 1")
            } else {
                try database.execute(sql: "INSERT INTO owner (name, epoch) VALUES (?, 1)", arguments: [name])
            }
            let epoch = try Int64.fetchOne(database, sql: "SELECT epoch FROM owner") ?? 0
            let finished = try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM job WHERE finished_at IS NOT NULL")
            return (epoch, finished ?? 0)
        }
    }
}
