import Foundation
import GRDB
import JobReactorCore
import JobReactorTesting
import Testing

@testable import JobReactorSQLite

/// Files that cannot be used, disks that are full, owners that die, and how much is written at once.
@Suite struct SQLiteFaultTests {
    private static let owner = StorageOwner(name: "worker_1", address: "localhost:5001")

    private static func job(_ number: Int, args: JobArguments = [:]) -> Job {
        Job(
            id: JobID(high: UInt64(number), low: 7), name: "resize", args: args, distributor: "app",
            createdAt: Timestamp(microseconds: 5))
    }

    private static func error(_ file: String) async -> StorageError? {
        await #expect(throws: StorageError.self) { try await SQLiteStorage(file: file).open(owner) }
    }

    @Test("of the audit log the last are kept, and a few more")
    func auditBound() async throws {
        let folder = try Folder()
        var options = SQLiteStorage.Options(
            durability: .process, maximumFinished: 10, maximumFinishedAge: 1e6)
        options.mostAudited = 100
        let storage = SQLiteStorage(file: folder.file(), options)
        try await storage.open(Self.owner)
        // Those whose numbers 512 divides make room.
        for start in [1, 600] {
            let entries = (start..<(start + 599)).map { number in
                AuditEntry(
                    id: JobID(high: UInt64(number), low: UInt64(number)), at: .now, user: "u", address: "a",
                    command: "C", change: "\(number)")
            }
            try await withCheckedThrowingContinuation { continuation in
                storage.note(entries) { continuation.resume(with: $0) }
            }
            let kept = try await withCheckedThrowingContinuation { continuation in
                storage.audit(limit: 2000) { continuation.resume(with: $0) }
            }
            let last = entries.last?.id.high ?? 0
            #expect(kept.map(\.id.high) == Array((last / 512 * 512 - 99)...last).reversed())
        }
        await storage.close()
    }

    @Test("calls that come together are written in few transactions")
    func groupCommit() async throws {
        let folder = try Folder()
        let storage = SQLiteStorage(file: folder.file())
        try await storage.open(Self.owner)
        let saved = Locked(0)
        for number in 0..<5000 {
            storage.save([Self.job(number)]) { result in
                if case .success(let ids) = result, ids.count == 1 { saved.withLock { $0 += 1 } }
            }
        }
        let last = try await storage.load(Self.job(4999).id)
        #expect(last != nil)
        #expect(saved.withLock { $0 } == 5000)
        #expect(storage.transactionCount < 500)
        await storage.close()
    }

    @Test("a full disk refuses a call, changes nothing, and what it has goes on; later there is room again")
    func fullDisk() async throws {
        let folder = try Folder()
        let small = SQLiteStorage(
            file: folder.file(),
            SQLiteStorage.Options(
                durability: .process, maximumFinished: 10, maximumFinishedAge: 1e6, maximumPages: 40))
        try await small.open(Self.owner)
        let long = JobArguments([("text", .string(String(repeating: "x", count: 10_000)))])
        var stored: [JobID] = []
        var refusal: StorageError?
        for number in 0..<100 where refusal == nil {
            let pair = [Self.job(2 * number, args: long), Self.job(2 * number + 1, args: long)]
            do { stored += try await small.save(pair) } catch { refusal = error }
        }
        #expect(refusal?.code == .full)
        #expect(refusal?.message.contains("free some space") == true)
        let kept = try await small.jobs()
        #expect(kept.map(\.id) == stored.sorted())
        #expect(!kept.isEmpty)
        // A removal makes room.
        try await small.apply([.remove(stored[0]), .remove(stored[1])])
        let again = try await small.save([Self.job(9999)])
        #expect(again.count == 1)
        await small.close()
    }

