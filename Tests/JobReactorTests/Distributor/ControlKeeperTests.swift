import JobReactorCore
import JobReactorTesting
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import JobReactor

@Suite("What decides when jobs run, kept by a distributor") struct ControlKeeperTests {
    /// A storage that refuses as often as it is told, and notes what it was given.
    private final class Refusing: ForwardingStorage, ControlStorage {
        let storage: any JobStorage = MemoryStorage()
        let refusals = Locked(0)
        let batches = Locked<[[ControlChange]]>([])

        func change(
            _ changes: [ControlChange], saving jobs: [Job],
            done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void
        ) {
            let isRefused = refusals.withLock { refusals in
                defer { refusals = max(0, refusals - 1) }
                return refusals > 0
            }
            if isRefused { return done(.failure(StorageError("no room", code: .full))) }
            batches.withLock { $0.append(changes) }
            done(.success(Set(jobs.map(\.id))))
        }

        func controls(done: @escaping @Sendable (Result<[StoredControl], StorageError>) -> Void) {
            done(.success([StoredControl(.init(.pausedJob, "left"), [1])]))
        }
    }

    private static func set(_ name: String) -> ControlChange {
        .set(StoredControl(.init(.pausedJob, name), Array(name.utf8)))
    }

    @Test("changes of one turn go to the storage together, and what is refused is tried again, in its order")
    func storing() throws {
        let (loop, storage) = (EmbeddedEventLoop(), Refusing())
        let keeper = ControlKeeper(storage, on: loop, logger: Logger(label: "test"))
        var done: [String] = []
        let opened = keeper.open()
        loop.run()
        try opened.wait()
        #expect(keeper.all(.pausedJob).map(\.key.name) == ["left"])
        storage.refusals.withLock { $0 = 1 }
        for name in ["a", "b"] { keeper.change([Self.set(name)]) { done.append(name) } }
        loop.run()
        keeper.change([Self.set("c")]) { done.append("c") }
        loop.run()
        #expect(done == [] && storage.batches.withLock { $0.isEmpty })
        // It is here at once, whatever the storage says.
        #expect(keeper.all(.pausedJob).map(\.key.name) == ["a", "b", "c", "left"])
        loop.advanceTime(by: .seconds(1))
        loop.run()
        #expect(done == ["a", "b", "c"])
        #expect(storage.batches.withLock { $0.flatMap { $0 } } == ["a", "b", "c"].map(Self.set))
        keeper.emptied()
        loop.run()
        #expect(storage.batches.withLock { $0.last?.count } == 4)
        keeper.close()
    }

    private static func job(_ number: Int) -> Job {
        Job(
            id: JobID(high: 0, low: UInt64(number)), name: "digest", args: [:],
            options: JobOptions(unique: JobUnique("k\(number)")), createdAt: Timestamp(microseconds: 0))
    }

    @Test("who waits for what was saved before waits for jobs with keys, and is told when it comes to nothing")
    func keys() {
        let (loop, storage) = (EmbeddedEventLoop(), HeldKeys())
        let keeper = ControlKeeper(storage, on: loop, logger: Logger(label: "test"))
        var said: [String] = []
        func wait(_ name: String) {
            keeper.whenSaved({ said.append(name) }, failed: { _ in said.append("\(name) not") })
        }
        storage.memory.open(StorageOwner(role: .distributor, name: "a")) { _ in }
        wait("nothing")
        #expect(said == ["nothing"])
        storage.holding.withLock { $0 = .saveUnique }
        keeper.saveUnique(Self.job(1)) { _ in said.append("saved 1") }
        wait("first")
        loop.run()
        keeper.saveUnique(Self.job(2)) { _ in said.append("saved 2") }
        wait("second")
        loop.run()
        #expect(said == ["nothing"] && storage.heldCount == 1)
        storage.release()
        loop.run()
        #expect(said == ["nothing", "saved 1", "first", "saved 2", "second"])
        storage.holding.withLock { $0 = .saveUnique }
        keeper.saveUnique(Self.job(3)) { _ in said.append("saved 3") }
        wait("third")
        loop.run()
        wait("fourth")
        keeper.close()
        #expect(said.suffix(2) == ["third not", "fourth not"])
    }

    @Test("without a storage that can keep it, it is here as long as the process") func memory() {
        let loop = EmbeddedEventLoop()
        let keeper = ControlKeeper(nil, on: loop, logger: Logger(label: "test"))
        var isDone = false
        keeper.change([Self.set("a")]) { isDone = true }
        #expect(isDone && !keeper.savesJobs && keeper.all(.pausedJob).count == 1)
    }
}
