/// All schedules: those defined by the scripts of connected nodes, and those set by command.
///
/// A value without I/O. Equal definitions in two places are one schedule. If definitions differ, the first one counts
/// until all its places are gone, or until all places agree again, for example when a live edit has reached all nodes.
package struct ScheduleRegistry: Sendable {
    /// A place that defines schedules.
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
        /// The definition at one place has no effect, because it differs from the definition at the other.
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

    /// The places with this definition, in order.
    package func places(of name: String) -> [Place] {
        guard let entry = entries[name] else { return [] }
        return entry.places.filter { $0.value == entry.standing }.keys.sorted()
    }

    /// The places with a different definition, in order.
    package func otherPlaces(of name: String) -> [Place] {
        guard let entry = entries[name] else { return [] }
        return entry.places.filter { $0.value != entry.standing }.keys.sorted()
    }

    /// The place now defines exactly these schedules. If two have the same name, the last counts.
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

    /// Adds a schedule to the definitions of the place.
    package mutating func add(_ schedule: Schedule, at place: Place) -> [Change] {
        set(schedule, named: schedule.name, at: place)
    }

    /// Removes a schedule from the definitions of the place, if it is there.
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