    @Test("of calls that are written together, one that fails does not take the others with it")
    func oneFails() async throws {
        let folder = try Folder()
        let storage = SQLiteStorage(
            file: folder.file(),
            SQLiteStorage.Options(
                durability: .process, maximumFinished: 10, maximumFinishedAge: 1e6, maximumPages: 40))
        try await storage.open(Self.owner)
        let huge = JobArguments([("text", .string(String(repeating: "x", count: 400_000)))])
        let results = Locked<[Int: Bool]>([:])
        for number in 0..<9 {
            storage.save([Self.job(number, args: number == 4 ? huge : [:])]) { result in
                let isGood = (try? result.get()) != nil
                results.withLock { $0[number] = isGood }
            }
        }
        let jobs = try await storage.jobs()
        #expect(jobs.map(\.id.high) == [0, 1, 2, 3, 5, 6, 7, 8])
        #expect(results.withLock { $0 }.filter { !$0.value }.map(\.key) == [4])
        await storage.close()
    }

    @Test("a file that another process has is refused, and free when that process is killed")
    func otherProcess() async throws {
        let folder = try Folder()
        let holder = Process()
        holder.executableURL = URL(filePath: "/usr/bin/env")
        let script = """
            import fcntl, sys, time
            lock = open(sys.argv[1], 'w')
            fcntl.flock(lock, fcntl.LOCK_EX)
            lock.write('worker_1\\n4711\\nlocalhost:9999\\n')
            lock.flush()
            print('held', flush=True)
            time.sleep(600)
            """
        holder.arguments = ["python3", "-c", script, folder.file("jobs.sqlite.lock")]
        let output = Pipe()
        holder.standardOutput = output
        try holder.start()
        // It says a word when it has the lock.
        #expect(!output.fileHandleForReading.availableData.isEmpty)
        let refusal = await Self.error(folder.file())
        #expect(refusal?.code == .held)
        #expect(refusal?.message.contains("worker_1 is already open (at localhost:9999, process 4711)") == true)
        #expect(refusal?.message.hasSuffix("stop that process, or give this process its own file") == true)
        kill(holder.processIdentifier, SIGKILL)
        holder.waitUntilExit()
        let storage = SQLiteStorage(file: folder.file())
        try await storage.open(Self.owner)
        await storage.close()
    }

    @Test("when a closing has ended another may open the file, also where it was still being opened, or closed already")
    func closedWhileOpening() async throws {
        let folder = try Folder()
        for _ in 0..<20 {
            let storage = SQLiteStorage(file: folder.file())
            let refusal = Locked<StorageError?>(nil)
            storage.open(Self.owner) { result in
                if case .failure(let error) = result { refusal.withLock { $0 = error } }
            }
            async let first: Void = storage.close()
            await storage.close()
            let next = SQLiteStorage(file: folder.file())
            try await next.open(Self.owner)
            next.close {}
            await next.close()
            await first
            // Nothing was asked of it in between: it was open for nobody, or for a moment.
            let code = refusal.withLock { $0?.code }
            #expect(code == nil || code == .closed)
        }
    }

    @Test("an owner whose epoch is over changes nothing, and is told once")
    func fenced() async throws {
        let folder = try Folder()
        let told = Locked(0)
        let storage = SQLiteStorage(file: folder.file())
        try await storage.open(StorageOwner(name: "worker_1") { _ in told.withLock { $0 += 1 } })
        try await storage.save([Self.job(1)])
        let intruder = try DatabaseQueue(path: folder.file())
        try await intruder.write { try $0.execute(sql: "UPDATE owner SET epoch = epoch + 1") }
        for _ in 0..<2 {
            let error = await #expect(throws: StorageError.self) { try await storage.save([Self.job(2)]) }
            #expect(error?.code == .lost)
        }
        #expect(told.withLock { $0 } == 1)
        let count = try await intruder.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM job") }
        #expect(count == 1)
        try intruder.close()
        await storage.close()
    }

