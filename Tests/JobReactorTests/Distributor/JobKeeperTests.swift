import JobReactorCore
import JobReactorTesting
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import JobReactor

/// What goes to the storage of a distributor, in which order.
@Suite struct JobKeeperTests {
    /// Tells what it is asked for, and answers a save when it is told to.
    private final class Calls: ForwardingStorage {
        let storage: any JobStorage = MemoryStorage()
        let names = Collector<String>()
        private let held = Locked<[@Sendable () -> Void]>([])

        func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
            held.withLock { $0.append { done(.success(Set(jobs.map(\.id)))) } }
            names.append("save \(jobs.count)")
        }

        func apply(_ changes: [JobChange], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
            names.append("apply \(changes.count)")
            done(.success(()))
        }

        func answer() { held.withLock { $0.isEmpty ? nil : $0.removeFirst() }?() }
    }

    @Test("the end of a job goes to the storage before another job of its id, whatever is answered in between")
    func idUsedAgain() async throws {
        let (calls, loop) = (Calls(), MultiThreadedEventLoopGroup.singleton.any())
        let job = Job(id: JobID(high: 1, low: 1), name: "note", args: [:], createdAt: .now)
        let keeper = try await loop.submit {
            NIOLoopBound(JobKeeper(calls, on: loop, logger: Logger(label: "test")), eventLoop: loop)
        }.get()
        try await loop.submit {
            keeper.value.save(job) {}
            keeper.value.whenSaved({})
        }.get()
        try await calls.names.wait(for: 1)
        // Who only waits for the job goes in a save of its own when it comes during that of the job.
        try await loop.submit {
            keeper.value.whenSaved({})
            calls.answer()
        }.get()
        try await calls.names.wait(for: 2)
        try await loop.submit {
            keeper.value.apply(.remove(job.id))
            keeper.value.save(job) {}
            calls.answer()
        }.get()
        try await calls.names.wait(for: 4)
        #expect(calls.names.elements == ["save 1", "save 0", "apply 1", "save 1"])
    }
}
