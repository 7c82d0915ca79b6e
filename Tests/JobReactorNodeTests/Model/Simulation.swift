import JobReactorCore
import JobReactorTesting
import JobReactorWire
import NIOCore
import NIOEmbedded

@testable import JobReactor
@testable import JobReactorNode

/// Two distributors, two nodes and three jobs, in one thread: the cores themselves, with the links, the codec and the
/// handshakes that they have in service. The network, the disks, the clock and Lua are simulated: nothing happens unless a
/// ``Step`` makes it happen, so that a list of steps is a run that can be had again.
final class Simulation {
    struct Setup: Sendable, CustomStringConvertible {
        var areNodesDurable = [true, true]
        var areDistributorsDurable = [true, true]
        var jobs = 3
        /// Jobs that a node takes at once.
        var window = 2
        /// Cuts, kills and full disks.
        var faults = 1
        /// Whether processes may be killed. Without a crash nothing runs twice.
        var kills = true
        /// Runs of the jobs of one distributor that there may be at once; nil for any number.
        var limit: Int?
        /// Whether somebody pauses jobs.
        var pauses = false
        /// Whether it begins when all jobs are accepted.
        var isUnderWay = false

        var description: String {
            func kinds(_ durable: [Bool]) -> String {
                durable.map { $0 ? "durable" : "volatile" }.joined(separator: "+")
            }
            return "distributors \(kinds(areDistributorsDurable)), nodes \(kinds(areNodesDurable)), \(jobs) jobs,"
                + " window \(window), \(faults) faults" + (kills ? "" : ", no kills") + (pauses ? ", pauses" : "")
                + (limit.map { ", \($0) at once" } ?? "")
                + (isUnderWay ? ", under way" : "")
        }
    }

    enum Process: Hashable, Sendable, CustomStringConvertible {
        case distributor(Int)
        case node(Int)

        var description: String {
            switch self {
            case .distributor(let number): "d\(number)"
            case .node(let number): "n\(number)"
            }
        }
    }

    enum Step: Hashable, Sendable {
        case submit(Int)
        case deliver(pipe: Int, to: SimulatedPipe.End)
        case notice(pipe: Int, SimulatedPipe.End)
        case link(distributor: Int, node: Int)
        case answer(Process)
        case finish(node: Int)
        case start(Process)
        /// There is room on its disk again.
        case mend(Process)
        /// Somebody lets the jobs run that a distributor holds back.
        case resume(distributor: Int)
        /// Faults.
        case cut(pipe: Int, noticedBy: SimulatedPipe.End)
        case fill(Process)
        /// The first calls of its storage have been carried out.
        case kill(Process, afterCalls: Int)
        /// No script of the node defines the job whose run is under way: it goes back. Not of a durable node, which keeps it
        /// until one does.
        case refuse(node: Int)
        /// SIGTERM: it ends when what runs has ended and is told, and all that it stores is stored.
        case stop(Process)
        /// Somebody pauses the jobs at a distributor.
        case pause(distributor: Int)

        var isFault: Bool {
            switch self {
            case .cut, .fill, .kill, .refuse, .stop, .pause: true
            default: false
            }
        }
    }

    static let takeoverTime = 5.0
    /// Seconds that a stop waits: as long as no time passes, for all that may come.
    static let grace = 20.0

    let setup: Setup
    let loop = EmbeddedEventLoop()
    let clock = ManualClock()
    let distributors: [SimulatedDistributor]
    let nodes: [SimulatedNode]
    private(set) var pipes: [(number: Int, pipe: SimulatedPipe)] = []
    private var pipesMade = 0
    private var graveyard: [AnyObject] = []
    private(set) var faults = 0
    var record = Record()
    /// How often the outcome of each job was told.
    let outcomes = Locked<[Int: Int]>([:])

