import JobReactorCore
import JobReactorTesting
import Testing

/// Random lives of a schedule: alarms, runs that end, restarts, crashes before and after what was stored, edits, pauses, and clocks
/// that are set.
@Suite struct ScheduleMachineModelTests {
    private struct World {
        let seed: UInt64
        var random: SeededGenerator
        var schedule: Schedule
        var machine: ScheduleMachine
        var now: Timestamp
        var wake: Timestamp?
        /// The unfinished jobs of ticks, and whether each has begun.
        var open: [Timestamp: Bool] = [:]
        var ids: [Timestamp: JobID] = [:]
        /// All ticks that ever became jobs.
        var made: Set<Timestamp> = []
        var skipped = 0
        var missed = 0
        var late = 0
        var steps = 0
        var log: [(ScheduleMachine.Event, Timestamp, [ScheduleMachine.Action])] = []

        init(seed: UInt64) throws {
            self.seed = seed
            random = SeededGenerator(seed: seed)
            now = try utc("2026-03-28T20:00").advanced(bySeconds: Double(seed) * 0.37)
            schedule = Schedule(name: "s", spec: .every(60), job: "job")
            schedule = Self.change(schedule, &random)
            machine = ScheduleMachine(schedule, try schedule.times(), at: now)
            try apply(.started)
        }

        static func change(_ schedule: Schedule, _ random: inout SeededGenerator) -> Schedule {
            var schedule = schedule
            let specs = ["every 60s", "*/5 * * * *", "*/15 2,3 * * *", "7 * * * *", "0 2 * * *", "*/20 * * * * *"]
            if Bool.random(using: &random) {
                schedule.spec = specs.randomElement(using: &random).flatMap { ScheduleSpec($0) } ?? schedule.spec
            }
            if Bool.random(using: &random), zone("Europe/Berlin") != nil {
                schedule.timezone = ["UTC", "Europe/Berlin"].randomElement(using: &random) ?? "UTC"
            }
            schedule.overlap = ScheduleOverlap.allCases.randomElement(using: &random) ?? .skip
            schedule.catchUp = ScheduleCatchUp.allCases.randomElement(using: &random) ?? .last
            schedule.window = [600, 7200, 20_000].randomElement(using: &random) ?? 600
            schedule.jitter = [0, 30].randomElement(using: &random) ?? 0
            schedule.lateAfter = [5, 60, 10_000].randomElement(using: &random) ?? 60
            return schedule
        }

        func check(_ isRight: Bool, sourceLocation: SourceLocation = #_sourceLocation) throws {
            try #require(isRight, "seed \(seed), step \(steps), \(log.suffix(4))", sourceLocation: sourceLocation)
        }

        mutating func apply(_ event: ScheduleMachine.Event, isStored: Bool = true) throws {
            let before = machine
            let actions = machine.apply(event, at: now)
            log.append((event, now, actions))
            if !isStored {
                // The process ends before anything is stored or done.
                machine = before
                return try restart()
            }
            let times = try schedule.times()
            for action in actions {
                switch action {
                case .enqueue(let tick, let due):
                    try check(made.insert(tick.at).inserted)
                    try check(due.map { $0 >= tick.at && $0 > now } ?? true)
                    if event != .run {
                        // By its own calendar, and not before its time.
                        let isTick =
                            times.next(after: tick.at.advanced(byMicroseconds: -1), countedFrom: machine.state.base)?.at
                            == tick.at
                        try check(isTick || before.state.waiting == tick.at)
                        try check(tick.at <= now || before.state.waiting == tick.at)
                    }
                    try check(open.isEmpty || schedule.overlap == .allow)
                    open[tick.at] = false
                    ids[tick.at] = tick.id
                case .cancel(let id):
                    try check(open.keys.contains { ids[$0] == id } && schedule.overlap == .cancel)
                case .skipped(let tick, _):
                    try check(!made.contains(tick.at))
                    skipped += 1
                case .missed(let count): missed += count
                case .late: late += 1
                case .heartbeat: try check(false)
                case .wake(let time): wake = time
                }
            }
            try check(machine.state.made == made.count && machine.state.skipped == skipped)
            try check(machine.state.missed == missed && machine.state.late == late)
            try check(machine.openCount == open.count)
            try check(
                machine.state.waiting == nil || machine.state.pause != nil
                    || [.queue, .cancel, .skip].contains(schedule.overlap))
        }

