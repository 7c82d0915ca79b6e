import JobReactorTesting
import JobReactorCore
import Testing

/// Random events, told to the dispatcher and to a naive one that looks at everything each time.
@Suite struct DispatcherModelTests {
    private struct Node {
        let name: String
        var jobs: Set<String> = []
        var credit = 0
        var window = 0
        var isDraining = false
        /// Jobs it has, and has not settled.
        var running: [Job] = []
        var load: Int { window - credit }
        var isFree: Bool { credit > 0 && !isDraining }
    }

    private struct Model {
        let strict: Bool
        var nodes: [Dispatcher.NodeHandle: Node] = [:]
        /// All that wait: those given back before the others, each in the order they came.
        var returned: [Job] = []
        var waiting: [Job] = []
        var settled: [JobID] = []

        func isAllowed(_ job: Job, on node: Node) -> Bool {
            node.jobs.contains(job.name) && node.name != job.notNode
                && (!strict || job.node == nil || job.node == node.name)
        }

        func sameRoute(_ left: Job, _ right: Job) -> Bool {
            left.name == right.name && left.node == right.node && left.notNode == right.notNode
        }

        /// The first of its route among those that wait.
        func isFirst(_ job: Job) -> Bool {
            (returned + waiting).first { sameRoute($0, job) }?.id == job.id
        }

        mutating func remove(_ job: Job) -> Bool {
            if let index = returned.firstIndex(where: { $0.id == job.id }) {
                returned.remove(at: index)
                return true
            }
            if let index = waiting.firstIndex(where: { $0.id == job.id }) {
                waiting.remove(at: index)
                return true
            }
            return false
        }
    }

    private static let names = ["a", "b", "c", "d"]
    private static let jobNames = ["w", "x", "y", "z"]

    /// One run: the dispatcher, its model, and the steps of both.
    private struct Run {
        let seed: UInt64
        var random: SeededGenerator
        var dispatcher: Dispatcher
        var model: Model
        /// The nodes as they came: the order of a dictionary would not be the same in two runs.
        var order: [Dispatcher.NodeHandle] = []
        var made = 0
        var step = 0

        init(seed: UInt64, strict: Bool) {
            self.seed = seed
            random = SeededGenerator(seed: seed)
            dispatcher = Dispatcher(alwaysUseSpecifiedNode: strict)
            model = Model(strict: strict)
        }

        /// Ends the run at the first thing that is wrong; what follows would be wrong as well.
        func check(_ isRight: Bool, sourceLocation: SourceLocation = #_sourceLocation) throws {
            try #require(
                isRight, "seed \(seed), strict \(model.strict), step \(step)", sourceLocation: sourceLocation)
        }

        mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

        mutating func someNode() -> Dispatcher.NodeHandle? { order.randomElement(using: &random) }

        mutating func someJob() -> Job {
            made += 1
            let name = DispatcherModelTests.jobNames[Int.random(in: 0..<4, using: &random)]
            let node = chance(30) ? DispatcherModelTests.names[Int.random(in: 0..<4, using: &random)] : nil
            let notNode = chance(20) ? DispatcherModelTests.names[Int.random(in: 0..<4, using: &random)] : nil
            return job(made, name, node: node, notNode: notNode)
        }

        mutating func someJobs() -> Set<String> {
            var jobs: Set<String> = []
            for name in DispatcherModelTests.jobNames where chance(60) { jobs.insert(name) }
            return jobs
        }

        mutating func connect(name: String, jobs: Set<String>) throws {
            let handle = dispatcher.connect(name: name)
            try check(model.nodes[handle] == nil)
            model.nodes[handle] = Node(name: name)
            order.append(handle)
            try announce(handle, jobs: jobs)
        }

        mutating func announce(_ handle: Dispatcher.NodeHandle, jobs: Set<String>) throws {
            dispatcher.announce(handle, jobs: jobs)
            model.nodes[handle]?.jobs = jobs
            try takeAll(for: handle)
        }

        mutating func grant(_ handle: Dispatcher.NodeHandle, credit: Int) throws {
            dispatcher.grant(handle, credit: credit)
            guard var node = model.nodes[handle] else { return }
            node.credit += credit
            node.window = max(node.window, node.credit)
            model.nodes[handle] = node
            try takeAll(for: handle)
        }

        /// A job goes to the dispatcher, new or given back; checks where it is sent.
        mutating func put(_ job: Job, isReturned: Bool) throws {
            let chosen = isReturned ? dispatcher.giveBack(job) : dispatcher.enqueue(job)
            let others = (model.returned + model.waiting).contains { model.sameRoute($0, job) }
            let fitting = model.nodes.values.filter { $0.isFree && model.isAllowed(job, on: $0) }
            guard let chosen else {
                try check(fitting.isEmpty || others)
                if isReturned { model.returned.append(job) } else { model.waiting.append(job) }
                return
            }
            let node = try #require(model.nodes[chosen], "a node that is gone")
            try check(!others)
            try check(node.isFree)
            try check(model.isAllowed(job, on: node))
            if fitting.contains(where: { $0.name == job.node }) {
                try check(node.name == job.node)
            } else {
                try check(node.load == fitting.map(\.load).min())
            }
            model.nodes[chosen]?.credit -= 1
            model.nodes[chosen]?.running.append(job)
        }

