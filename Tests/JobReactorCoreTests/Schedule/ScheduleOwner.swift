import JobReactorCore
import Testing

/// A machine, and what its owner does with it: a transcript of actions as words.
struct ScheduleOwner {
    var machine: ScheduleMachine
    private(set) var wake: Timestamp?
    private(set) var ticks: [Timestamp] = []

    init(_ schedule: Schedule, at now: String) throws {
        machine = ScheduleMachine(schedule, try schedule.times(), at: try utc(now))
        #expect(try tell(.started, now).isEmpty)
    }

    /// The process ends, and another finds what is stored, and these unfinished jobs. Returns what it does.
    mutating func restart(
        _ schedule: Schedule? = nil, open: [(tick: String, hasBegun: Bool)] = [], at now: String
    ) throws -> [String] {
        let schedule = schedule ?? machine.schedule
        machine = ScheduleMachine(
            schedule, try schedule.times(), restoring: machine.state,
            open: try open.map { (try utc($0.tick), $0.hasBegun) }, at: try utc(now))
        wake = nil
        return try tell(.started, now)
    }

    mutating func tell(_ event: ScheduleMachine.Event, _ now: String) throws -> [String] {
        try tell(event, at: try utc(now))
    }

    mutating func tell(_ event: ScheduleMachine.Event, at now: Timestamp) throws -> [String] {
        var words: [String] = []
        for action in machine.apply(event, at: now) {
            switch action {
            case .enqueue(let tick, let due):
                #expect(tick == ScheduleTick(of: machine.schedule.name, at: tick.at))
                #expect(!ticks.contains(tick.at), "\(text(tick.at)) is made twice")
                ticks.append(tick.at)
                words.append("enqueue \(text(tick.at))" + (due.map { " due \(text($0))" } ?? ""))
            case .cancel(let id):
                let tick = ticks.first { ScheduleTick(of: machine.schedule.name, at: $0).id == id }
                words.append("cancel \(tick.map { text($0) } ?? "?")")
            case .skipped(let tick, let reason): words.append("skip \(text(tick.at)) \(reason)")
            case .missed(let count): words.append("missed \(count)")
            case .late(let tick): words.append("late \(text(tick.at))")
            case .heartbeat(let url): words.append("heartbeat \(url)")
            case .wake(let time): wake = time
            }
        }
        return words
    }

    /// The alarm goes off when it is to. Returns what it does.
    mutating func alarm() throws -> [String] {
        try tell(.alarm, at: try #require(wake))
    }

    mutating func began(_ tick: String, _ now: String) throws -> [String] {
        try tell(.began(ScheduleTick(of: machine.schedule.name, at: try utc(tick)).id), now)
    }

    mutating func ended(_ tick: String, _ status: JobStatus = .complete, at now: String) throws -> [String] {
        try tell(.ended(ScheduleTick(of: machine.schedule.name, at: try utc(tick)).id, status), now)
    }

    /// A time of this January 2026 without what is the same for all.
    func text(_ time: Timestamp) -> String {
        let second = (time.microseconds - 1_767_225_600_000_000) / 1_000_000
        let day = 1 + second / 86_400
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let clock = "\(two(second / 3600 % 24)):\(two(second / 60 % 60))"
        let seconds = second % 60 == 0 ? "" : ":\(two(second % 60))"
        return (day == 1 ? "" : "\(day) ") + clock + seconds
    }

    var next: String? { wake.map { text($0) } }
}
