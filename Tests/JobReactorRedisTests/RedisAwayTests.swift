import Foundation
import JobReactorCore
import JobReactorTesting
import JobReactorWire
import Logging
import Testing

@testable import JobReactorRedis

/// A server that is away for longer than a lease, that serves only later, or that loses everything.
@Suite struct RedisAwayTests {
    private static func job(_ number: Int) -> Job {
        Job(
            id: JobID(high: UInt64(number), low: 7), name: "resize", args: ["n": .integer(Int64(number))],
            distributor: "app", createdAt: Timestamp(microseconds: 5))
    }

    private static func adopt(_ storage: RedisStorage, _ node: String) async -> Result<AdoptedJobs, StorageError> {
        await withCheckedContinuation { continuation in
            storage.adopt(node, defining: ["resize"], after: nil, limit: 100) { continuation.resume(returning: $0) }
        }
    }

    enum Absence: CaseIterable { case killed, frozen }

    @Test(
        "nobody adopts from an owner that lives when the server was away for longer than its lease",
        arguments: Absence.allCases)
    func awayLongerThanLease(_ absence: Absence) async throws {
        let server = try await RedisServer.start(RedisServer.keepingAll)
        let location = try #require(RedisLocation(server.url))
        let told = Locked<[StorageError]>([])
        let first = storage(location, lease: 1)
        try await first.open(StorageOwner(name: "first") { error in told.withLock { $0.append(error) } })
        try await first.save([Self.job(1)])
        let others = (0..<4).map { _ in storage(location, lease: 1) }
        for (number, other) in others.enumerated() { try await other.open(StorageOwner(name: "other \(number)")) }
        if absence == .killed { await server.kill() } else { server.freeze(true) }
        // Each of them asks as soon as the server is there again.
        let adoptions = others.map { other in Task { await Self.adopt(other, "first") } }
        // Longer than any lease can last that was renewed before: it is time itself that has to pass.
        try await Task.sleep(for: .milliseconds(2200))
        if absence == .killed { try await server.restart() } else { server.freeze(false) }
        for adoption in adoptions {
            guard case .failure(let error) = await adoption.value else {
                Issue.record("the jobs were adopted")
                continue
            }
            #expect(error.code == .held, "\(error)")
        }
        try await first.save([Self.job(2)])
        let jobs = try await first.jobs()
        #expect(jobs.map(\.id.high) == [1, 2])
        #expect(told.withLock { $0 }.isEmpty)
        if absence == .killed { #expect(first.reconnectCount >= 1) }
        await first.close()
        for other in others { await other.close() }
    }

    @Test("one that has just connected waits a full lease before it adopts from what was not closed, and then does")
    func justConnected() async throws {
        let location = try await SharedRedis.location()
        let redis = try await RESPClient.connect(to: location.address)
        // A process elsewhere that has gone without a word.
        let base = "\(location.prefix)node:gone"
        let heir = storage(location, lease: 1)
        let clock = ContinuousClock()
        let began = clock.now
        try await heir.open(StorageOwner(name: "heir"))
        let gone = storage(location, lease: 1)
        try await gone.open(StorageOwner(name: "gone"))
        try await gone.save([Self.job(1)])
        await gone.close()
        _ = try await redis.send(["HDEL", base, "closed"])
        let adopted = try await Self.adopt(heir, "gone").get()
        #expect(adopted.jobs.map(\.id.high) == [1])
        // Not timed from above: only that it did wait.
        #expect(clock.now - began > .milliseconds(900))
        await heir.close()
        await redis.close()
    }

    @Test("a name that would be the key of another is refused", arguments: ["a:lease", "a:job:1", "x:reports"])
    func ambiguousName(_ name: String) async throws {
        let subject = storage(try await SharedRedis.location())
        let error = await #expect(throws: StorageError.self) { try await subject.open(StorageOwner(name: name)) }
        #expect(error?.code == .unusable)
        #expect(error?.message.contains("choose another name") == true)
    }

    // MARK: A server that serves later

    struct Trouble: Sendable, CustomTestStringConvertible {
        let begin: [[String]]
        let end: [[String]]
        let word: String
        var testDescription: String { word }
    }

    private static let troubles = [
        Trouble(begin: [["REPLICAOF", "127.0.0.1", "1"]], end: [["REPLICAOF", "NO", "ONE"]], word: "READONLY"),
        Trouble(
            begin: [
                ["CONFIG", "SET", "replica-serve-stale-data", "no"], ["REPLICAOF", "127.0.0.1", "1"],
            ], end: [["REPLICAOF", "NO", "ONE"]], word: "MASTERDOWN"),
        Trouble(
            begin: [["CONFIG", "SET", "min-replicas-to-write", "1"]],
            end: [["CONFIG", "SET", "min-replicas-to-write", "0"]], word: "NOREPLICAS"),
        Trouble(
            begin: [["CONFIG", "SET", "maxmemory", "1"]], end: [["CONFIG", "SET", "maxmemory", "0"]], word: "OOM"),
        Trouble(
            begin: [["CONFIG", "SET", "maxclients", "1"]], end: [["CONFIG", "SET", "maxclients", "100"]],
            word: "max number of clients"),
    ]

    @Test(
        "a storage that is opened while the server does not serve waits, and says so once, and when it is over",
        arguments: troubles)
    func opensLater(_ trouble: Trouble) async throws {
        let server = try await RedisServer.start()
        let location = try #require(RedisLocation(server.url))
        let redis = try await RESPClient.connect(to: location.address)
        for command in trouble.begin { _ = try await redis.send(command) }
        let (lines, log) = AsyncStream.makeStream(of: String.self)
        let all = Locked<[String]>([])
        let subject = RedisStorage(
            location,
            options: RedisStorage.Options(
                lease: 1,
                logger: Logger(label: "test") { _ in
                    LineLog { line in
                        all.withLock { $0.append(line) }
                        log.yield(line)
                    }
                }))
        let opening = Task { try await subject.open(StorageOwner(name: "worker_1")) }
        var iterator = lines.makeAsyncIterator()
        let first = await iterator.next()
        #expect(first?.contains(trouble.word) == true, "\(first ?? "")")
        // It has tried again when the server has had further connections.
        try await eventually("it tries again") {
            let info = try await redis.send(["INFO", "stats"]).text ?? ""
            let counts = ["total_connections_received:", "rejected_connections:"].map { name in
                let line = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix(name) }
                return Int(line?.split(separator: ":").last ?? "") ?? 0
            }
            return counts.reduce(0, +) >= 6
        }
        for command in trouble.end { _ = try await redis.send(command) }
        try await opening.value
        try await subject.save([Self.job(1)])
        let said = all.withLock { $0 }
        #expect(said.filter { $0.contains("trying again") }.count == 1, "\(said)")
        #expect(said.filter { $0.contains("Redis is reachable again") }.count == 1, "\(said)")
        await subject.close()
        await redis.close()
    }

