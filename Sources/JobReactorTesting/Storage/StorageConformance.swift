public import JobReactorCore

/// The contract of `JobStorage` as checks for your own storage.
///
/// The checks need no test framework. Each makes a new, empty storage, uses it, and throws a
/// ``StorageConformanceFailure`` with the expected and the actual result. With Swift Testing:
///
/// ```swift
/// import JobReactorTesting
/// import Testing
///
/// @Suite struct MyStorageTests {
///     @Test(arguments: StorageConformance.checks)
///     func conforms(to check: StorageConformance.Check) async throws {
///         try await check.run { try await MyStorage(file: temporaryFile()) }
///     }
/// }
/// ```
///
/// With XCTest:
///
/// ```swift
/// final class MyStorageTests: XCTestCase {
///     func testConforms() async throws {
///         for check in StorageConformance.checks {
///             try await check.run { try await MyStorage(file: temporaryFile()) }
///         }
///     }
/// }
/// ```
///
/// Swift Testing runs the checks in parallel, so storages of two calls of the closure must not share their jobs: give
/// each its own file, table or key prefix. A durable storage must also pass ``durableChecks``, for which the closure
/// makes one storage after another for the same place, and ``refusalChecks``, if a test can make it refuse. The suite
/// cannot check the content after a crash of the process or the machine, and whether the storage refuses when it must:
/// test that yourself.
public enum StorageConformance {
    /// All checks, in reading order: start with the first one that fails.
    public static let checks: [Check] = opening + saving + changing + fidelity + paging + reporting + calls

    /// Additional checks for durable storages, beside ``checks``. Run them with a closure that makes one storage after
    /// another for the same place (a file, a database), which is empty at first.
    public static let durableChecks: [Check] = durability

    /// One requirement for a storage.
    public struct Check: Sendable, CustomStringConvertible {
        /// The requirement as a sentence, such as "an id that is already there changes nothing". Unique in the suite.
        public let name: String
        private let body: @Sendable (StorageProbe) async throws(StorageConformanceFailure) -> Void
        private let isOpened: Bool

        init(
            _ name: String, isOpened: Bool = true,
            _ body: @escaping @Sendable (StorageProbe) async throws(StorageConformanceFailure) -> Void
        ) {
            self.name = name
            self.isOpened = isOpened
            self.body = body
        }

        /// The name.
        public var description: String { name }

        /// Runs the check; throws if the storage fails it, or if `makeStorage` throws.
        ///
        /// - Parameters:
        ///   - patience: How long to wait for each single call's `done` before the check fails. The largest call carries
        ///     10,000 jobs.
        ///   - makeStorage: Makes a new, empty storage; called once, by ``durableChecks`` several times for the same
        ///     place. The check closes what it opens; files and the like are yours to delete.
        public func run(
            patience: Duration = .seconds(30), makeStorage: @escaping @Sendable () async throws -> any JobStorage
        ) async throws(StorageConformanceFailure) {
            try await run(StorageProbe(check: name, patience: patience, makeStorage))
        }

        private func run(_ probe: StorageProbe) async throws(StorageConformanceFailure) {
            try await probe.make()
            if isOpened { try await probe.open() }
            let result: Result<Void, StorageConformanceFailure>
            do throws(StorageConformanceFailure) {
                try await body(probe)
                if isOpened { try await probe.expectOneAnswerEach() }
                result = .success(())
            } catch {
                result = .failure(error)
            }
            await probe.closeAll()
            try result.get()
        }

        /// Runs the check with every call failing once before it reaches the storage and being repeated at once: a
        /// failed call must change nothing, and later calls must work.
        public func runWithFaults(
            patience: Duration = .seconds(30), makeStorage: @escaping @Sendable () async throws -> any JobStorage
        ) async throws(StorageConformanceFailure) {
            try await run(patience: patience) {
                FaultInjectingStorage(try await makeStorage()) { call in
                    call.number.isMultiple(of: 2) ? nil : FaultInjectingStorage.fault
                }
            }
        }
    }
}

/// A violation of a ``StorageConformance/Check`` by a storage.
public struct StorageConformanceFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name of the check.
    public let check: String
    /// The expected result.
    public let expected: String
    /// The actual result.
    public let actual: String

    /// For your own suites that build on this one.
    public init(check: String, expected: String, actual: String) {
        self.check = check
        self.expected = expected
        self.actual = actual
    }

    /// All of it in one line.
    public var description: String { "\(check): expected \(expected), got \(actual)" }
}
