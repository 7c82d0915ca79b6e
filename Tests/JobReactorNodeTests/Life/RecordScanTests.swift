import JobReactorCore
import NIOCore
import NIOEmbedded
import Testing

@testable import JobReactorNode

@Suite("A look through all records of a storage") struct RecordScanTests {
    /// What was met, and how it ended.
    private final class Met {
        var numbers: [UInt64] = []
        var pages = 0
        var end: Result<Void, any Error>?
    }

    private let loop = EmbeddedEventLoop()
    private let storage = MemoryStorage()
    private let met = Met()

    private func open(_ count: Int) {
        storage.open(StorageOwner(name: "n1")) { _ in }
        if count > 0 { save(1...count) }
    }

    private func save(_ numbers: ClosedRange<Int>) {
        let jobs = numbers.map { number in
            Job(
                id: JobID(high: 1, low: UInt64(number)), name: "j", args: [:], createdAt: Timestamp(microseconds: 0))
        }
        storage.save(jobs) { _ in }
    }

    /// Ends after a hundred pages, whatever comes.
    private func run(_ visit: @escaping ([Job]) -> Void = { _ in }) {
        let (loop, met) = (loop, met)
        RecordScan.runThroughAll(of: storage, on: loop) { page in
            met.numbers += page.map(\.id.low)
            met.pages += 1
            visit(page)
            return loop.makeSucceededFuture(met.pages < 100)
        }.assumeIsolated().whenComplete { met.end = $0 }
        loop.run()
    }

    @Test("meets each once, in pages, and ends though others come with each page")
    func ends() throws {
        open(1000)
        run { page in
            let last = 1000 * (self.met.pages + 1)
            self.save(last - 999...last)
        }
        try #require(met.end).get()
        #expect(met.numbers == (1...1000).map { UInt64($0) })
        #expect(met.pages > 1 && met.pages < 10)
    }

    @Test("ends where there is none, and those that go meanwhile are not waited for")
    func less() throws {
        open(0)
        run()
        try #require(met.end).get()
        #expect(met.pages == 0)

        save(1...600)
        run { _ in
            storage.apply((500...600).map { .remove(JobID(high: 1, low: $0)) }) { _ in }
        }
        #expect(met.numbers == (1...499).map { UInt64($0) })
    }

    @Test("ends with the error of the storage")
    func fails() throws {
        run()
        #expect(throws: StorageError.self) { try met.end?.get() }
        #expect(met.pages == 0)
    }
}
