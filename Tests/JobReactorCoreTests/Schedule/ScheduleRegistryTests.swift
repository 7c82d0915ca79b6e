import JobReactorCore
import Testing

@Suite struct ScheduleRegistryTests {
    private typealias Place = ScheduleRegistry.Place
    private let a = Place("the scripts of a")
    private let b = Place("the scripts of b")
    private let command = Place("a command")

    private func schedule(_ name: String, _ spec: String = "@daily") -> Schedule {
        Schedule(name: name, spec: ScheduleSpec(spec) ?? .every(1), job: "job")
    }

    @Test("a schedule is there while a place defines it")
    func places() {
        var registry = ScheduleRegistry()
        #expect(
            registry.define([schedule("y"), schedule("x")], at: a) == [
                .appeared(schedule("x")), .appeared(schedule("y")),
            ])
        #expect(registry.define([schedule("x")], at: b) == [])
        #expect(registry.places(of: "x") == [a, b])
        #expect(registry.define([schedule("x"), schedule("y")], at: a) == [])
        #expect(registry.define([], at: a) == [.vanished(name: "y")])
        #expect(registry["x"] == schedule("x") && registry["y"] == nil && registry.count == 1)
        #expect(registry.define([schedule("z")], at: b) == [.vanished(name: "x"), .appeared(schedule("z"))])
        #expect(registry.define([], at: b) == [.vanished(name: "z")])
        #expect(registry.count == 0 && registry.schedules == [])
        #expect(registry.define([], at: b) == [])
    }

    @Test("one that was set by command stays until it is deleted")
    func byCommand() {
        var registry = ScheduleRegistry()
        #expect(registry.add(schedule("x"), at: command) == [.appeared(schedule("x"))])
        #expect(registry.add(schedule("y"), at: command) == [.appeared(schedule("y"))])
        #expect(registry.define([schedule("x")], at: a) == [])
        #expect(registry.define([], at: a) == [])
        #expect(registry.add(schedule("x", "@hourly"), at: command) == [.changed(schedule("x", "@hourly"))])
        #expect(registry.remove("x", at: a) == [])
        #expect(registry.remove("x", at: command) == [.vanished(name: "x")])
        #expect(registry.remove("x", at: command) == [])
        #expect(registry.schedules == [schedule("y")])
    }

    @Test("the same name with other content is an error that names both places, and the first stands")
    func conflict() {
        var registry = ScheduleRegistry()
        let (old, new) = (schedule("x"), schedule("x", "@hourly"))
        #expect(registry.add(old, at: command) == [.appeared(old)])
        #expect(registry.define([new], at: a) == [.conflict(name: "x", at: a, standing: command)])
        #expect(registry["x"] == old)
        #expect(registry.places(of: "x") == [command] && registry.otherPlaces(of: "x") == [a])
        // It is told once.
        #expect(registry.define([new], at: a) == [])
        // When the first goes, the other counts.
        #expect(registry.remove("x", at: command) == [.changed(new)])
        #expect(registry.otherPlaces(of: "x") == [])
    }

    @Test("a live edit that reaches one node after the other takes effect with the last")
    func rollingEdit() {
        var registry = ScheduleRegistry()
        let (old, new) = (schedule("x"), schedule("x", "@hourly"))
        _ = registry.define([old], at: a)
        _ = registry.define([old], at: b)
        #expect(registry.define([new], at: a) == [.conflict(name: "x", at: a, standing: b)])
        #expect(registry["x"] == old)
        #expect(registry.define([new], at: b) == [.changed(new)])
        #expect(registry.places(of: "x") == [a, b])
        // Of two that are all new, that of the first place counts.
        let other = schedule("x", "@weekly")
        _ = registry.define([old], at: command)
        #expect(registry.define([other], at: a) == [.conflict(name: "x", at: a, standing: b)])
        #expect(registry.define([], at: b) == [.changed(old)])
        #expect(registry.define([], at: command) == [.changed(other)])
    }

    @Test("of two schedules of one place with one name the last counts")
    func twice() {
        var registry = ScheduleRegistry()
        #expect(
            registry.define([schedule("x"), schedule("x", "@hourly")], at: a) == [.appeared(schedule("x", "@hourly"))])
    }
}