    /// What has happened to the jobs.
    struct Record {
        var submitted: Set<Int> = []
        var accepted: Set<Int> = []
        /// Accepted by a distributor without a storage that died: nobody promised to keep it.
        var excused: Set<Int> = []
        var runs: [Int: Int] = [:]
        /// Those whose distributor has died since: nobody is told.
        var orphaned: Set<Int> = []
        /// Each may have a run made again.
        var kills = 0
        var cuts = 0
        var stops = 0
    }

    init(_ setup: Setup) throws {
        self.setup = setup
        distributors = setup.areDistributorsDurable.enumerated().map { SimulatedDistributor($0, isDurable: $1) }
        nodes = setup.areNodesDurable.enumerated().map {
            SimulatedNode($0, isDurable: $1, window: setup.window, limit: setup.limit)
        }
        for distributor in distributors { distributor.start(on: loop, clock.wallClock) }
        for node in nodes { node.start(on: loop, clock.wallClock) }
        for distributor in distributors.indices {
            for node in nodes.indices { try link(distributor, node) }
        }
        // What a start says has arrived.
        try deliverAll()
        guard setup.isUnderWay else { return }
        for job in 0..<setup.jobs { try take(.submit(job)) }
        for distributor in distributors.indices { try take(.answer(.distributor(distributor))) }
    }

    static func id(_ job: Int) -> JobID { JobID(high: 1, low: UInt64(job)) }

    /// Every job has its distributor.
    func distributor(of job: Int) -> Int { job % distributors.count }

    // MARK: Steps

    /// What can happen now.
    var steps: [Step] {
        var steps: [Step] = []
        for (number, pipe) in pipes {
            for end in SimulatedPipe.End.allCases {
                if pipe.canDeliver(to: end) { steps.append(.deliver(pipe: number, to: end)) }
                if pipe.canNotice(end) { steps.append(.notice(pipe: number, end)) }
            }
        }
        for process in processes {
            if storage(of: process)?.isWaiting == true { steps.append(.answer(process)) }
            if storage(of: process)?.isFull == true { steps.append(.mend(process)) }
            if !isAlive(process) { steps.append(.start(process)) }
        }
        for job in 0..<setup.jobs
        where !record.submitted.contains(job) && distributors[distributor(of: job)].takesJobs {
            // In their order: they are alike.
            steps.append(.submit(job))
            break
        }
        for node in nodes.indices where nodes[node].lane?.runs.isEmpty == false { steps.append(.finish(node: node)) }
        for distributor in distributors.indices where isPaused(distributor) {
            steps.append(.resume(distributor: distributor))
        }
        for distributor in distributors.indices {
            for node in nodes.indices where canLink(distributor, node) {
                steps.append(.link(distributor: distributor, node: node))
            }
        }
        if faults < setup.faults { steps += possibleFaults }
        return steps
    }

    private var possibleFaults: [Step] {
        var steps: [Step] = []
        for (number, pipe) in pipes where pipe.isOpen(.node) && pipe.isOpen(.distributor) {
            for end in SimulatedPipe.End.allCases { steps.append(.cut(pipe: number, noticedBy: end)) }
        }
        for node in nodes.indices where nodes[node].disk == nil && nodes[node].lane?.runs.isEmpty == false {
            steps.append(.refuse(node: node))
        }
        for distributor in distributors.indices
        where setup.pauses && isAlive(.distributor(distributor)) && !isPaused(distributor) {
            steps.append(.pause(distributor: distributor))
        }
        for process in processes where isAlive(process) {
            if !isStopping(process) { steps.append(.stop(process)) }
            let isWaiting = storage(of: process)?.isWaiting == true
            if let storage = storage(of: process), !storage.isFull { steps.append(.fill(process)) }
            for calls in 0...(isWaiting ? 1 : 0) where setup.kills { steps.append(.kill(process, afterCalls: calls)) }
        }
        return steps
    }

