import Foundation
import JobReactorCore
import JobReactorTesting
import JobReactorWire
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import JobReactorRedis

/// One server for all suites; each storage has a prefix of its own.
enum SharedRedis {
    private static let server = Task { try await RedisServer.start() }

    static func location(prefix: String = "test-\(UUID().uuidString):") async throws -> RedisLocation {
        let server = try await server.value
        return try #require(RedisLocation("\(server.url)/0?prefix=\(prefix)"))
    }
}

let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

func storage(
    _ location: RedisLocation, lease: Double = 15, maximumFinished: Int = 10_000, age: Double = 1e6,
    clock: WallClock = .system, logger: Logger = silent, on group: (any EventLoopGroup)? = nil
) -> RedisStorage {
    var options = RedisStorage.Options(
        lease: lease, maximumFinished: maximumFinished, maximumFinishedAge: age, logger: logger)
    options.clock = clock
    return RedisStorage(location, options: options, on: group)
}

/// A log, and its lines as they come.
func lineLog() -> (lines: AsyncStream<String>, logger: Logger) {
    let (lines, log) = AsyncStream.makeStream(of: String.self)
    return (lines, Logger(label: "test") { _ in LineLog { log.yield($0) } })
}

/// Asks again until the answer is yes: for states that announce themselves to nobody. Fails after 240 s.
func eventually(
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    for _ in 0..<24_000 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("never came: \(what)", sourceLocation: sourceLocation)
}

extension RESPClient {
    /// Ends the lease of a node whose process lives, as if that had been frozen for longer, while others were served.
    func endLease(of node: String, at location: RedisLocation) async throws {
        _ = try await send(["DEL", "\(location.prefix)node:\(node):lease"])
        _ = try await send(["HSET", "\(location.prefix)node:\(node)", "lease", "0"])
        _ = try await send(["HSET", "\(location.prefix)served", "since", "0"])
    }
}

@Suite struct RedisStorageTests {
    /// A loop of their own: batches of 10,000 jobs must not hold up tests that look at times.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    @Test("it is what a storage must be, also when its calls fail", arguments: StorageConformance.checks)
    func conforms(to check: StorageConformance.Check) async throws {
        try await check.runWithFaults { storage(try await SharedRedis.location(), on: Self.group) }
    }

    @Test("it keeps an audit log", arguments: StorageConformance.auditChecks)
    func audit(_ check: StorageConformance.Check) async throws {
        let location = try await SharedRedis.location()
        try await check.run { storage(location, on: Self.group) }
    }

    @Test("it keeps what decides when jobs run", arguments: StorageConformance.controlChecks)
    func controls(_ check: StorageConformance.Check) async throws {
        let location = try await SharedRedis.location()
        try await check.run { storage(location, on: Self.group) }
    }

    @Test("it refuses as a storage must", arguments: StorageConformance.refusalChecks)
    func refuses(_ check: StorageConformance.RefusalCheck) async throws {
        let server = try await RedisServer.start()
        let location = try #require(RedisLocation(server.url))
        let redis = try await RESPClient.connect(to: location.address)
        try await check.run {
            storage(location)
        } refuse: { refuses in
            _ = try await redis.send(["CONFIG", "SET", "maxmemory", refuses ? "1" : "0"])
        }
        await redis.close()
    }

    @Test("it is durable", arguments: StorageConformance.durableChecks)
    func isDurable(_ check: StorageConformance.Check) async throws {
        let location = try await SharedRedis.location()
        try await check.run { storage(location) }
    }
}
