public import JobReactorCore

/// What every `JobStorage` must do, as checks to run against your own.
///
/// The checks need no test framework. Each makes itself a new, empty storage, drives it, and throws a
/// ``StorageConformanceFailure`` that says what was expected and what came. With Swift Testing:
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
/// Swift Testing runs the checks side by side, so storages made by two calls of the closure must not share their jobs: a
/// file, a table or a key prefix each. A durable storage must also pass ``durableChecks``, for which the closure gives one
/// storage after another for the same place, and ``refusalChecks``, where a test can make it refuse. What the suite cannot see from outside, and you must test yourself: what is
/// there after the process, or the machine, died, and that it refuses where it has to.
public enum StorageConformance {
    /// All checks, in the order to read them in: the first that fails is the one to look at first.
    public static let checks: [Check] = opening + saving + changing + fidelity + paging + reporting + calls

    /// What durable storages must do beside ``checks``. Run them with a closure that gives one storage after another for
    /// one place (a file, a database) that is empty at first.
    public static let durableChecks: [Check] = durability

    /// One demand on a storage.
    public struct Check: Sendable, CustomStringConvertible {
        /// The demand as a sentence, such as "an id that is already there changes nothing". Unique in the suite.
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

        /// Runs the check; throws when the storage does not meet it, and also when `makeStorage` throws.
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

        /// Runs the check with every call failing once before it reaches the storage, and made again at once: whatever
        /// fails has changed nothing, and what follows works.
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

/// What a storage did that a ``StorageConformance/Check`` does not allow.
public struct StorageConformanceFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name of the check.
    public let check: String
    /// What the storage should have done.
    public let expected: String
    /// What it did.
    public let actual: String

    /// For suites of your own that build on this one.
    public init(check: String, expected: String, actual: String) {
        self.check = check
        self.expected = expected
        self.actual = actual
    }

    /// All of it in one line.
    public var description: String { "\(check): expected \(expected), got \(actual)" }
}
