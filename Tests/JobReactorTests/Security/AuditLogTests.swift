import JobReactorCore
import JobReactorTesting
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import JobReactor
@testable import JobReactorWire

/// The audit log without a port.
@Suite("An audit log") struct AuditLogTests {
    private final class Nobody: ConnectionSession {
        func received(_ frame: RESPFrame, on connection: Connection) {}
        func readCompleted(on connection: Connection) {}
        func disconnected(_ connection: Connection, reason: String?) {}
    }

    /// What was told of entries, by their numbers.
    private final class Told {
        var numbers: [Int] = []
    }

    private static let ann = User(name: "ann", roles: [.producer, .viewer])
    private static let ops = User(name: "ops", roles: [.operator])

    private let loop = EmbeddedEventLoop()
    private let connection = Connection(role: .server, limits: RESPLimits(), session: Nobody())
    private let told = Told()

    private func log(_ storage: (any JobStorage)?) -> AuditLog {
        AuditLog(
            storage, clock: .system, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, on: loop)
    }

    private func note(_ number: Int, by user: User = Self.ops, in log: AuditLog) {
        log.note("CANCEL", "the job \(number) is cancelled", by: user, over: connection) { [told] in
            told.numbers.append(number)
        }
    }

    /// A storage that is open.
    private func storage() -> MemoryStorage {
        let storage = MemoryStorage()
        storage.open(StorageOwner(role: .distributor, name: "app")) { _ in }
        return storage
    }

    /// The newest first.
    private func changes(_ storage: MemoryStorage) throws -> [String] {
        let found = Locked<[AuditEntry]?>(nil)
        storage.audit(limit: 10_000) { result in found.withLock { $0 = try? result.get() } }
        return try #require(found.withLock { $0 }).map { "\($0.user): \($0.change)" }
    }

    @Test("who waits for an entry is told when it is stored, and each batch apart")
    func stored() {
        let storage = HeldAudit()
        let log = log(storage)
        note(1, in: log)
        note(2, in: log)
        note(3, in: log)
        #expect(told.numbers == [] && storage.held.elements.count == 1)
        storage.release()
        #expect(told.numbers == [1] && storage.held.elements.count == 3)
        log.finish { [told] in told.numbers.append(99) }
        #expect(told.numbers == [1])
        storage.release()
        #expect(told.numbers == [1, 2, 3, 99])
        log.finish { [told] in told.numbers.append(100) }
        #expect(told.numbers.last == 100)
    }

