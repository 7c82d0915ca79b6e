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
            return [.error(subject, "there is no folder \(folder)", "make it, for the user that the process runs as")]
        }
        var findings = [disk(of: folder, subject)]
        if access(folder, W_OK) != 0 {
            findings.append(
                .error(
                    subject, "\(folder) may not be written: \(systemError())",
                    "give it to the user that the process runs as: SQLite makes files beside this one"))
        }
        guard access(file, F_OK) == 0 else {
            return findings + [.good(subject, "there is no such file yet: it is made at the start")]
        }
        var status = stat()
        guard stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return findings + [.error(subject, "is no file", "name another: SQLite makes a file where there is none")]
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
                    "stop its process, put the file aside, and restore a backup, or what sqlite3's .recover saves of it"
                )
            ]
        }
        guard let found = try await place.owners().first else { return [.good(subject, "is sound")] }
        let name = "\(found.role.rawValue):\(found.name)"
        if let owner, owner != name {
            return [
                .error(subject, "has the jobs of \(name), not of \(owner)", "give each a file of its own")
            ]
        }
        return [.good(subject, "is sound, and has the jobs of \(name)\(found.isOpen ? ", which runs" : "")")]
    }

    private static func rights(of file: String, _ mode: mode_t, _ subject: String) -> [Finding] {
        var findings: [Finding] = []
        if mode & 0o077 != 0 {
            findings.append(
                .warning(subject, "others than its owner may read it, and it has the args of jobs", "chmod 600 \(file)")
            )
        }
        if access(file, R_OK | W_OK) != 0 {
            findings.append(
                .error(
                    subject, "may not be read and written: \(systemError())",
                    "give it to the user that the process runs as, and look at it as that user"))
        }
        return findings
    }

    private static func disk(of folder: String, _ subject: String) -> Finding {
        let mounts = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
        let path = URL(filePath: folder).resolvingSymlinksInPath().path
        if let kind = MountTable(mounts).kind(of: path), MountTable.network.contains(kind) {
            return .error(
                subject, "is on a file system of another machine (\(kind)), where locks do not hold",
                "put it on a disk of this one")
        }
        var room = statvfs()
        guard statvfs(folder, &room) == 0 else {
            return .warning(
                subject, "cannot tell the room on its disk: \(systemError())", "look at it yourself: df \(folder)")
        }
        let bytes = Int(clamping: room.f_bavail).multipliedReportingOverflow(by: Int(clamping: room.f_frsize))
        return Self.room(bytes.overflow ? .max : bytes.partialValue, subject)
    }

    /// Of so many bytes that are free.
    static func room(_ free: Int, _ subject: String) -> Finding {
        let shown = free >> 30 > 9 ? "\(free >> 30) GiB" : "\(free >> 20) MiB"
        if free < 64 << 20 { return .error(subject, "its disk is full: \(shown) are free", "make room there") }
        if free < 1 << 30 { return .warning(subject, "its disk is nearly full: \(shown) are free", "make room there") }
        return .good(subject, "its disk has \(shown) free")
    }

    private static func systemError() -> String { String(cString: strerror(errno)).lowercased() }
}
