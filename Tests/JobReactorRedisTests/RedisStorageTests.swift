import Foundation
import JobReactorCore
import JobReactorTesting
import Logging
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

func storage(_ location: RedisLocation, lease: Double = 15, maximumFinished: Int = 10_000, age: Double = 1e6)
    -> RedisStorage
{
    RedisStorage(
        location,
        options: RedisStorage.Options(
            lease: lease, maximumFinished: maximumFinished, maximumFinishedAge: age, logger: silent))
}

@Suite struct RedisStorageTests {
    @Test("it is what a storage must be", arguments: StorageConformance.checks)
    func conforms(to check: StorageConformance.Check) async throws {
        try await check.run { storage(try await SharedRedis.location()) }
    }

    @Test("it is so also when a call fails", arguments: StorageConformance.checks)
    func conformsWithFaults(to check: StorageConformance.Check) async throws {
        try await check.runWithFaults { storage(try await SharedRedis.location()) }
    }

    @Test("it is durable", arguments: StorageConformance.durableChecks)
    func isDurable(_ check: StorageConformance.Check) async throws {
        let location = try await SharedRedis.location()
        try await check.run { storage(location) }
    }
}