    @Test("an order for many jobs begins when that is stored, and is through when its end is; without changes: neither")
    func orders() {
        let storage = HeldAudit()
        let log = log(storage)
        /// Changes jobs a piece at a time.
        func order(_ pieces: [Int], isDry: Bool = false, failure: (any Error)? = nil) {
            let (loop, told) = (loop, told)
            log.noting(.cancel, of: JobFilter(name: "mail"), isDry: isDry, by: Self.ops, over: connection) { begin in
                var carriedOut = loop.makeSucceededVoidFuture()
                for piece in isDry ? [] : pieces {
                    carriedOut = carriedOut.assumeIsolated().flatMap(begin).map { told.numbers.append(-piece) }
                        .nonisolated()
                }
                return carriedOut.map { CarriedOut(count: pieces.reduce(0, +), failure: failure) }
            }.assumeIsolated().whenSuccess { told.numbers.append($0.count) }
        }
        order([])
        order([5], isDry: true)
        #expect(told.numbers == [0, 5] && storage.held.elements.isEmpty)
        order([1, 2])
        #expect(told.numbers == [0, 5] && storage.held.elements.count == 1)
        storage.release()
        #expect(told.numbers == [0, 5, -1, -2] && storage.held.elements.count == 2)
        storage.release()
        #expect(told.numbers == [0, 5, -1, -2, 3])
        // What was meant had gone meanwhile; why it ended early is for who asked.
        order([0], failure: JobError(.stopped, "the node was stopped"))
        storage.release()
        storage.release()
        #expect(told.numbers == [0, 5, -1, -2, 3, 0, 0])
        #expect(
            storage.held.elements.map(\.change) == [
                "begins to cancel jobs (name mail)", "3 jobs are cancelled (name mail)",
                "begins to cancel jobs (name mail)", "0 jobs are cancelled (name mail)",
            ])
        #expect(storage.held.elements.allSatisfy { $0.user == "ops" && $0.command == "CANCEL" })
    }

    @Test("nobody waits for a storage that refuses, or where there is none; what it refused comes again")
    func refused() {
        let storage = HeldAudit()
        let log = log(storage)
        note(1, in: log)
        note(2, in: log)
        storage.release(StorageError("no room", code: .full))
        #expect(told.numbers == [1, 2])
        note(3, in: log)
        #expect(told.numbers == [1, 2, 3])
        loop.advanceTime(by: .seconds(1))
        storage.release()
        #expect(storage.held.elements.suffix(3).map(\.change) == (1...3).map { "the job \($0) is cancelled" })
        note(4, in: log)
        #expect(told.numbers == [1, 2, 3])
        storage.release()
        #expect(told.numbers == [1, 2, 3, 4])
        note(5, in: self.log(nil))
        #expect(told.numbers.last == 5)
    }

    @Test("who is no operator has a hundred entries a day, and one an hour that tells of how many more there were")
    func share() throws {
        let storage = storage()
        let log = log(storage)
        for number in 1...500 { note(number, by: Self.ann, in: log) }
        #expect(told.numbers == Array(1...500))
        #expect(try changes(storage).count == 100)
        loop.advanceTime(by: .hours(1))
        #expect(try changes(storage).count == 101)
        #expect(try changes(storage)[0] == "ann: the job 500 is cancelled; with 399 more since the previous entry")
        loop.advanceTime(by: .hours(1))
        #expect(try changes(storage).count == 101)
        note(501, by: Self.ann, in: log)
        loop.advanceTime(by: .hours(1))
        #expect(try changes(storage)[0] == "ann: the job 501 is cancelled")
        // Others, and other commands, are apart; an operator's are all there.
        for number in 1...500 { note(number, in: log) }
        log.note("RELOAD", "the scripts are reloaded", by: Self.ann, over: connection)
        #expect(try changes(storage)[0] == "ann: the scripts are reloaded")
        #expect(try changes(storage).count == 603)
        // Another day.
        loop.advanceTime(by: .hours(24))
        note(502, by: Self.ann, in: log)
        #expect(try changes(storage)[0] == "ann: the job 502 is cancelled")
    }

    @Test("what is counted is there when the process ends")
    func counted() throws {
        let storage = storage()
        let log = log(storage)
        for number in 1...102 { note(number, by: Self.ann, in: log) }
        #expect(try changes(storage).count == 100)
        log.finish { [told] in told.numbers.append(-1) }
        #expect(told.numbers.last == -1)
        #expect(try changes(storage)[0] == "ann: the job 102 is cancelled; with 1 more since the previous entry")
        loop.advanceTime(by: .hours(1))
        #expect(try changes(storage).count == 101)
    }

    @Test("in a year one who is no operator fills less than half of it, with a command that comes without end")
    func year() {
        var share = AuditShare()
        let entry = AuditEntry(
            id: JobID(high: 0, low: 1), at: .now, user: "ann", address: "?", command: "CANCEL", change: "it is gone")
        var (count, now) = (0, NIODeadline.uptimeNanoseconds(0))
        for minute in 0..<(10 * 24 * 60) {
            if case .entry = share.note(entry, at: now) { count += 1 }
            if minute % 60 == 59, share.takeCounted(AuditShare.Key(entry)) != nil { count += 1 }
            now = now + .minutes(1)
        }
        #expect((10 * AuditShare.daily...10 * (AuditShare.daily + 24)).contains(count))
        #expect(366 * (AuditShare.daily + 24) < AuditEntry.most / 2)
    }
}
