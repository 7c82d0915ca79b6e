private import Foundation
internal import JobReactorCore
internal import JobReactorSQLite

/// Whether an SQLite file keeps jobs: the file itself, who may read it, and its disk.
enum SQLiteCheck {
    /// `owner` is whose jobs the settings say that it has, as `node:worker_1`; nil where they do not say.
    static func findings(_ file: String, owner: String?) async -> [Finding] {
        let subject = "sqlite:\(file)"
        let folder = URL(filePath: file).deletingLastPathComponent().path
        guard access(folder, F_OK) == 0 else {
            return [.error(subject, "there is no folder \(folder)", "create it for the user that the process runs as")]
        }
        var findings = [disk(of: folder, subject)]
        if access(folder, W_OK) != 0 {
            findings.append(
                .error(
                    subject, "\(folder) is not writable: \(systemError())",
                    "make it writable for the user that the process runs as: SQLite makes files beside this one"))
        }
        guard access(file, F_OK) == 0 else {
            return findings + [.good(subject, "does not exist yet: it is created at the start")]
        }
        var status = stat()
        guard stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return findings + [
                .error(subject, "is not a file", "choose another path: SQLite creates a file that does not exist")
            ]
        }
        findings += rights(of: file, status.st_mode, subject)
        do throws(StorageError) { findings += try await content(of: file, owner, subject) } catch {
            findings.append(.error(subject, error.message))
        }
        return findings
    }

    private static func content(
        of file: String, _ owner: String?, _ subject: String
    ) async throws(StorageError) -> [Finding] {
        let place = SQLitePlace(file: file)
        let damage = try await place.damage()
        if let first = damage.first {
            return [
                .error(
                    subject, "is damaged: \(first)",
                    "stop its process, move the file away, and restore a backup, or use .recover of sqlite3"
                )
            ]
        }
        guard let found = try await place.owners().first else { return [.good(subject, "is intact")] }
        let name = "\(found.role.rawValue):\(found.name)"
        if let owner, owner != name {
            return [
                .error(subject, "contains the jobs of \(name), not of \(owner)", "give each its own file")
            ]
        }
        return [
            .good(subject, "is intact, and contains the jobs of \(name)\(found.isOpen ? ", which is running" : "")")
        ]
    }

    private static func rights(of file: String, _ mode: mode_t, _ subject: String) -> [Finding] {
        var findings: [Finding] = []
        if mode & 0o077 != 0 {
            findings.append(
                .warning(subject, "is readable by others, and contains the args of jobs", "chmod 600 \(file)")
            )
        }
        if access(file, R_OK | W_OK) != 0 {
            findings.append(
                .error(
                    subject, "is not readable and writable: \(systemError())",
                    "make it accessible for the user that the process runs as, and run the doctor as that user"))
        }
        return findings
    }

    private static func disk(of folder: String, _ subject: String) -> Finding {
        let mounts = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
        let path = URL(filePath: folder).resolvingSymlinksInPath().path
        if let kind = MountTable(mounts).kind(of: path), MountTable.network.contains(kind) {
            return .error(
                subject, "is on a network file system (\(kind)), where locks are not reliable",
                "put it on a local disk")
        }
        var room = statvfs()
        guard statvfs(folder, &room) == 0 else {
            return .warning(
                subject, "cannot determine the free space of its disk: \(systemError())", "check it with df \(folder)")
        }
        let bytes = Int(clamping: room.f_bavail).multipliedReportingOverflow(by: Int(clamping: room.f_frsize))
        return Self.room(bytes.overflow ? .max : bytes.partialValue, subject)
    }

    /// Of so many bytes that are free.
    static func room(_ free: Int, _ subject: String) -> Finding {
        let shown = free >> 30 > 9 ? "\(free >> 30) GiB" : "\(free >> 20) MiB"
        if free < 64 << 20 { return .error(subject, "its disk is full: \(shown) are free", "free some space") }
        if free < 1 << 30 { return .warning(subject, "its disk is nearly full: \(shown) are free", "free some space") }
        return .good(subject, "its disk has \(shown) free")
    }

    private static func systemError() -> String { String(cString: strerror(errno)).lowercased() }
}
