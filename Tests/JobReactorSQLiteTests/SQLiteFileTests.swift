import Foundation
import JobReactorCore
import JobReactorTesting
import Logging
import Testing

@testable import JobReactorSQLite

/// What becomes of jobs when their file goes, is replaced, or has no room.
@Suite struct SQLiteFileTests {
    private static let owner = StorageOwner(name: "worker_1")

    private static func job(_ number: Int, args: JobArguments = [:]) -> Job {
        Job(
            id: JobID(high: UInt64(number), low: 7), name: "resize", args: args, distributor: "app",
            createdAt: Timestamp(microseconds: 5))
    }

    enum Loss: String, CaseIterable { case file, log, folder, replaced }

    @Test(
        "a file that goes under its process takes no more, is spoken of once, and serves again when it is back",
        arguments: Loss.allCases)
    func goes(_ loss: Loss) async throws {
        let folder = try Folder()
        try FileManager.default.createDirectory(atPath: folder.file("jobs"), withIntermediateDirectories: true)
        let file = folder.file("jobs/jobs.sqlite")
        let lines = Locked<[String]>([])
        let storage = SQLiteStorage(
            file: file, durability: .process,
            logger: Logger(label: "test") { _ in LineLog { line in lines.withLock { $0.append(line) } } })
        try await storage.open(Self.owner)
        try await storage.save([Self.job(1)])
        let moved =
            switch loss {
            case .file, .replaced: (from: file, to: folder.file("aside"))
            case .log: (from: file + "-wal", to: folder.file("aside"))
            case .folder: (from: folder.file("jobs"), to: folder.file("aside"))
            }
        try FileManager.default.moveItem(atPath: moved.from, toPath: moved.to)
        if loss == .replaced { try Data().write(to: URL(filePath: file)) }
        for number in 2..<5 {
            let error = await #expect(throws: StorageError.self) { try await storage.save([Self.job(number)]) }
            #expect(error?.code == .failed)
            #expect(error?.message.contains(loss == .replaced ? "is now another file" : "is gone") == true)
            #expect(error?.message.contains("nothing was stored") == true)
        }
        let refused = await #expect(throws: StorageError.self) { try await storage.apply([.remove(Self.job(1).id)]) }
        #expect(refused?.code == .failed)
        #expect(lines.withLock { $0 }.count == 1)
        if loss == .replaced { try FileManager.default.removeItem(atPath: file) }
        try FileManager.default.moveItem(atPath: moved.to, toPath: moved.from)
        let new = try await storage.save([Self.job(2)])
        #expect(new.count == 1)
        // Nothing of what was refused is there.
        let jobs = try await storage.jobs()
        #expect(jobs.map(\.id.high) == [1, 2])
        #expect(lines.withLock { $0 }.count == 2)
        #expect(lines.withLock { $0 }.last?.contains("is back") == true)
        await storage.close()
    }

    /// A file system of 3 MB. To mount one takes root, or sudo without a password.
    private static func withSmallDisk(
        _ body: (_ folder: String, _ remount: (String) throws -> Void) async throws -> Void
    ) async throws {
        let folder = try Folder()
        func run(_ program: String, _ arguments: [String]) throws -> Bool {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = (getuid() == 0 ? [] : ["sudo", "-n"]) + [program] + arguments
            process.standardError = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            try process.start()
            process.waitUntilExit()
            return process.terminationStatus == 0
        }
        let mode = "size=3m,mode=777"
        let isMounted = try run("mount", ["-t", "tmpfs", "-o", mode, "tmpfs", folder.path])
        try #require(isMounted, "a file system of 3 MB cannot be mounted: run the tests as root, or with sudo")
        let result: Result<Void, any Error>
        do {
            try await body(folder.path) { options in
                let isDone = try run("mount", ["-o", "remount,size=3m,\(options)", folder.path])
                #expect(isDone)
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        _ = try run("umount", [folder.path])
        try result.get()
    }

    @Test("a full disk refuses what it has no room for, keeps what it has, and goes on when there is room")
    func fullDisk() async throws {
        try await Self.withSmallDisk { folder, _ in
            let storage = SQLiteStorage(file: folder + "/jobs.sqlite")
            try await storage.open(Self.owner)
            let ballast = folder + "/ballast"
            try Data(count: 1_000_000).write(to: URL(filePath: ballast))
            let long = JobArguments([("text", .string(String(repeating: "x", count: 50_000)))])
            var stored: [JobID] = []
            var refusal: StorageError?
            for number in 0..<100 where refusal == nil {
                let pair = [Self.job(2 * number, args: long), Self.job(2 * number + 1, args: long)]
                do throws(StorageError) { stored += try await storage.save(pair) } catch { refusal = error }
            }
            #expect(refusal?.code == .full, "\(String(describing: refusal))")
            #expect(refusal?.message.contains("free some space") == true)
            let kept = try await storage.jobs()
            #expect(kept.map(\.id) == stored.sorted())
            try FileManager.default.removeItem(atPath: ballast)
            let again = try await storage.save([Self.job(9999, args: long)])
            #expect(again.count == 1)
            let jobs = try await storage.jobs()
            #expect(jobs.map(\.id) == stored.sorted() + [Self.job(9999).id])
            await storage.close()
        }
    }

    @Test(
        "a disk that may only be read is an error that says so, at the opening and after it; a storage that has it open goes on when it may be written"
    )
    func readOnly() async throws {
        try await Self.withSmallDisk { folder, remount in
            let first = SQLiteStorage(file: folder + "/jobs.sqlite")
            try await first.open(Self.owner)
            try await first.save([Self.job(1)])
            await first.close()
            try remount("ro")
            let error = await #expect(throws: StorageError.self) { try await first.open(Self.owner) }
            #expect(error?.code == .unusable)
            #expect(error?.message.contains("read-only file system") == true, "\(String(describing: error))")
            try remount("rw")
            try await first.open(Self.owner)
            let jobs = try await first.jobs()
            #expect(jobs.count == 1)
            await first.close()
        }
    }
}

/// Hands on what is logged at notice and above.
private struct LineLog: LogHandler {
    let note: @Sendable (String) -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.notice

    init(_ note: @escaping @Sendable (String) -> Void) { self.note = note }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { note("\(event.message)") }
}
