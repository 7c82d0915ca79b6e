import JobReactorCore
import Testing

@testable import JobReactor

/// Schedules of a distributor, without I/O: who defines them, and what comes of them.
@Suite("A distributor's schedules") struct SchedulesTests {
    private static let start = Timestamp(microseconds: 1_767_225_600_000_000)

    private static func at(_ seconds: Double) -> Timestamp { start.advanced(bySeconds: seconds) }

    private static func minutely(
        _ name: String = "beat", job: String = "ping", _ options: [String: JSONValue] = [:]
    ) throws -> Schedule {
        try Schedule(name, "* * * * *", options, job: job)
    }

    private static let one = Schedules.Place("the scripts of n1")
    private static let other = Schedules.Place("the scripts of n2")

    /// The states as a storage has them, and what came of each outcome as text.
    private struct Bench {
        var schedules = Schedules()
        var states: [String: ScheduleState] = [:]

        mutating func define(_ defined: [Schedule], at place: Schedules.Place, now: Timestamp) -> [String] {
            let (states) = states
            let changes = schedules.define(
                defined, at: place, state: { states[$0] }, open: { _ in [] }, now: now)
            return note(changes.outcomes) + changes.conflicts.map { "conflict of \($0.name) at \($0.at)" }
        }

        mutating func note(_ outcomes: [Schedules.Outcome]) -> [String] {
            var texts: [String] = []
            for outcome in outcomes {
                if let state = outcome.state { states[outcome.schedule.name] = state }
                for (tick, _) in outcome.made {
                    let seconds = tick.at.elapsed(since: start) / 1_000_000
                    texts.append("\(outcome.schedule.job) at \(seconds)")
                }
                for event in outcome.events {
                    switch event {
                    case .skipped: texts.append("skipped")
                    case .missed: texts.append("missed")
                    case .late: texts.append("late")
                    }
                }
                for id in outcome.cancelled { texts.append("cancel \(id)") }
            }
            return texts
        }

        mutating func alarm(at now: Timestamp) -> [String] { note(schedules.alarm(at: now)) }
    }

    @Test("a schedule makes its ticks when they are due, while a place defines it") func life() throws {
        var bench = Bench()
        #expect(bench.define([try Self.minutely("beat", ["overlap": "allow"])], at: Self.one, now: Self.at(1)) == [])
        #expect(bench.schedules.wake == Self.at(60))
        #expect(bench.alarm(at: Self.at(59)) == [])
        #expect(bench.alarm(at: Self.at(60)) == ["ping at 60"])
        #expect(bench.alarm(at: Self.at(60)) == [])
        // The first has not begun within a minute.
        #expect(bench.alarm(at: Self.at(121)) == ["ping at 120", "late"])
        #expect(bench.define([], at: Self.one, now: Self.at(122)) == [])
        #expect(bench.schedules.isEmpty)
        #expect(bench.alarm(at: Self.at(600)) == [])
        // It is there again: the newest of those that nobody could make is made.
        let made = bench.define([try Self.minutely("beat", ["overlap": "allow"])], at: Self.one, now: Self.at(601))
        #expect(made == ["ping at 600", "missed"])
    }

    @Test("what two places define alike is one schedule; what they define differently is said") func places() throws {
        var bench = Bench()
        let schedule = try Self.minutely()
        #expect(bench.define([schedule], at: Self.one, now: Self.at(1)) == [])
        #expect(bench.define([schedule], at: Self.other, now: Self.at(1)) == [])
        #expect(bench.schedules.count == 1)
        let different = try Self.minutely(job: "pong")
        #expect(bench.schedules.conflict(different, at: Schedules.Place("a command")) == Self.one)
        #expect(bench.schedules.conflict(schedule, at: Schedules.Place("a command")) == nil)
        #expect(
            bench.define([different], at: Self.other, now: Self.at(2)) == ["conflict of beat at the scripts of n2"])
        #expect(bench.alarm(at: Self.at(60)) == ["ping at 60"])
        // The first is gone, and what the other says stands.
        #expect(bench.define([], at: Self.one, now: Self.at(70)) == [])
        #expect(bench.schedules["beat"]?.schedule.job == "pong")
    }

    @Test("a tick is left out while the job of the one before is unfinished") func overlap() throws {
        var bench = Bench()
        _ = bench.define([try Self.minutely()], at: Self.one, now: Self.at(1))
        #expect(bench.alarm(at: Self.at(60)) == ["ping at 60"])
        #expect(bench.alarm(at: Self.at(120)) == ["skipped", "late"])
        let tick = ScheduleTick(of: "beat", at: Self.at(60))
        #expect(bench.note(bench.schedules.tell("beat", .ended(tick.id, .complete), at: Self.at(130))) == [])
        #expect(bench.alarm(at: Self.at(180)) == ["ping at 180"])
        #expect(bench.states["beat"]?.made == 2 && bench.states["beat"]?.skipped == 1)
    }

    @Test("many that are due together are made in pieces") func pieces() throws {
        var bench = Bench()
        let many = try (0..<50).map { try Self.minutely("s\($0)") }
        _ = bench.define(many, at: Self.one, now: Self.at(1))
        var made = 0
        while case let outcomes = bench.schedules.alarm(at: Self.at(60), most: 20), !outcomes.isEmpty {
            #expect(outcomes.count <= 20)
            made += outcomes.reduce(0) { $0 + $1.made.count }
        }
        #expect(made == 50)
    }
}