    func take(_ step: Step) throws {
        if step.isFault { faults += 1 }
        switch step {
        case .submit(let job): submit(job)
        case .deliver(let number, let end): try pipe(number)?.deliver(to: end)
        case .notice(let number, let end): pipe(number)?.notice(end)
        case .link(let distributor, let node): try link(distributor, node)
        case .answer(let process): storage(of: process)?.answerFirst()
        case .fill(let process): storage(of: process)?.isFull = true
        case .mend(let process): storage(of: process)?.isFull = false
        case .finish(let node): finish(node)
        case .start(let process): start(process)
        case .cut(let number, let end):
            record.cuts += 1
            pipe(number)?.cut(noticedBy: end)
        case .kill(let process, let calls): kill(process, afterCalls: calls)
        case .stop(let process):
            record.stops += 1
            stop(process)
        case .refuse(let node): _ = nodes[node].lane?.finish(.undefined)
        case .pause(let number): _ = distributors[number].core?.pause(Self.jobs, by: "somebody")
        case .resume(let number): _ = distributors[number].core?.resume(Self.jobs)
        }
        try turn()
    }

    /// What follows of itself: the loop's tasks, and what was written.
    private func turn() throws {
        loop.run()
        for (_, pipe) in pipes { try pipe.collect() }
        for node in nodes.indices where nodes[node].hasStopped { end(node: node, afterCalls: .max) }
        for distributor in distributors.indices where distributors[distributor].hasStopped {
            end(distributor: distributor, afterCalls: .max)
        }
        pipes.removeAll { $0.pipe.isOver }
    }

    /// All of them.
    private static let jobs = PauseTarget.job("work")

    private func isPaused(_ distributor: Int) -> Bool { distributors[distributor].core?.pauses[Self.jobs] != nil }

    private func submit(_ job: Int) {
        record.submitted.insert(job)
        let made = Job(id: Self.id(job), name: "work", args: JobArguments(), createdAt: clock.now)
        // Of every second job nobody here waits for the outcome: then a durable node is its only owner.
        let (outcomes, number) = (outcomes, job)
        let tell: @Sendable () -> Void = { outcomes.withLock { $0[number, default: 0] += 1 } }
        let feedback = JobFeedback(onSuccess: { _ in tell() }, onError: { _ in tell() }, onProgress: nil)
        let sink: Sink = isTold(job) ? .application(feedback) : .none
        distributors[distributor(of: job)].core?.submit(
            made, sink, accepted: { [unowned self] in record.accepted.insert(job) })
    }

    func isTold(_ job: Int) -> Bool { job % 2 == 0 }

    private func finish(_ node: Int) {
        guard let job = nodes[node].lane?.finish() else { return }
        record.runs[Int(job.id.low), default: 0] += 1
    }

    /// Whether two steps lead to one state in either order: what happens in one process does not meet what happens in another.
    func areIndependent(_ first: Step, _ second: Step) -> Bool {
        guard let one = place(of: first), let other = place(of: second) else { return false }
        return one != other
    }

    /// The process in which a step happens; nil for one that may meet any other.
    private func place(of step: Step) -> Process? {
        switch step {
        case .submit(let job): return .distributor(distributor(of: job))
        case .answer(let process): return process
        case .finish(let node): return .node(node)
        case .deliver(let number, .node): return pipe(number).map { .node($0.node) }
        case .deliver(let number, .distributor): return pipe(number).map { .distributor($0.distributor) }
        case .notice, .link, .start, .mend, .resume, .cut, .fill, .kill, .refuse, .stop, .pause: return nil
        }
    }

    // MARK: Processes

    var processes: [Process] {
        distributors.indices.map { .distributor($0) } + nodes.indices.map { .node($0) }
    }

    func storage(of process: Process) -> SimulatedStorage? {
        switch process {
        case .distributor(let number): distributors[number].storage
        case .node(let number): nodes[number].storage
        }
    }