    @Test("a lease is renewed on a server at its memory limit, over the connection and over a new one")
    func renewsWithoutMemory() async throws {
        let server = try await RedisServer.start()
        let location = try #require(RedisLocation(server.url))
        let proxy = try await TCPProxy.start(to: location.address.port)
        var through = location
        through.address.port = proxy.port
        let subject = storage(through, lease: 1)
        try await subject.open(StorageOwner(name: "worker_1"))
        try await subject.save([Self.job(1)])
        let redis = try await RESPClient.connect(to: location.address)
        _ = try await redis.send(["CONFIG", "SET", "maxmemory", "1"])
        for round in 0..<2 {
            _ = try await redis.send(["DEL", "jobreactor:node:worker_1:lease"])
            try await eventually("it is renewed") {
                try await redis.send(["EXISTS", "jobreactor:node:worker_1:lease"]).integer == 1
            }
            if round == 0 { proxy.cut() }
        }
        // Calls are refused, each for itself.
        let calls = (2..<12).map { number in Task { try await subject.save([Self.job(number)]) } }
        for call in calls {
            let error = await #expect(throws: StorageError.self) { try await call.value }
            #expect(error?.code == .full)
        }
        let loaded = try await subject.load(Self.job(1).id)
        #expect(loaded == Self.job(1))
        _ = try await redis.send(["CONFIG", "SET", "maxmemory", "0"])
        try await subject.save([Self.job(2)])
        await subject.close()
        await proxy.stop()
        await redis.close()
    }

    // MARK: A server that has lost everything

    @Test("an owner whose database was emptied is told that, not that another has its jobs, and may open it again")
    func emptied() async throws {
        let location = try await SharedRedis.location()
        let (errors, tell) = AsyncStream.makeStream(of: StorageError.self)
        let owner = StorageOwner(name: "worker_1") { tell.yield($0) }
        let subject = storage(location, lease: 1)
        try await subject.open(owner)
        try await subject.save([Self.job(1)])
        let redis = try await RESPClient.connect(to: location.address)
        try await redis.empty(location)
        // It finds out by itself.
        var iterator = errors.makeAsyncIterator()
        let told = await iterator.next()
        #expect(told?.code == .emptied)
        #expect(told?.message.contains("emptied") == true)
        let error = await #expect(throws: StorageError.self) { try await subject.save([Self.job(2)]) }
        #expect(error?.code == .emptied)
        await subject.close()
        try await subject.open(owner)
        try await subject.save([Self.job(3)])
        let jobs = try await subject.jobs()
        #expect(jobs == [Self.job(3)])
        await subject.close()
        await redis.close()
    }

    @Test("when another has opened the emptied database, that one has the jobs")
    func emptiedAndTaken() async throws {
        let location = try await SharedRedis.location()
        let first = storage(location)
        try await first.open(StorageOwner(name: "worker_1"))
        let redis = try await RESPClient.connect(to: location.address)
        try await redis.empty(location)
        let second = storage(location)
        try await second.open(StorageOwner(name: "worker_1"))
        // Both are in the first epoch of theirs.
        let error = await #expect(throws: StorageError.self) { try await first.save([Self.job(1)]) }
        #expect(error?.code == .lost)
        let jobs = try await second.jobs()
        #expect(jobs.isEmpty)
        await first.close()
        await second.close()
        await redis.close()
    }
}

extension RESPClient {
    /// What FLUSHALL does, to one prefix of a server that tests share; at once.
    func empty(_ location: RedisLocation) async throws {
        _ = try await send([
            "EVAL", "for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do redis.call('DEL', key) end", "0",
            location.prefix,
        ])
    }
}

/// Hands on what is logged at notice and above, with its reason.
struct LineLog: LogHandler {
    let note: @Sendable (String) -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.notice

    init(_ note: @escaping @Sendable (String) -> Void) { self.note = note }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        note("\(event.message) \(event.metadata?["reason"].map { "\($0)" } ?? "")")
    }
}
