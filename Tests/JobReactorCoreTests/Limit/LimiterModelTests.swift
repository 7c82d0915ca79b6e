import JobReactorCore
import JobReactorTesting
import Testing

/// Random lives of jobs with limits, told to the limiter and to one that counts everything anew each time.
@Suite struct LimiterModelTests {
    private struct World {
        let seed: UInt64
        var random: SeededGenerator
        var limiter = Limiter()
        var limits: [String: Limit] = [:]
        var now = Timestamp(microseconds: 5_000_000)
        var waiting: [JobID: (needs: [LimitNeed], priority: Int)] = [:]
        var running: [JobID: [LimitNeed]] = [:]
        /// Starts of each part.
        var starts: [LimitNeed: [Timestamp]] = [:]
        /// Since when each limit is as it is: what began before may have begun by another.
        var changedAt: [String: Timestamp] = [:]
        var made = 0
        var steps = 0

        init(seed: UInt64) {
            self.seed = seed
            random = SeededGenerator(seed: seed)
        }

        func check(_ isRight: Bool, sourceLocation: SourceLocation = #_sourceLocation) throws {
            try #require(isRight, "seed \(seed), step \(steps)", sourceLocation: sourceLocation)
        }

        func isFull(_ need: LimitNeed) -> Bool {
            guard let limit = limits[need.limit] else { return false }
            if let concurrency = limit.concurrency, running.values.count(where: { $0.contains(need) }) >= concurrency {
                return true
            }
            guard let rate = limit.rate else { return false }
            let window = now.advanced(bySeconds: -limit.per)
            return (starts[need] ?? []).count { $0 > window } >= rate
        }

        mutating func begin(_ id: JobID, _ needs: [LimitNeed]) throws {
            for need in needs { try check(!isFull(need)) }
            running[id] = needs
            for need in needs where limits[need.limit]?.rate != nil { starts[need, default: []].append(now) }
        }

        mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

        mutating func someLimit(_ name: String) -> Limit {
            var limit = Limit(name: name)
            if name.hasPrefix("k") { limit.key = "key" }
            if chance(70) { limit.concurrency = Int.random(in: 1...4, using: &random) }
            if limit.concurrency == nil || chance(30) {
                limit.rate = Int.random(in: 1...5, using: &random)
                limit.per = [1, 2.5, 10].randomElement(using: &random) ?? 1
            }
            if chance(15) { limit.whenFull = .discard }
            return limit
        }

        mutating func request() throws {
            made += 1
            let id = JobID(high: 0, low: UInt64(made))
            var needs: [LimitNeed] = []
            for name in ["a", "b", "k", "kk"] where chance(45) {
                let key = name.hasPrefix("k") ? "\(Int.random(in: 0..<4, using: &random))" : nil
                needs.append(LimitNeed(limit: name, key: key))
            }
            let priority = Int.random(in: 0...9, using: &random)
            let isFullNow = needs.contains { isFull($0) }
            switch limiter.request(id, needs: needs.shuffled(using: &random), priority: priority, at: now) {
            case .granted:
                try check(!isFullNow)
                if !needs.isEmpty { try begin(id, needs) }
            case .waits:
                // Or others are to be looked at first, and it follows with them.
                waiting[id] = (needs, priority)
            case .full(let limit):
                try check(limits[limit]?.whenFull == .discard && needs.contains { $0.limit == limit && isFull($0) })
            }
            try takeAll()
        }

        mutating func takeAll() throws {
            while let id = limiter.takeNext(at: now) {
                let taken = waiting.removeValue(forKey: id)
                let job = try #require(taken, "seed \(seed), step \(steps)")
                try begin(id, job.needs)
            }
            // Nothing waits that could run.
            for job in waiting.values { try check(job.needs.contains { isFull($0) }) }
            try check(limiter.waitingCount == waiting.count && limiter.runningCount == running.count)
        }

        mutating func end() throws {
            let isWaiting = chance(25)
            let ids = (isWaiting ? Array(waiting.keys) : Array(running.keys)).sorted()
            guard let id = ids.randomElement(using: &random) else { return }
            try check(limiter.end(id, at: now))
            waiting[id] = nil
            running[id] = nil
            try takeAll()
        }

        mutating func pass() throws {
            let until = now.advanced(bySeconds: .random(in: 0...3, using: &random))
            // An alarm each time that one is asked for.
            var alarms = 0
            while let wake = limiter.wake, wake <= until, alarms < 1000 {
                now = max(now, wake)
                try takeAll()
                alarms += 1
            }
            try check(alarms < 1000)
            // In between nothing could begin.
            now = until
            for job in waiting.values { try check(job.needs.contains { isFull($0) }) }
        }

        func compare() throws {
            for usage in limiter.usage(at: now) {
                try check(usage.inUse == running.values.count { $0.contains(usage.need) })
                try check(usage.waiting == waiting.values.count { $0.needs.contains(usage.need) })
            }
        }
    }

    @Test(
        "no limit is passed, nothing waits that could run, and nothing is left behind",
        arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func model(seed: UInt64) throws {
        var world = World(seed: seed)
        for name in ["a", "b", "k", "kk"] {
            let limit = world.someLimit(name)
            world.limits[name] = limit
            world.limiter.define(limit, at: world.now)
        }
        for step in 0..<2500 {
            world.steps = step
            switch Int.random(in: 0..<100, using: &world.random) {
            case 0..<40: if world.waiting.count < 60 { try world.request() }
            case 40..<75: try world.end()
            case 75..<95: try world.pass()
            case 95..<97 where seed % 2 == 0:
                guard let name = ["a", "b", "k", "kk"].randomElement(using: &world.random) else { continue }
                if world.chance(20) {
                    world.limits[name] = nil
                    world.limiter.undefine(name, at: world.now)
                } else {
                    let limit = world.someLimit(name)
                    // Starts under a limit without a rate are not remembered, and those before a window are forgotten.
                    let old = world.limits[name]
                    if old?.rate == nil || (old?.per ?? 0) < limit.per { continue }
                    world.limits[name] = limit
                    world.limiter.define(limit, at: world.now)
                }
                try world.takeAll()
            default: try world.compare()
            }
        }
        for _ in 0..<1000 where !world.running.isEmpty || !world.waiting.isEmpty {
            if let id = world.running.keys.min() {
                #expect(world.limiter.end(id, at: world.now) == true)
                world.running[id] = nil
            }
            world.now = world.now.advanced(bySeconds: 20)
            try world.takeAll()
        }
        #expect(world.waiting.isEmpty)
        world.now = world.now.advanced(bySeconds: 20)
        try world.takeAll()
        #expect(world.limiter.partCount < 10)
        #expect(world.limiter.usage(at: world.now) == [])
        #expect(world.limiter.wake == nil)
        #expect(world.made > 500)
    }
}