    @Test("files that cannot be used are named, with what to do")
    func unusable() async throws {
        let folder = try Folder()
        let missing = await Self.error(folder.file("no/such/jobs.sqlite"))
        #expect(missing?.code == .unusable)
        #expect(missing?.message.contains("create it first") == true)

        try FileManager.default.createDirectory(atPath: folder.file("folder"), withIntermediateDirectories: true)
        let isFolder = await Self.error(folder.file("folder"))
        #expect(isFolder?.code == .unusable)

        try String(repeating: "This is a text. ", count: 1000).write(
            toFile: folder.file("text"), atomically: true, encoding: .utf8)
        let text = await Self.error(folder.file("text"))
        #expect(text?.code == .unusable)
        #expect(text?.message.contains("is damaged, or not an SQLite file") == true)

        let other = try DatabaseQueue(path: folder.file("other"))
        try await other.write { try $0.execute(sql: "CREATE TABLE contact (name TEXT)") }
        try other.close()
        let foreign = await Self.error(folder.file("other"))
        #expect(foreign?.code == .unusable)
        #expect(foreign?.message.contains("another program") == true)

        let mine = SQLiteStorage(file: folder.file("mine"))
        try await mine.open(StorageOwner(name: "worker_2"))
        await mine.close()
        let owned = await Self.error(folder.file("mine"))
        #expect(owned?.code == .unusable)
        #expect(owned?.message.contains("the jobs of node:worker_2, not of node:worker_1") == true)

        let newer = SQLiteStorage(file: folder.file("newer"))
        try await newer.open(Self.owner)
        await newer.close()
        let database = try DatabaseQueue(path: folder.file("newer"))
        try await database.write {
            try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('999 from the future')")
        }
        try database.close()
        let future = await Self.error(folder.file("newer"))
        #expect(future?.code == .unusable)
        #expect(future?.message.contains("newer release") == true)

        // Each of them leaves the lock free.
        try FileManager.default.removeItem(atPath: folder.file("text"))
        let storage = SQLiteStorage(file: folder.file("text"))
        try await storage.open(Self.owner)
        await storage.close()
    }

    @Test("a damaged file is an error, and no crash, wherever the damage is", arguments: 0..<8)
    func damaged(_ seed: Int) async throws {
        let folder = try Folder()
        let storage = SQLiteStorage(file: folder.file(), durability: .process)
        try await storage.open(Self.owner)
        try await storage.save((0..<300).map { Self.job($0, args: ["text": "some text that fills the pages"]) })
        await storage.close()
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: folder.file())))
        var state = UInt64(seed + 1) &* 0x9E37_79B9_7F4A_7C15
        if seed == 0 {
            bytes = Array(bytes.prefix(bytes.count / 2))
        } else {
            for _ in 0..<2000 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[100 + Int(state >> 33) % (bytes.count - 100)] = UInt8(truncatingIfNeeded: state >> 20)
            }
        }
        try Data(bytes).write(to: URL(filePath: folder.file()))
        let again = SQLiteStorage(file: folder.file(), durability: .process)
        do {
            try await again.open(Self.owner)
            let jobs = try await again.jobs(limit: 1000)
            try await again.apply(jobs.map { .remove($0.id) })
            try await again.save((500..<900).map { Self.job($0) })
        } catch {
            #expect(!error.message.isEmpty)
            #expect(error.code != .held)
        }
        await again.close()
    }

    @Test("finished jobs that are kept are capped by count and by age")
    func caps() async throws {
        let folder = try Folder()
        let byCount = SQLiteStorage(file: folder.file(), durability: .process, maximumFinished: 3)
        try await byCount.open(Self.owner)
        try await byCount.save((0..<10).map { Self.job($0) })
        for number in 0..<8 {
            var job = Self.job(number)
            job.status = .failed
            try await byCount.apply([.update(job), .update(job)])
        }
        let kept = try await byCount.jobs()
        #expect(kept.map(\.id.high) == [5, 6, 7, 8, 9])
        await byCount.close()
        let clock = ManualClock(at: .now)
        var options = SQLiteStorage.Options(durability: .process, maximumFinished: 10_000, maximumFinishedAge: 0)
        options.clock = clock.wallClock
        let byAge = SQLiteStorage(file: folder.file(), options)
        try await byAge.open(Self.owner)
        clock.advance(bySeconds: 60)
        var job = Self.job(9)
        job.status = .complete
        try await byAge.apply([.update(job)])
        let left = try await byAge.jobs()
        #expect(left.map(\.id.high).filter { $0 < 8 }.isEmpty)
        #expect(left.map(\.id.high).contains(8))
        await byAge.close()
    }
}