        /// The node takes what it can; checks each, and that nothing it could have is left.
        mutating func takeAll(for handle: Dispatcher.NodeHandle) throws {
            while let id = dispatcher.takeNext(for: handle) {
                let node = try #require(model.nodes[handle], "a node that is gone")
                let job = try #require((model.returned + model.waiting).first { $0.id == id }, "not waiting: \(id)")
                try check(node.isFree)
                try check(model.isAllowed(job, on: node))
                try check(model.isFirst(job))
                let wasWaiting = model.remove(job)
                try check(wasWaiting)
                model.nodes[handle]?.credit -= 1
                model.nodes[handle]?.running.append(job)
            }
            guard let node = model.nodes[handle], node.isFree else { return }
            try check(!(model.returned + model.waiting).contains { model.isAllowed($0, on: node) })
        }

        mutating func settle(_ handle: Dispatcher.NodeHandle) throws {
            guard var node = model.nodes[handle], !node.running.isEmpty else { return }
            let job = node.running.remove(at: Int.random(in: 0..<node.running.count, using: &random))
            model.nodes[handle] = node
            if chance(15) { try put(job, isReturned: true) } else { model.settled.append(job.id) }
            try grant(handle, credit: 1)
        }

        mutating func withdraw() throws {
            guard let job = (model.returned + model.waiting).randomElement(using: &random) else { return }
            dispatcher.withdraw(job)
            let wasWaiting = model.remove(job)
            try check(wasWaiting)
            // Now and then it comes again, while its old place is still in the queue.
            if chance(30) { try put(job, isReturned: false) } else { model.settled.append(job.id) }
        }

        mutating func disconnect(_ handle: Dispatcher.NodeHandle) throws {
            dispatcher.disconnect(handle)
            order.removeAll { $0 == handle }
            for job in model.nodes.removeValue(forKey: handle)?.running ?? [] { try put(job, isReturned: true) }
        }

        func compare() throws {
            let waiting = model.returned + model.waiting
            try check(dispatcher.waitingCount == waiting.count)
            let counts = Dictionary(grouping: waiting, by: \.name).mapValues(\.count).sorted { $0.key < $1.key }
            let listed = dispatcher.waitingByName()
            let bySize = dispatcher.waitingByName(most: 1000)
            try check(
                bySize.sorted { $0.name < $1.name }.map { "\($0)" } == listed.map { "\($0)" }
                    && zip(bySize, bySize.dropFirst()).allSatisfy { $0.count >= $1.count })
            let first = dispatcher.waitingByName(most: 2).map(\.count)
            try check(first.count <= 2 && first.reduce(0, +) <= dispatcher.waitingCount)
            try check(listed.map(\.name) == counts.map(\.key))
            try check(listed.map(\.count) == counts.map(\.value))
            let defined = model.nodes.values.reduce(into: Set<String>()) { $0.formUnion($1.jobs) }
            try check(listed.map(\.isDefined) == counts.map { defined.contains($0.key) })
            for (handle, node) in model.nodes {
                let state = dispatcher.state(of: handle)
                try check(state.name == node.name)
                try check(state.jobs == node.jobs)
                try check(state.credit == node.credit)
                try check(state.load == node.load)
                try check(state.isDraining == node.isDraining)
            }
        }
    }

    @Test(
        "no job is lost or sent twice, none goes where it must not, and each route keeps its order",
        arguments: [11, 22, 33, 44, 55, 66] as [UInt64], [false, true])
    func model(seed: UInt64, strict: Bool) throws {
        var run = Run(seed: seed, strict: strict)
        for step in 0..<1500 {
            run.step = step
            switch Int.random(in: 0..<100, using: &run.random) {
            case 0..<45: try run.put(run.someJob(), isReturned: false)
            case 45..<55: try run.withdraw()
            case 55..<80: if let node = run.someNode() { try run.settle(node) }
            case 80..<86:
                if let node = run.someNode() { try run.grant(node, credit: Int.random(in: 1...3, using: &run.random)) }
            case 86..<91: if let node = run.someNode() { try run.announce(node, jobs: run.someJobs()) }
            case 91..<95:
                if run.order.count < 7 {
                    try run.connect(name: Self.names[Int.random(in: 0..<4, using: &run.random)], jobs: run.someJobs())
                }
            case 95..<97:
                if let node = run.someNode() {
                    run.dispatcher.drain(node)
                    run.model.nodes[node]?.isDraining = true
                }
            default: if let node = run.someNode() { try run.disconnect(node) }
            }
            if step % 20 == 0 { try run.compare() }
        }
        try run.compare()
        let settledAmid = run.model.settled.count

        // Nodes of every name that take everything: what was put in has come out.
        for node in run.order { try run.disconnect(node) }
        for name in Self.names + ["e"] {
            try run.connect(name: name, jobs: Set(Self.jobNames))
            if let node = run.order.last { try run.grant(node, credit: 10_000) }
        }
        try run.compare()
        // A job that wants the node it excludes waits for ever, where the word is strict.
        try run.check(run.model.returned.isEmpty || strict)
        for job in run.model.returned + run.model.waiting {
            try run.check(strict && job.node != nil && job.node == job.notNode)
        }
        let accounted =
            run.model.settled + run.model.nodes.values.flatMap { $0.running.map(\.id) }
            + (run.model.returned + run.model.waiting).map(\.id)
        try run.check(accounted.sorted() == (1...run.made).map { id($0) })
        try run.check(settledAmid > 100)
    }
}
