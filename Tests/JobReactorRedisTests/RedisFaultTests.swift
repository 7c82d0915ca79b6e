import Foundation
import JobReactorCore
import JobReactorTesting
import JobReactorWire
import Logging
import Testing

@testable import JobReactorRedis

/// What happens to calls when the connection, the server, or the ownership goes away under them.
@Suite struct RedisFaultTests {
    private static let owner = StorageOwner(name: "worker_1", address: "localhost:5001")

    private static func job(_ number: Int) -> Job {
        Job(
            id: JobID(high: UInt64(number), low: 7), name: "resize", args: ["n": .integer(Int64(number))],
            distributor: "app",
            createdAt: Timestamp(microseconds: 5))
    }

    private static func report(_ job: Job) -> StoredReport {
        StoredReport(
            JobReport(id: job.id, name: job.name, feedback: Feedback(.success, args: [:]), status: .complete, run: 1),
            distributor: "app", madeAt: Timestamp(microseconds: 9))
    }

    @Test("a batch larger than a command of Redis may be fails, says why, and disturbs no other call")
    func tooLarge() async throws {
        var options = RedisStorage.Options(logger: silent)
        options.maximumWords = 1000
        let subject = RedisStorage(try await SharedRedis.location(), options: options)
        try await subject.open(Self.owner)
        let error = await #expect(throws: StorageError.self) {
            try await subject.save((0..<100).map(Self.job))
        }
        #expect(error?.code == .failed)
        #expect(error?.message.contains("split it") == true)
        let saved = try await subject.save([Self.job(1)])
        #expect(saved.count == 1)
        await subject.close()
    }

    @Test(
        "a server that may forget jobs is told of at the opening",
        arguments: [
            ([], []),
            (["--appendonly", "no"], ["Redis loses the last jobs when it crashes: set appendonly yes"]),
            (
                ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"],
                ["Redis may evict jobs when it is full: set maxmemory-policy noeviction"]
            ),
            (["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"], []),
        ] as [([String], [String])])
    func warnings(_ options: [String], expected: [String]) async throws {
        let server = try await RedisServer.start(options)
        let log = Locked<[String]>([])
        let subject = RedisStorage(
            try #require(RedisLocation(server.url)),
            options: RedisStorage.Options(logger: Logger(label: "test") { _ in WarningLog(lines: log) }))
        try await subject.open(Self.owner)
        // Answered after the server was asked.
        _ = try await subject.jobs(limit: 1)
        #expect(log.withLock { $0 } == expected)
        await subject.close()
    }

    /// Every place to cut at: within the commands, between command and answer, within the answers.
    @Test("a connection cut at any byte loses no call and applies none twice", arguments: 0..<8)
    func cutAnywhere(_ round: Int) async throws {
        let redis = try await SharedRedis.location()
        var random = SeededGenerator(seed: UInt64(round))
        // The login and the scripts take about 8,000 bytes; what follows is where the calls are.
        let cuts = (0..<4).map { _ in Int.random(in: 1..<90_000, using: &random) }
        let proxy = try await TCPProxy.start(to: redis.address.port, cuts: cuts)
        var location = redis
        location.address.port = proxy.port
        let subject = storage(location)
        try await subject.open(Self.owner)
        let collector = Locked<[Set<JobID>]>([])
        let failures = Locked<[StorageError]>([])
        let calls = 120
        for number in 0..<calls {
            // A batch of one new job and one that is there already, then a change with a report.
            let batch = [Self.job(number), Self.job(max(0, number - 1))]
            subject.save(batch) { result in
                switch result {
                case .success(let ids): collector.withLock { $0.append(ids) }
                case .failure(let error): failures.withLock { $0.append(error) }
                }
            }
            var changed = Self.job(number)
            changed.attempt = 1
            subject.apply([.update(changed, number % 3 == 0 ? Self.report(changed) : nil)]) { result in
                if case .failure(let error) = result { failures.withLock { $0.append(error) } }
            }
            if number % 20 == 19 { _ = try await subject.load(Self.job(0).id) }
        }
        let jobs = try await subject.jobs(limit: 1000)
        let reports = try await subject.reports(limit: 1000)
        #expect(failures.withLock { $0 }.isEmpty)
        // Each id was new once, in the answer to its own call.
        let wrong = zip(collector.withLock { $0 }, 0..<calls).filter { $0 != [Self.job($1).id] }.map(\.1)
        #expect(wrong.isEmpty)
        #expect(collector.withLock { $0 }.count == calls)
        #expect(jobs.map(\.attempt) == Array(repeating: 1, count: calls))
        #expect(reports.count == calls / 3)
        #expect(proxy.connections > 1)
        await subject.close()
        await proxy.stop()
    }

    @Test("a server that is killed and started again has everything, and the calls made meanwhile are carried out")
    func serverRestart() async throws {
        let server = try await RedisServer.start(RedisServer.keepingAll)
        let location = try #require(RedisLocation(server.url))
        let (lines, logger) = lineLog()
        let subject = storage(location, logger: logger)
        try await subject.open(Self.owner)
        try await subject.save((0..<100).map(Self.job))
        await server.kill()
        let (answers, answer) = AsyncStream.makeStream(of: Result<Set<JobID>, StorageError>.self)
        subject.save((90..<200).map(Self.job)) { answer.yield($0) }
        subject.apply([.remove(Self.job(0).id)]) { answer.yield($0.map { [] }) }
        let loss = await lines.first { $0.contains("Redis is not reachable") }
        #expect(loss != nil)
        try await server.restart()
        var iterator = answers.makeAsyncIterator()
        let new = try await iterator.next()?.get()
        #expect(new == Set((100..<200).map { Self.job($0).id }))
        _ = try await iterator.next()?.get()
        let jobs = try await subject.jobs(limit: 1000)
        #expect(jobs.map(\.id) == (1..<200).map { Self.job($0).id })
        await subject.close()
    }

    @Test("a storage may be opened before its server is there")
    func serverLater() async throws {
        let server = try await RedisServer.start()
        await server.kill()
        let location = try #require(RedisLocation(server.url))
        let (lines, logger) = lineLog()
        let subject = storage(location, logger: logger)
        let opening = Task { try await subject.open(Self.owner) }
        let failure = await lines.first { $0.contains("cannot connect") }
        #expect(failure != nil)
        try await server.restart()
        try await opening.value
        try await subject.save([Self.job(1)])
        await subject.close()
    }

    @Test("where it is not to wait for a server, one that is missing is an error that says what to do")
    func serverMissing() async throws {
        let server = try await RedisServer.start()
        await server.kill()
        let location = try #require(RedisLocation(server.url))
        let subject = RedisStorage(location, options: RedisStorage.Options(patience: 0.2, logger: silent))
        let error = await #expect(throws: StorageError.self) { try await subject.open(Self.owner) }
        let message = error?.message ?? ""
        #expect(message.hasSuffix("connection refused: start a Redis server there"), "\(message)")
        #expect(error?.message.contains(server.url) == true)
    }

    @Test("a call that the server's memory limit refuses changes nothing, and works when there is room")
    func memoryLimit() async throws {
        let server = try await RedisServer.start(["--maxmemory", "3mb", "--maxmemory-policy", "noeviction"])
        let location = try #require(RedisLocation(server.url))
        let subject = storage(location)
        try await subject.open(Self.owner)
        let long = JobArguments([("text", .string(String(repeating: "x", count: 100_000)))])
        var stored: [JobID] = []
        var refusal: StorageError?
        for number in 0..<200 where refusal == nil {
            let pair = [2 * number, 2 * number + 1].map { number in
                Job(id: Self.job(number).id, name: "a", args: long, createdAt: Timestamp(microseconds: 1))
            }
            do { stored += try await subject.save(pair) } catch { refusal = error }
        }
        #expect(refusal?.code == .full)
        #expect(refusal?.message.contains("raise maxmemory") == true)
        let jobs = try await subject.jobs(limit: 1000)
        #expect(jobs.map(\.id) == stored.sorted())
        let redis = try await RESPClient.connect(to: location.address)
        _ = try await redis.send(["CONFIG", "SET", "maxmemory", "0"])
        await redis.close()
        let new = try await subject.save([Self.job(9999)])
        #expect(new.count == 1)
        await subject.close()
    }

    @Test("a wrong password, user or database is an error at once")
    func login() async throws {
        let server = try await RedisServer.start(["--requirepass", "secret"])
        for url in [
            "redis://127.0.0.1:\(server.port)", "redis://:wrong@127.0.0.1:\(server.port)",
            "redis://nobody:secret@127.0.0.1:\(server.port)", "redis://:secret@127.0.0.1:\(server.port)/99",
        ] {
            let subject = storage(try #require(RedisLocation(url)))
            let error = await #expect(throws: StorageError.self) { try await subject.open(Self.owner) }
            #expect(error?.code == .unusable, "\(url): \(String(describing: error))")
            #expect(error?.message.contains("wrong@") == false)
        }
        let subject = storage(try #require(RedisLocation("redis://default:secret@127.0.0.1:\(server.port)/3")))
        try await subject.open(Self.owner)
        try await subject.save([Self.job(1)])
        await subject.close()
    }

    @Test("an owner whose epoch is over changes nothing, and is told")
    func fenced() async throws {
        let location = try await SharedRedis.location()
        let told = Locked<[StorageError]>([])
        let first = storage(location)
        try await first.open(StorageOwner(name: "worker_1") { error in told.withLock { $0.append(error) } })
        try await first.save([Self.job(1)])
        // As if the lease had expired while this process was frozen.
        let redis = try await RESPClient.connect(to: location.address)
        try await redis.endLease(of: "worker_1", at: location)
        let second = storage(location)
        try await second.open(Self.owner)
        var changed = Self.job(1)
        changed.attempt = 5
        for call in 0..<2 {
            let error = await #expect(throws: StorageError.self, "call \(call)") {
                try await first.apply([.update(changed, Self.report(changed)), .remove(Self.job(2).id)])
            }
            #expect(error?.code == .lost)
            #expect(error?.message.contains("process \(getpid())") == true)
        }
        let error = await #expect(throws: StorageError.self) { try await first.save([Self.job(3)]) }
        #expect(error?.code == .lost)
        #expect(told.withLock { $0 }.count == 1)
        let jobs = try await second.jobs()
        let reports = try await second.reports()
        #expect(jobs == [Self.job(1)])
        #expect(reports.isEmpty)
        await first.close()
        await second.close()
        await redis.close()
    }

    @Test("an owner that is silent finds out by its renewal, without a call")
    func renewal() async throws {
        let location = try await SharedRedis.location()
        let (lost, tell) = AsyncStream.makeStream(of: StorageError.self)
        let first = storage(location, lease: 1)
        try await first.open(StorageOwner(name: "worker_1") { tell.yield($0) })
        let redis = try await RESPClient.connect(to: location.address)
        let second = storage(location)
        var isOpen = false
        while !isOpen {
            // It may renew its lease at any moment.
            try await redis.endLease(of: "worker_1", at: location)
            isOpen = (try? await second.open(Self.owner)) != nil
        }
        var iterator = lost.makeAsyncIterator()
        let error = await iterator.next()
        #expect(error?.code == .lost)
        await second.close()
        await redis.close()
    }

    @Test("a lease is renewed as long as its owner lives, and holds others off")
    func leaseHolds() async throws {
        let location = try await SharedRedis.location()
        let first = storage(location, lease: 3)
        try await first.open(Self.owner)
        let redis = try await RESPClient.connect(to: location.address)
        let lease = "\(location.prefix)node:worker_1:lease"
        for _ in 0..<3 {
            _ = try await redis.send(["PEXPIRE", lease, "2000"])
            try await eventually("it is renewed") { (try await redis.send(["PTTL", lease]).integer ?? 0) > 2000 }
        }
        let second = storage(location)
        let error = await #expect(throws: StorageError.self) { try await second.open(Self.owner) }
        #expect(error?.code == .held)
        await first.close()
        let after = try await redis.send(["EXISTS", lease])
        #expect(after.integer == 0)
        await redis.close()
    }

    @Test(
        "a renewal that reaches the server after the closing brings no lease back",
        arguments: [RedisScript.renew, .attach])
    func renewalAfterClosing(_ script: RedisScript) async throws {
        let location = try await SharedRedis.location()
        let base = "\(location.prefix)node:worker_1"
        let redis = try await RESPClient.connect(to: location.address)
        let subject = storage(location)
        try await subject.open(Self.owner)
        let epoch = try #require(try await redis.send(["HGET", base, "epoch"]).text)
        let holder = try #require(try await redis.send(["GET", base + ":lease"]).text)
        await subject.close()
        let reply = try await redis.send([
            "EVAL", script.text, "2", base, "\(location.prefix)served", epoch, holder, "600000", "2",
        ])
        #expect(reply.integer == 1)
        let lease = try await redis.send(["EXISTS", base + ":lease"])
        #expect(lease.integer == 0)
        let next = storage(location)
        try await next.open(Self.owner)
        await next.close()
        await redis.close()
    }

    @Test("a storage that is closed while the server is asked for the lease leaves none there")
    func closedWhileOpening() async throws {
        let server = try await RedisServer.start()
        let location = try #require(RedisLocation(server.url))
        let redis = try await RESPClient.connect(to: location.address)
        var options = RedisStorage.Options(logger: silent)
        options.closingTime = 600
        let subject = RedisStorage(location, options: options)
        // Scripts may write, and wait.
        _ = try await redis.send(["CLIENT", "PAUSE", "600000", "WRITE"])
        let opening = Task { await #expect(throws: StorageError.self) { try await subject.open(Self.owner) } }
        try await eventually("the server is asked") {
            (try await redis.send(["CLIENT", "LIST"]).text ?? "").contains("cmd=evalsha")
        }
        async let closed: Void = subject.close()
        #expect(await opening.value?.code == .closed)
        _ = try await redis.send(["CLIENT", "UNPAUSE"])
        await closed
        let lease = try await redis.send(["EXISTS", "\(location.prefix)node:worker_1:lease"])
        #expect(lease.integer == 0)
        let next = storage(location)
        try await next.open(Self.owner)
        await next.close()
        await redis.close()
        await server.kill()
    }

    @Test("the lease of a process that has died on this machine is taken over at once")
    func deadOwner() async throws {
        let location = try await SharedRedis.location()
        let redis = try await RESPClient.connect(to: location.address)
        // A process that has ended: its number may be given again, but not with the same start.
        let ended = Process()
        ended.executableURL = URL(filePath: "/bin/true")
        try ended.start()
        ended.waitUntilExit()
        let here = RedisOwner()
        let dead = "\(here.machine) \(ended.processIdentifier) 12345 \(here.host) x"
        _ = try await redis.send(["SET", "\(location.prefix)node:worker_1:lease", dead, "PX", "600000"])
        let subject = storage(location)
        try await subject.open(Self.owner)
        await subject.close()
        await redis.close()
    }

    @Test("the lease of a process elsewhere is waited for: taken when it ends, refused when it is renewed")
    func ownerElsewhere() async throws {
        let location = try await SharedRedis.location()
        let redis = try await RESPClient.connect(to: location.address)
        let lease = "\(location.prefix)node:worker_1:lease"
        _ = try await redis.send(["SET", lease, "elsewhere 1 1 farhost x", "PX", "700"])
        let subject = storage(location)
        try await subject.open(Self.owner)
        await subject.close()
        _ = try await redis.send(["SET", lease, "elsewhere 1 1 farhost x", "PX", "4000"])
        let (lines, logger) = lineLog()
        let other = storage(location, logger: logger)
        let opening = Task { await #expect(throws: StorageError.self) { try await other.open(Self.owner) } }
        // While it waits for the end of that lease its holder renews it.
        let wait = await lines.first { $0.contains("held by another process") }
        #expect(wait != nil)
        _ = try await redis.send(["SET", lease, "elsewhere 1 1 farhost x", "PX", "600000"])
        let error = await opening.value
        #expect(error?.code == .held)
        #expect(error?.message.contains("process 1 on farhost") == true)
        await redis.close()
    }

    @Test("several nodes in one database have their own jobs, and a node and a distributor of one name too")
    func severalOwners() async throws {
        let location = try await SharedRedis.location()
        let owners = [
            StorageOwner(name: "a"), StorageOwner(name: "a:b"), StorageOwner(name: "*"),
            StorageOwner(role: .distributor, name: "a"),
        ]
        var storages: [RedisStorage] = []
        for (number, owner) in owners.enumerated() {
            let subject = storage(location)
            try await subject.open(owner)
            // The same id is another job for each.
            let new = try await subject.save([Self.job(1), Self.job(10 + number)])
            #expect(new.count == 2)
            storages.append(subject)
        }
        try await storages[2].apply([.remove(Self.job(1).id)])
        for (number, subject) in storages.enumerated() {
            let jobs = try await subject.jobs()
            #expect(jobs.map(\.id) == (number == 2 ? [] : [Self.job(1).id]) + [Self.job(10 + number).id])
            await subject.close()
        }
    }

    @Test("finished jobs that are kept are capped by count and by age")
    func caps() async throws {
        let location = try await SharedRedis.location()
        let byCount = storage(location, maximumFinished: 3)
        try await byCount.open(Self.owner)
        try await byCount.save((0..<10).map(Self.job))
        for number in 0..<8 {
            var job = Self.job(number)
            job.status = .failed
            try await byCount.apply([.update(job)])
        }
        let kept = try await byCount.jobs()
        #expect(kept.map(\.id.high) == [5, 6, 7, 8, 9])
        await byCount.close()
        let clock = ManualClock(at: .now)
        let byAge = storage(location, age: 0, clock: clock.wallClock)
        try await byAge.open(Self.owner)
        clock.advance(bySeconds: 60)
        var job = Self.job(9)
        job.status = .cancelled
        try await byAge.apply([.update(job)])
        clock.advance(bySeconds: 60)
        job = Self.job(8)
        job.status = .complete
        try await byAge.apply([.update(job)])
        let left = try await byAge.jobs()
        #expect(left.map(\.id.high) == [8])
        await byAge.close()
    }
}

/// Keeps what is logged at warning and above.
private struct WarningLog: LogHandler {
    let lines: Locked<[String]>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.warning

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.withLock { $0.append("\(event.message)") } }
}
