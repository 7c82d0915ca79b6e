import Foundation
import JobReactorTesting

/// Breaks things as the plan says, and mends them.
actor Breaker {
    private let installation: ChaosInstallation
    private var plan: FaultPlan
    private var faults: [Fault] = []

    init(_ installation: ChaosInstallation, seed: UInt64, kinds: [Fault.Kind]) {
        self.installation = installation
        plan = FaultPlan(seed: seed, kinds: kinds, installation.targets)
    }

    /// Breaks things for so long from the moment on that work is done. All is mended at the end.
    func run(seconds: Double, from begun: AsyncStream<Void>) async throws -> [Fault] {
        for await _ in begun {}
        let end = Date().addingTimeInterval(seconds)
        while Date() < end, let step = plan.next() {
            try await carryOut(step)
            try await Task.sleep(for: .seconds(step.pause))
        }
        return faults.sorted { $0.from < $1.from }
    }

    private func carryOut(_ step: FaultPlan.Step) async throws {
        guard let second = step.second else { return try await carryOut(step.first) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.carryOut(step.first) }
            group.addTask {
                try await Task.sleep(for: .seconds(step.delay))
                try await self.carryOut(second)
            }
            try await group.waitForAll()
        }
    }

    private func carryOut(_ order: FaultPlan.Order) async throws {
        var fault = Fault(kind: order.kind, what: order.target, from: Date(), until: Date())
        switch order.kind.aim {
        case .member, .node, .lastNode:
            guard let member = installation.member(order.target) else { return }
            fault.wasCutShort = try await strike(member, order)
        case .proxy: installation.proxy(order.target)?.cut()
        case .storage:
            guard let storage = installation.storage(order.target) else { return }
            guard let how = try await strike(storage, order) else { return }
            fault.how = how
        }
        fault.until = Date()
        faults.append(fault)
    }

    /// Returns whether a process that was told to stop has said that it was cut short.
    private func strike(_ member: Member, _ order: FaultPlan.Order) async throws -> Bool {
        switch order.kind {
        case .freeze, .hang:
            member.signal(SIGSTOP)
            await Pause.seconds(order.seconds)
            member.signal(SIGCONT)
        case .lose: await member.kill()
        case .stop:
            let wasCutShort = await member.stop()
            await Pause.seconds(order.seconds)
            try member.start()
            return wasCutShort
        default:
            await member.kill()
            await Pause.seconds(order.seconds)
            try member.start()
        }
        return false
    }

    /// Returns how it was broken; nil when it was not.
    private func strike(_ storage: any BreakableStorage, _ order: FaultPlan.Order) async throws -> String? {
        switch order.kind {
        case .refuse: try await storage.refuse(order.way, seconds: order.seconds)
        case .full: try await storage.fill(seconds: order.seconds)
        case .stall: try await storage.stall(seconds: order.seconds)
        default: try await storage.restart(order.way, seconds: order.seconds)
        }
    }
}

enum Pause {
    /// A sleep that, when its task is cancelled, only ends earlier: what was broken is mended after it.
    static func seconds(_ seconds: Double) async { try? await Task.sleep(for: .seconds(seconds)) }
}
