import Foundation
import JobReactorCore

/// Keeps the jobs of one node in one JSON file, which is written anew at each change: a storage of one's own, whole.
///
/// What is acknowledged survives the end of the process at any moment; of a power cut it promises nothing.
final class FileStorage: JobStorage {
    private struct Content: Codable {
        var jobs: [JobID: Job] = [:]
        var reports: [JobReport.Key: StoredReport] = [:]
    }

    private let file: URL
    /// Every call runs here, so that they take effect in the order they are made.
    private let queue = DispatchQueue(label: "file storage")
    // Only touched on the queue.
    private nonisolated(unsafe) var content: Content?
    private nonisolated(unsafe) var lock: FileHandle?

    init(_ file: URL) { self.file = file }

    var isDurable: Bool { true }

    func open(_ owner: StorageOwner, done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        perform(done) {
            let path = self.file.path + ".lock"
            if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(filePath: path)) }
            let lock = try FileHandle(forUpdating: URL(filePath: path))
            // Not for programs that a job starts, which may live longer.
            _ = fcntl(lock.fileDescriptor, F_SETFD, FD_CLOEXEC)
            // The system takes the lock away with the process, however that ends.
            guard flock(lock.fileDescriptor, LOCK_EX | LOCK_NB) == 0 else {
                let words = String(decoding: try lock.readToEnd() ?? Data(), as: UTF8.self).split(separator: " ")
                throw StorageError.held(by: words.first.map(String.init) ?? "?", address: words.last.map(String.init))
            }
            try lock.truncate(atOffset: 0)
            try lock.write(contentsOf: Data("\(owner.name) \(owner.address ?? "")".utf8))
            let exists = FileManager.default.fileExists(atPath: self.file.path)
            self.content =
                exists ? try JSONDecoder().decode(Content.self, from: Data(contentsOf: self.file)) : Content()
            self.lock = lock
        }
    }

    func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        change(done) { content in
            var new: Set<JobID> = []
            for job in jobs where content.jobs[job.id]?.status.isFinished ?? true {
                content.jobs[job.id] = job
                new.insert(job.id)
            }
            return new
        }
    }

    func apply(_ changes: [JobChange], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        change(done) { content in
            for change in changes {
                switch change {
                case .update(let job, let report):
                    guard content.jobs[job.id] != nil else { continue }
                    content.jobs[job.id] = job
                    if let report { content.reports[report.report.key] = report }
                case .remove(let id, let report):
                    guard content.jobs.removeValue(forKey: id) != nil else { continue }
                    if let report { content.reports[report.report.key] = report }
                case .taken(let key):
                    content.reports[key] = nil
                }
            }
        }
    }

    func load(_ id: JobID, done: @escaping @Sendable (Result<Job?, StorageError>) -> Void) {
        perform(done) { try self.opened().jobs[id] }
    }

    func jobs(after id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void) {
        perform(done) {
            let rest = try self.opened().jobs.values.filter { job in id.map { job.id > $0 } ?? true }
            return rest.sorted { $0.id < $1.id }.page(limit: limit)
        }
    }

    func reports(
        after key: JobReport.Key?, limit: Int, done: @escaping @Sendable (Result<[StoredReport], StorageError>) -> Void
    ) {
        perform(done) {
            let rest = try self.opened().reports.filter { report in key.map { report.key > $0 } ?? true }
            return rest.sorted { $0.key < $1.key }.map(\.value).page(limit: limit)
        }
    }

    func close(done: @escaping @Sendable () -> Void) {
        queue.async {
            self.content = nil
            // Whoever else has the descriptor for a moment, as a program that is being started.
            if let lock = self.lock { flock(lock.fileDescriptor, LOCK_UN) }
            self.lock = nil
            done()
        }
    }

    private func opened() throws -> Content {
        guard let content else { throw StorageError.notOpen }
        return content
    }

    /// Changes nothing unless the file says so first.
    private func change<Value: Sendable>(
        _ done: @escaping @Sendable (Result<Value, StorageError>) -> Void,
        _ body: @escaping @Sendable (inout Content) -> Value
    ) {
        perform(done) {
            var content = try self.opened()
            let value = body(&content)
            try JSONEncoder().encode(content).write(to: self.file, options: .atomic)
            self.content = content
            return value
        }
    }

    private func perform<Value: Sendable>(
        _ done: @escaping @Sendable (Result<Value, StorageError>) -> Void,
        _ body: @escaping @Sendable () throws -> Value
    ) {
        queue.async {
            do {
                done(.success(try body()))
            } catch {
                done(.failure(error as? StorageError ?? StorageError("\(self.file.path): \(error)")))
            }
        }
    }
}
