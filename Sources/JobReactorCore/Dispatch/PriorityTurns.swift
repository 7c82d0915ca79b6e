/// The priority of a job: 0 (last) to 9 (first).
public enum JobPriority {
    @inlinable public static var range: ClosedRange<Int> { 0...9 }
    /// The default priority.
    @inlinable public static var usual: Int { 5 }
}

/// Chooses the priority whose turn it is: the highest waiting one, except that each waiting priority gets at least one
/// of ``share`` starts.
///
/// A value of a few bytes without jobs; its owner passes the waiting priorities.
public struct PriorityTurns: Hashable, Sendable {
    /// A priority that waits all the time gets one of this many consecutive starts: 16.
    public static let share = 16

    /// For each priority, in four bits, the starts of others since its last, or since it began to wait.
    @usableFromInline var ages: UInt64 = 0

    @inlinable public init() {}

    @inlinable func age(_ priority: Int) -> Int { Int(ages >> UInt64(4 * priority) & 15) }

    /// The priority whose turn it is among those whose bits are set; nil for none. It stays the same until
    /// ``started(_:among:)``.
    @inlinable public func next(among waiting: UInt16) -> Int? {
        guard waiting != 0 else { return nil }
        let highest = 15 - waiting.leadingZeroBitCount
        let lower = waiting & ~(1 << UInt16(highest))
        return lower == 0 ? highest : next(highest: highest, lower: lower)
    }

    /// Serves the highest as long as all others can still have their starts in time, one after the other.
    @usableFromInline func next(highest: Int, lower: UInt16) -> Int {
        var oldest = highest
        // How many priorities must start within so many starts after this one.
        var dueWithin: UInt64 = 0
        var (rest, count) = (lower, 0)
        while rest != 0 {
            let priority = 15 - rest.leadingZeroBitCount
            rest &= ~(1 << UInt16(priority))
            count += 1
            if oldest == highest || age(priority) > age(oldest) { oldest = priority }
            dueWithin += 1 << UInt64(4 * (Self.share - 1 - age(priority)))
        }
        // Most often there is time for all.
        if Self.share - 1 - age(oldest) >= count { return highest }
        var due = 0
        for starts in 0...count {
            due += Int(dueWithin >> UInt64(4 * starts) & 15)
            if due > starts { return oldest }
        }
        return highest
    }

    /// A job of the priority starts, while these priorities wait, including its own.
    @inlinable public mutating func started(_ priority: Int, among waiting: UInt16) {
        // Most often there is only one.
        if waiting & ~(1 << UInt16(priority)) == 0 {
            ages = 0
            return
        }
        var next: UInt64 = 0
        for other in JobPriority.range where other != priority && waiting >> UInt16(other) & 1 == 1 {
            next |= UInt64(min(15, age(other) + 1)) << UInt64(4 * other)
        }
        ages = next
    }
}
