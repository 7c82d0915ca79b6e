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
/// file, a table or a key prefix each. What the suite cannot see from outside, and you must test yourself: that the jobs
/// of a durable storage are there after a restart, and that a batch that reports an error changed nothing.
public enum StorageConformance {
    /// All checks, in the order to read them in: the first that fails is the one to look at first.
    public static let checks: [Check] = saving + changing + fidelity + paging + calls

    /// One demand on a storage.
    public struct Check: Sendable, CustomStringConvertible {
        /// The demand as a sentence, such as "an id that is already there changes nothing". Unique in the suite.
        public let name: String
        private let body: @Sendable (StorageProbe) async throws(StorageConformanceFailure) -> Void

        init(
            _ name: String, _ body: @escaping @Sendable (StorageProbe) async throws(StorageConformanceFailure) -> Void
        ) {
            self.name = name
            self.body = body
        }

        /// The name.
        public var description: String { name }

        /// Runs the check; throws when the storage does not meet it, and also when `makeStorage` throws.
        ///
        /// - Parameters:
        ///   - patience: How long to wait for each single call's `done` before the check fails. The largest call carries
        ///     10,000 jobs.
        ///   - makeStorage: Makes a new, empty storage; called once. Whatever must be closed or deleted afterwards is
        ///     yours to keep track of.
        public func run(
            patience: Duration = .seconds(30), makeStorage: @Sendable () async throws -> any JobStorage
        ) async throws(StorageConformanceFailure) {
            let storage: any JobStorage
            do {
                storage = try await makeStorage()
            } catch {
                throw StorageConformanceFailure(
                    check: name, expected: "makeStorage to return a storage", actual: "\(error)")
            }
            let probe = StorageProbe(storage, check: name, patience: patience)
            try await body(probe)
            try await probe.expectOneAnswerEach()
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
