package import NIOCore

/// The downstream end of a link: the numbers of hand-overs that are saved but not yet acknowledged, as ranges.
///
/// A value without I/O.
package struct HandOverRanges: Sendable {
    package private(set) var ranges: [ClosedRange<Int>] = []
    /// How many numbers there are.
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { ranges.isEmpty }

    /// Adds a new number. Consecutive numbers form one range.
    package mutating func add(_ number: Int) {
        count += 1
        if let last = ranges.last, last.upperBound == number - 1 {
            ranges[ranges.count - 1] = last.lowerBound...number
        } else {
            ranges.append(number...number)
        }
    }

    /// Removes and returns all of them.
    package mutating func take() -> HandOverRanges {
        defer { self = HandOverRanges() }
        return self
    }

    /// Writes a `SAVED` for each range.
    package func write(to buffer: inout ByteBuffer) {
        for range in ranges { LinkMessage.writeSaved(range.lowerBound, through: range.upperBound, to: &buffer) }
    }
}
