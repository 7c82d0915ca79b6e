import JobReactorCore
import JobReactorTesting
import JobReactorWire
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import JobReactor
@testable import JobReactorNode

/// A log that nobody reads.
let silence = Logger(label: "model") { _ in SwiftLogNoOpLogHandler() }

/// A distributor that can be killed and started again; its disk stays.
final class SimulatedDistributor {
    let name: String
    let disk: MemoryStorage?
    private(set) var storage: SimulatedStorage?
    private(set) var core: DistributorCore?
    private(set) var isStopping = false
    /// It waits for nothing more.
    private(set) var hasStopped = false

    init(_ number: Int, isDurable: Bool) {
        name = "d\(number)"
        disk = isDurable ? MemoryStorage() : nil
    }

    func start(on loop: EmbeddedEventLoop, _ clock: WallClock) {
        storage = disk.map(SimulatedStorage.init)
        var configuration = DistributorConfiguration(
            name: name, storage: storage, takeoverTime: Simulation.takeoverTime, logger: silence)
        configuration.clock = clock
        let core = DistributorCore(configuration, on: loop)
        core.name = name
        self.core = core
        _ = core.openStorage()
        loop.run()
        storage?.isPrompt = false
    }

    /// Returns what must be kept until the simulation ends.
    func kill(afterCalls count: Int) -> [AnyObject] {
        storage?.end(afterCalls: count)
        defer { (core, storage, isStopping, hasStopped) = (nil, nil, false, false) }
        let gone: [AnyObject?] = [core, storage]
        return gone.compactMap { $0 }
    }

    func stop(grace: Double) {
        guard !isStopping, let core else { return }
        isStopping = true
        core.drain(grace: grace).assumeIsolated().flatMap { core.close() }.whenComplete { [weak self, weak core] _ in
            if let self, let core, self.core === core { hasStopped = true }
        }
    }

    /// Else it refuses them.
    var takesJobs: Bool { core != nil && !isStopping }

    func connection(on loop: EmbeddedEventLoop) -> Connection? {
        core.map { core in
            let portGuard = PortGuard(
                limits: RESPLimits(), maximumConnections: 100, password: nil, logger: silence, on: loop)
            return CommandSession.accept(by: portGuard, service: core)
        }
    }
}

/// A node that can be killed and started again; its disk stays.
final class SimulatedNode {
    let name: String
    let disk: MemoryStorage?
    private let window: Int
    private let limit: Int?
    private(set) var storage: SimulatedStorage?
    private(set) var core: NodeCore?
    private(set) var lane: SimulatedLane?
    private var dialers: [Int: DistributorDialer] = [:]
    private(set) var isStopping = false
    /// Its stop is through; the process ends.
    private(set) var hasStopped = false

    init(_ number: Int, isDurable: Bool, window: Int, limit: Int?) {
        name = "n\(number)"
        self.window = window
        self.limit = limit
        disk = isDurable ? MemoryStorage() : nil
    }

    func start(on loop: EmbeddedEventLoop, _ clock: WallClock) {
        storage = disk.map(SimulatedStorage.init)
        var configuration = NodeConfiguration(
            name: name, distributors: [Address](), storage: storage ?? MemoryStorage(), logJobProcessing: false,
            window: window, watchesScripts: false, logger: silence)
        configuration.clock = clock
        let core = NodeCore(configuration, on: loop) { [weak self, limit] _, onResults in
            let lane = SimulatedLane(limit: limit, onResults: onResults)
            self?.lane = lane
            return lane
        }
        self.core = core
        core.start().whenFailure { Issue.record("the node does not start: \($0)") }
        loop.run()
        storage?.isPrompt = false
    }

    /// Returns what must be kept until the simulation ends.
    func kill(afterCalls count: Int) -> [AnyObject] {
        storage?.end(afterCalls: count)
        lane?.isOver = true
        defer { (core, storage, lane, dialers, isStopping, hasStopped) = (nil, nil, nil, [:], false, false) }
        let gone: [AnyObject?] = [core, storage, lane] + dialers.values.map { $0 }
        return gone.compactMap { $0 }
    }

    func stop(grace: Double) {
        guard !isStopping, let core else { return }
        isStopping = true
        core.drain(grace: grace).assumeIsolated().flatMap { core.close() }.whenComplete { [weak self, weak core] _ in
            if let self, let core, self.core === core { hasStopped = true }
        }
    }

    func connection(to distributor: Int) -> Connection? {
        guard let core else { return nil }
        let dialer = DistributorDialer(to: Address(host: "d\(distributor)", port: 5000), core: core)
        dialers[distributor] = dialer
        return dialer.makeConnection()
    }
}