        mutating func restart() throws {
            // What is stored comes back as it was.
            machine = ScheduleMachine(
                schedule, try schedule.times(), restoring: machine.state,
                open: open.map { (tick: $0.key, hasBegun: $0.value) }, at: now)
            wake = nil
            try apply(.started)
        }

        /// Time passes as it does, and alarms go off.
        mutating func pass(_ seconds: Double) throws {
            let end = now.advanced(bySeconds: seconds)
            var alarms = 0
            while let wake, wake <= end, alarms < 500 {
                now = max(now, wake)
                self.wake = nil
                try apply(.alarm)
                // An alarm leads to one that is later.
                try check(self.wake.map { $0 > now } ?? true)
                alarms += 1
            }
            now = max(now, end)
        }

        mutating func endOne() throws {
            guard let tick = open.keys.min(), let id = ids[tick] else { return }
            if open[tick] == false, Bool.random(using: &random) {
                open[tick] = true
                return try apply(.began(id))
            }
            open[tick] = nil
            try apply(.ended(id, [.complete, .failed, .cancelled].randomElement(using: &random) ?? .complete))
        }
    }

    @Test(
        "no tick is made twice, none overlaps that must not, and the machine goes on after all that can happen",
        arguments: Array(1...16) as [UInt64])
    func lives(seed: UInt64) throws {
        var world = try World(seed: seed)
        for step in 0..<400 {
            world.steps = step
            switch Int.random(in: 0..<100, using: &world.random) {
            case 0..<35: try world.pass(.random(in: 0...1800, using: &world.random))
            case 35..<70: try world.endOne()
            case 70..<76:
                world.now = world.now.advanced(bySeconds: .random(in: 0...20_000, using: &world.random))
                try world.restart()
            case 76..<80: try world.restart()
            case 80..<84:
                // The process ends in the middle of an alarm.
                if let wake = world.wake { world.now = max(world.now, wake) }
                try world.apply(.alarm, isStored: false)
            case 84..<88:
                world.now = world.now.advanced(bySeconds: .random(in: -10_000...10_000, using: &world.random))
                try world.apply(.clockSet)
            case 88..<90:
                // Far ahead, and back.
                let now = world.now
                world.now = now.advanced(bySeconds: 1e8)
                try world.apply(.clockSet)
                for _ in 0..<3 { try world.endOne() }
                world.now = now.advanced(bySeconds: 10)
                try world.apply(.clockSet)
            case 90..<93:
                world.schedule = World.change(world.schedule, &world.random)
                try world.apply(.changed(world.schedule, world.schedule.times()))
            case 93..<95: try world.apply(.paused(by: "ann"))
            case 95..<98: try world.apply(.resumed)
            default:
                world.now = world.now.advanced(byMicroseconds: 1)
                try world.apply(.run)
            }
            while world.open.count > 20 { try world.endOne() }
        }
        // Whatever has happened, the next ticks are made when it is their time.
        try world.apply(.resumed)
        world.schedule.spec = .every(60)
        (world.schedule.overlap, world.schedule.jitter) = (.skip, 0)
        try world.apply(.changed(world.schedule, world.schedule.times()))
        for _ in 0..<3000 where !world.open.isEmpty { try world.endOne() }
        // A clock that was set back has to come to where it was; once it was far ahead.
        let before = world.now.advanced(bySeconds: 1e6)
        world.now = max(world.now, world.machine.state.decided, world.made.filter { $0 < before }.max() ?? world.now)
        try world.apply(.alarm)
        for _ in 0..<3000 where !world.open.isEmpty { try world.endOne() }
        let count = world.made.count
        for _ in 0..<10 {
            try world.pass(60)
            for _ in 0..<10 where !world.open.isEmpty { try world.endOne() }
        }
        try world.check(world.made.count >= count + 9)
    }
}
