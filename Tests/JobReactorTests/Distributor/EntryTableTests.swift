import JobReactorCore
import JobReactorTesting
import Testing

@testable import JobReactor

/// The lists of a distributor's jobs, against a look through all of them.
@Suite struct EntryTableTests {
    private typealias Entry = LedgerEntry

    private static let nodes: [Dispatcher.NodeHandle] = {
        var dispatcher = Dispatcher()
        return ["a", "b", "c"].map { dispatcher.connect(name: $0) }
    }()
    private static let now = Moment(wall: Timestamp(seconds: 1), steady: Timestamp(seconds: 500))

    private struct World {
        var table = EntryTable()
        var all: [(id: JobID, entry: Entry)] = []
        var random: SeededGenerator

        mutating func place() -> Entry.Place {
            switch Int.random(in: 0..<6, using: &random) {
            case 0: .saving
            case 1: .waiting
            case 2: .inDoubt(at: "a")
            case 3: .owned(by: Bool.random(using: &random) ? "a" : "b")
            default: .node(nodes[Int.random(in: 0..<3, using: &random)], number: 1)
            }
        }

        mutating func args() -> JobArguments {
            ["a": .string(String(repeating: "x", count: Int.random(in: 0..<100, using: &random)))]
        }

        mutating func sink() -> Sink {
            Bool.random(using: &random) ? .application(JobFeedback(onSuccess: { _ in })) : .none
        }

        mutating func due() -> DueTime {
            let due = now.advanced(bySeconds: Double.random(in: 0..<20, using: &random))
            switch Int.random(in: 0..<3, using: &random) {
            case 0: return .now
            case 1: return .steady(due.steady)
            default: return .date(due.wall)
            }
        }

        mutating func step() {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                let id = JobID(high: random.next(), low: random.next())
                let job = Job(
                    id: id, name: Bool.random(using: &random) ? "known" : "unknown", args: args(), createdAt: now.wall)
                let entry = Entry(job, sink(), place(), due: due())
                table.add(entry, id)
                note(entry)
                all.append((id, entry))
            case 4..<6 where !all.isEmpty:
                let gone = all.remove(at: Int.random(in: 0..<all.count, using: &random))
                table.remove(gone.id)
            case 6..<9:
                let place = place()
                guard let entry = all.randomElement(using: &random)?.entry else { return }
                table.move(entry, to: place)
                entry.job?.args = args()
                table.measure(entry)
                note(entry)
            default:
                let sink = sink()
                guard let entry = all.randomElement(using: &random)?.entry else { return }
                table.setSink(sink, of: entry)
                note(entry)
            }
        }

        /// As its owner does during the stop.
        private mutating func note(_ entry: Entry) {
            if table.isDraining { table.recount(entry) { $0.name == "known" } }
        }

        private func ids(_ entries: [Entry]) -> Set<ObjectIdentifier> { Set(entries.map(ObjectIdentifier.init)) }

        func check(_ note: String) throws {
            let entries = all.map(\.entry)
            try #require(table.count == entries.count, "\(note)")
            let bytes = entries.reduce(0) { $0 + 300 + $1.name.utf8.count + ($1.job?.args ?? [:]).bytes.count }
            try #require(table.memory.total == bytes, "\(note)")
            for node in nodes {
                let expected = entries.filter { if case .node(node, _) = $0.place { true } else { false } }
                try #require(ids(table.sent(to: node)) == ids(expected), "\(note)")
                try #require(table.sent(to: node).count == expected.count, "\(note)")
            }
            for name in ["a", "b"] {
                let expected = entries.filter { if case .owned(name) = $0.place { true } else { false } }
                try #require(ids(table.owned(by: name)) == ids(expected), "\(note)")
            }
        }

        /// Who is waited for, when the grace is 10 s and a node can run what is known.
        var awaited: Int {
            all.map(\.entry).filter { entry in
                guard entry.due.isPast(at: now.advanced(bySeconds: 10)) else { return false }
                return switch entry.place {
                case .node: true
                case .owned: entry.sink.waitsHere
                case .inDoubt: false
                case .waiting: entry.sink.waitsHere && entry.name == "known"
                case .saving: false
                }
            }.count
        }
    }

    @Test(arguments: 1...20) func listsAndCountsAreThoseOfALookThroughAll(seed: UInt64) throws {
        var world = World(random: SeededGenerator(seed: seed))
        for step in 0..<300 {
            world.step()
            try world.check("seed \(seed), step \(step)")
        }
        #expect(world.table.awaitedCount == 0)
        world.table.beginDrain(until: Self.now.advanced(bySeconds: 10)) { $0.name == "known" }
        #expect(world.table.awaitedCount == world.awaited)
        for step in 0..<300 {
            world.step()
            try world.check("seed \(seed), step \(step) of the stop")
            try #require(world.table.awaitedCount == world.awaited, "seed \(seed), step \(step) of the stop")
        }
        while let last = world.all.popLast() { world.table.remove(last.id) }
        #expect(world.table.awaitedCount == 0 && world.table.memory.total == 0)
    }

    @Test func allThatGoAtOnceAreReturnedWhenSomebodyWaits() {
        var world = World(random: SeededGenerator(seed: 7))
        for _ in 0..<200 { world.step() }
        let waiting = world.all.map(\.entry).filter { $0.sink.waitsHere }
        #expect(Set(world.table.removeAll().map(ObjectIdentifier.init)) == Set(waiting.map(ObjectIdentifier.init)))
        #expect(world.table.isEmpty)
        #expect(world.table.owned(by: "a").isEmpty)
        for node in Self.nodes { #expect(world.table.sent(to: node).isEmpty) }
    }
}

/// Which reports of durable nodes come again.
@Suite struct RecentReportsTests {
    private func report(_ number: UInt64, run: Int32) -> JobReport {
        JobReport(
            id: JobID(high: 0, low: number), name: "j", feedback: Feedback(.success, args: JobArguments()),
            status: .complete, run: run)
    }

    @Test func eachRunIsNewOnce() {
        var recent = RecentReports(limit: 2)
        // The oldest of three is forgotten.
        let reports = [(1, 1), (1, 1), (1, 2), (1, 1), (2, 1), (3, 1), (2, 1), (1, 2)] as [(UInt64, Int32)]
        let isNew = reports.map { id, run in recent.note(report(id, run: run)) }
        #expect(isNew == [true, false, true, false, true, true, false, true])
        // A new job of an old id.
        recent.forget(JobID(high: 0, low: 1))
        let isNewAgain = recent.note(report(1, run: 1))
        #expect(isNewAgain)
    }
}
