import Foundation
import JobReactorTesting

/// One thing that was broken.
struct Fault: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        /// A process is killed, and started again a little later.
        case kill
        /// A process is stopped for a while, and then goes on before anyone has given it up.
        case freeze
        /// A node is stopped for so long that its lease ends and another takes over its jobs, and then goes on.
        case hang
        /// The connections between some of the processes are cut.
        case cut
        /// The Redis server is killed and started again, or frozen for a while.
        case server
        /// A node is killed for good, once: with a shared storage another takes over its jobs.
        case lose
    }

    let kind: Kind
    /// The process, where one is meant.
    let what: String
    let from: Date
    var until: Date
}

/// Breaks things, in an order that its seed fixes.
actor Breaker {
    private let installation: ChaosInstallation
    private var random: SeededGenerator
    private let kinds: [Fault.Kind]
    private var faults: [Fault] = []
    private var lost: String?

    init(_ installation: ChaosInstallation, seed: UInt64, kinds: [Fault.Kind]) {
        self.installation = installation
        random = SeededGenerator(seed: seed)
        self.kinds = kinds
    }

    /// Breaks things for so long from the moment on that work is done, and mends them all at the end.
    func run(seconds: Double, from begun: AsyncStream<Void>) async throws -> [Fault] {
        for await _ in begun {}
        let end = Date().addingTimeInterval(seconds)
        while Date() < end {
            try await breakSomething()
            try await Task.sleep(for: .milliseconds(Int.random(in: 100...1200, using: &random)))
        }
        return faults
    }

    private func breakSomething() async throws {
        guard let kind = kinds.randomElement(using: &random) else { return }
        let from = Date()
        let pause = Double.random(in: 0.05...2, using: &random)
        let what: String
        switch kind {
        case .kill:
            guard let member = installation.members.randomElement(using: &random), member.name != lost else { return }
            what = member.name
            await member.kill()
            try await Task.sleep(for: .seconds(pause))
            try member.start()
        case .freeze:
            guard let member = installation.members.randomElement(using: &random) else { return }
            what = member.name
            member.signal(SIGSTOP)
            try await Task.sleep(for: .seconds(pause))
            member.signal(SIGCONT)
        case .hang:
            guard let node = installation.nodes.randomElement(using: &random), node.name != lost else { return }
            what = node.name
            node.signal(SIGSTOP)
            try await Task.sleep(for: .seconds(20))
            node.signal(SIGCONT)
        case .lose:
            guard !faults.contains(where: { $0.kind == .lose }), let node = installation.nodes.last else { return }
            what = node.name
            await node.kill()
            lost = node.name
        case .cut:
            let proxies =
                installation.nodeProxies + installation.clientProxies + [installation.redisProxy].compactMap { $0 }
            let index = Int.random(in: proxies.indices, using: &random)
            what = "connections of proxy \(index)"
            proxies[index].cut()
        case .server:
            guard let redis = installation.redis else { return }
            if Bool.random(using: &random) {
                what = "redis killed"
                await redis.kill()
                try await Task.sleep(for: .seconds(pause))
                try await redis.restart()
            } else {
                what = "redis frozen"
                redis.freeze(true)
                try await Task.sleep(for: .seconds(pause))
                redis.freeze(false)
            }
        }
        faults.append(Fault(kind: kind, what: what, from: from, until: Date()))
    }
}
