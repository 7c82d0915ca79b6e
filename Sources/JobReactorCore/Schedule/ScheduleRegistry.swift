/// Which schedules there are: those that the scripts of connected nodes define, and those that were set by command.
///
/// A value without I/O. What two places define alike is one schedule. While they differ, the one that stood first stands: until
/// all places of it are gone, or all define the same again, as after a live edit that reaches one node after the other.
package struct ScheduleRegistry: Sendable {
    /// Who defines schedules.
    package struct Place: Hashable, Comparable, Sendable, CustomStringConvertible {
        /// In words, such as `the scripts of node_1`.
        package let description: String

        package init(_ description: String) { self.description = description }

        package static func < (left: Place, right: Place) -> Bool { left.description < right.description }
    }

    package enum Change: Hashable, Sendable {
        case appeared(Schedule)
        case changed(Schedule)
        case vanished(name: String)
        /// What the one place says of the schedule has no effect, as it differs from what the other says.
        case conflict(name: String, at: Place, standing: Place)
    }

    private struct Entry {
        var standing: Schedule
        var places: [Place: Schedule]
    }

    private var entries: [String: Entry] = [:]
    private var names: [Place: Set<String>] = [:]

    package init() {}

    package var count: Int { entries.count }
    /// In order of their names.
    package var schedules: [Schedule] { entries.values.map(\.standing).sorted { $0.name < $1.name } }

    package subscript(name: String) -> Schedule? { entries[name]?.standing }

    /// Where it is defined so, in order.
    package func places(of name: String) -> [Place] {
        guard let entry = entries[name] else { return [] }
        return entry.places.filter { $0.value == entry.standing }.keys.sorted()
    }

    /// Where it is defined otherwise, in order.
    package func otherPlaces(of name: String) -> [Place] {
        guard let entry = entries[name] else { return [] }
        return entry.places.filter { $0.value != entry.standing }.keys.sorted()
    }

    /// The place defines exactly these from now on. Of two with one name the last counts.
    package mutating func define(_ schedules: [Schedule], at place: Place) -> [Change] {
        let defined = Dictionary(schedules.map { ($0.name, $0) }) { _, last in last }
        var changes: [Change] = []
        for name in (names[place] ?? []).subtracting(defined.keys).sorted() {
            changes += set(nil, named: name, at: place)
        }
        for (name, schedule) in defined.sorted(by: { $0.key < $1.key }) {
            changes += set(schedule, named: name, at: place)
        }
        return changes
    }

    /// The place defines this one, beside what else it defines.
    package mutating func add(_ schedule: Schedule, at place: Place) -> [Change] {
        set(schedule, named: schedule.name, at: place)
    }

    /// The place defines that one no more. Nothing changes where it did not.
    package mutating func remove(_ name: String, at place: Place) -> [Change] { set(nil, named: name, at: place) }

    private mutating func set(_ schedule: Schedule?, named name: String, at place: Place) -> [Change] {
        guard var entry = entries[name] else {
            guard let schedule else { return [] }
            entries[name] = Entry(standing: schedule, places: [place: schedule])
            names[place, default: []].insert(name)
            return [.appeared(schedule)]
        }
        guard entry.places[place] != schedule else { return [] }
        entry.places[place] = schedule
        if schedule == nil { names[place]?.remove(name) } else { names[place, default: []].insert(name) }
        if names[place]?.isEmpty == true { names[place] = nil }
        // The first in the order of places, so that all who look at the same say the same.
        guard let next = entry.places.min(by: { $0.key < $1.key })?.value else {
            entries[name] = nil
            return [.vanished(name: name)]
        }
        var changes: [Change] = []
        if !entry.places.values.contains(entry.standing) {
            entry.standing = next
            changes.append(.changed(next))
        }
        entries[name] = entry
        if let schedule, schedule != entry.standing, let standing = places(of: name).first {
            changes.append(.conflict(name: name, at: place, standing: standing))
        }
        return changes
    }
}