    func isAlive(_ process: Process) -> Bool {
        switch process {
        case .distributor(let number): distributors[number].core != nil
        case .node(let number): nodes[number].core != nil
        }
    }

    private func isStopping(_ process: Process) -> Bool {
        switch process {
        case .distributor(let number): distributors[number].isStopping
        case .node(let number): nodes[number].isStopping
        }
    }

    private func stop(_ process: Process) {
        switch process {
        case .distributor(let number): distributors[number].stop(grace: Self.grace)
        case .node(let number): nodes[number].stop(grace: Self.grace)
        }
    }

    private func start(_ process: Process) {
        switch process {
        case .distributor(let number): distributors[number].start(on: loop, clock.wallClock)
        case .node(let number): nodes[number].start(on: loop, clock.wallClock)
        }
    }

    private func kill(_ process: Process, afterCalls calls: Int) {
        record.kills += 1
        switch process {
        case .distributor(let number): end(distributor: number, afterCalls: calls)
        case .node(let number): end(node: number, afterCalls: calls)
        }
    }

    /// The process is gone, and with it those who wait in it.
    private func end(distributor number: Int, afterCalls calls: Int) {
        for (_, pipe) in pipes where pipe.distributor == number { pipe.kill(.distributor) }
        for job in record.submitted where distributor(of: job) == number {
            record.orphaned.insert(job)
            if distributors[number].disk == nil { record.excused.insert(job) }
        }
        graveyard += distributors[number].kill(afterCalls: calls)
    }

    /// The process is gone.
    private func end(node: Int, afterCalls calls: Int) {
        for (_, pipe) in pipes where pipe.node == node { pipe.kill(.node) }
        graveyard += nodes[node].kill(afterCalls: calls)
    }

    // MARK: Links

    private func pipe(_ number: Int) -> SimulatedPipe? { pipes.first { $0.number == number }?.pipe }

    private func canLink(_ distributor: Int, _ node: Int) -> Bool {
        guard distributors[distributor].core != nil, nodes[node].core != nil else { return false }
        return !pipes.contains { _, pipe in
            guard pipe.distributor == distributor, pipe.node == node else { return false }
            // Of a node that was killed the distributor has to notice first: it refuses a second of one name.
            return pipe.isOpen(.node) || pipe.isOpen(.distributor) && pipe.isDead(.node)
        }
    }

    /// Connects, and carries the handshake: it stands for all of the dialling.
    private func link(_ distributor: Int, _ node: Int) throws {
        guard let here = nodes[node].connection(to: distributor),
            let there = distributors[distributor].connection(on: loop)
        else { return }
        let pipe = try SimulatedPipe(node: (node, here), distributor: (distributor, there), on: loop)
        pipesMade += 1
        pipes.append((pipesMade, pipe))
        let name = distributors[distributor].name
        for _ in 0..<20 where nodes[node].core?.destinations.known(name)?.link?.connection !== here {
            try turn()
            for end in SimulatedPipe.End.allCases where pipe.canDeliver(to: end) { try pipe.deliver(to: end) }
        }
        try turn()
    }

    func deliverAll() throws {
        for _ in 0..<1000 {
            let deliveries = steps.filter { if case .deliver = $0 { true } else { false } }
            if deliveries.isEmpty { return }
            for step in deliveries { try take(step) }
        }
    }

    // MARK: Time

    func advance(bySeconds seconds: Int64) throws {
        clock.advance(bySeconds: Double(seconds))
        loop.advanceTime(by: .seconds(seconds))
        try turn()
    }

    /// Ends it; nothing is left that waits for an answer.
    func close() throws {
        for process in processes { if isAlive(process) { kill(process, afterCalls: 0) } }
        for case let storage as SimulatedStorage in graveyard { storage.abandon() }
        for (_, pipe) in pipes { pipe.close() }
        loop.run()
        for case let storage as SimulatedStorage in graveyard { storage.abandon() }
        try loop.syncShutdownGracefully()
    }
}
