import Foundation
import JobReactorCore
import JobReactorTesting
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
    on group: (any EventLoopGroup)? = nil
) -> RedisStorage {
    RedisStorage(
        location,
        options: RedisStorage.Options(
            lease: lease, maximumFinished: maximumFinished, maximumFinishedAge: age, logger: silent), on: group)
}

@Suite struct RedisStorageTests {
    /// A loop of their own: batches of 10,000 jobs must not hold up tests that look at times.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    @Test("it is what a storage must be, also when its calls fail", arguments: StorageConformance.checks)
    func conforms(to check: StorageConformance.Check) async throws {
        try await check.runWithFaults { storage(try await SharedRedis.location(), on: Self.group) }
    }

    @Test("it is durable", arguments: StorageConformance.durableChecks)
    func isDurable(_ check: StorageConformance.Check) async throws {
        let location = try await SharedRedis.location()
        try await check.run { storage(location) }
    }
}
