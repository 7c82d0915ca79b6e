/// The offsets of a time zone from UTC and their changes: the known past, and the rule for all future years.
///
/// A value without I/O; ``ZoneDatabase`` reads those of this machine.
public struct ZoneRules: Hashable, Sendable {
    /// A stretch of time with one offset, in seconds since 1970.
    package struct Span: Hashable, Sendable {
        /// Its first second; `.min` for none.
        package var start: Int64
        /// The first second after it; `.max` for none.
        package var end: Int64
        /// Seconds to add to UTC.
        package var offset: Int
        /// The offset before `start`. It may be the same.
        package var before: Int
        /// The offset from `end` on. It may be the same.
        package var after: Int

        package init(start: Int64, end: Int64, offset: Int, before: Int, after: Int) {
            self.start = start
            self.end = end
            self.offset = offset
            self.before = before
            self.after = after
        }
    }

    struct Change: Hashable, Sendable {
        let at: Int64
        let offset: Int32
    }

    /// Shared, as many schedules have one zone.
    private final class Contents: Hashable, Sendable {
        /// The offset before all changes.
        let first: Int32
        /// In their order; each changes the offset.
        let changes: [Change]
        /// For the time from the last change on; nil where its offset stays.
        let rule: PosixZoneRule?

        init(first: Int32, changes: [Change], rule: PosixZoneRule?) {
            self.first = first
            self.changes = changes
            self.rule = rule
        }

        static func == (left: Contents, right: Contents) -> Bool {
            left === right
                || left.first == right.first && left.changes == right.changes && left.rule == right.rule
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(first)
            hasher.combine(changes)
            hasher.combine(rule)
        }
    }

    private let contents: Contents

    /// UTC.
    public static let utc = ZoneRules(first: 0, changes: [], rule: nil)

    /// `changes` are in their order.
    init(first: Int32, changes: [Change], rule: PosixZoneRule?) {
        var kept: [Change] = []
        // A rule without changes says only which offset is the last.
        let isConstant = rule?.daylight == nil
        let first = changes.isEmpty && isConstant ? rule.map { Int32($0.standard) } ?? first : first
        var offset = first
        for (index, change) in changes.enumerated() {
            // Where both say something of one time, the rule is meant for what follows.
            let isLast = index == changes.count - 1
            let next = isLast ? rule.map { Int32($0.span(at: change.at).offset) } ?? change.offset : change.offset
            if next != offset { kept.append(Change(at: change.at, offset: next)) }
            offset = next
        }
        // The rule holds from the last change on, also where that is none.
        if !isConstant, let last = changes.last, kept.last?.at != last.at {
            kept.append(Change(at: last.at, offset: offset))
        }
        contents = Contents(first: first, changes: kept, rule: isConstant ? nil : rule)
    }

    /// Seconds to add to UTC at that time.
    public func offset(at time: Timestamp) -> Int {
        span(at: time.microseconds.floorDivided(by: 1_000_000).quotient).offset
    }

    /// The stretch of one offset that has this second. Takes O(log n) of the changes that are known.
    package func span(at seconds: Int64) -> Span {
        let (first, changes) = (contents.first, contents.changes)
        var (low, high) = (0, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].at <= seconds { low = middle + 1 } else { high = middle }
        }
        let start = low > 0 ? changes[low - 1].at : .min
        let before = Int(low > 1 ? changes[low - 2].offset : first)
        if low < changes.count {
            let offset = low > 0 ? Int(changes[low - 1].offset) : Int(first)
            return Span(
                start: start, end: changes[low].at, offset: offset, before: before, after: Int(changes[low].offset))
        }
        guard let rule = contents.rule else {
            let offset = low > 0 ? Int(changes[low - 1].offset) : Int(first)
            return Span(start: start, end: .max, offset: offset, before: before, after: offset)
        }
        var span = rule.span(at: seconds)
        if span.start <= start { (span.start, span.before) = (start, start == .min ? span.offset : before) }
        return span
    }
}

/// Why bytes are not the rules of a time zone.
package struct ZoneFileError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

extension ZoneRules {
    /// Offsets that are no error, beyond all that there ever were: 26 hours.
    private static let offsets = -93_599...93_599

    /// Reads a file of the time zone database (TZif, RFC 9636, of any version), which may come from anywhere. Throws what is
    /// wrong with it.
    package init(file bytes: [UInt8]) throws(ZoneFileError) {
        var reader = ZoneFileReader(bytes)
        var header = try reader.header()
        let isLong = header.version > 0
        if isLong {
            // The same again follows with times of 64 bits.
            try reader.skip(header.size(ofTimes: 4))
            header = try reader.header()
        }
        // Its times count seconds that no other clock of ours counts.
        if header.leapSeconds > 0 { throw ZoneFileError("it counts leap seconds") }
        let times = try reader.integers(header.changes, of: isLong ? 8 : 4)
        let kinds = try reader.bytes(header.changes)
        let types = try reader.bytes(6 * header.types)
        try reader.skip(header.names + header.standardFlags + header.universalFlags)

        var offsets: [Int32] = []
        for type in 0..<header.types {
            let offset = types.dropFirst(6 * type).prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            offsets.append(Int32(bitPattern: offset))
        }
        guard let first = offsets.first, offsets.allSatisfy({ Self.offsets.contains(Int($0)) }) else {
            throw ZoneFileError("it has an offset of more than 26 hours, or none")
        }
        var changes: [Change] = []
        changes.reserveCapacity(times.count)
        for (index, (time, kind)) in zip(times, kinds).enumerated() {
            guard Int(kind) < offsets.count else { throw ZoneFileError("it refers to a missing offset") }
            if index > 0, times[index - 1] >= time { throw ZoneFileError("its transitions are out of order") }
            // Nothing of ours is older, and sums with it would not fit.
            let clamped = min(max(time, -1 << 55), 1 << 55)
            if changes.last?.at == clamped { changes.removeLast() }
            changes.append(Change(at: clamped, offset: offsets[Int(kind)]))
        }
        self.init(first: first, changes: changes, rule: isLong ? try reader.rule() : nil)
    }
}

/// Reads a TZif file. No number of it is trusted.
private struct ZoneFileReader {
    struct Header {
        var version: UInt8
        var universalFlags, standardFlags, leapSeconds, changes, types, names: Int

        func size(ofTimes width: Int) -> Int {
            changes * (width + 1) + types * 6 + names + leapSeconds * (width + 4) + standardFlags + universalFlags
        }
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func bytes(_ count: Int) throws(ZoneFileError) -> ArraySlice<UInt8> {
        guard count <= rest.count else { throw ZoneFileError("it ends too early") }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func skip(_ count: Int) throws(ZoneFileError) { _ = try bytes(count) }

    /// Signed, the highest byte first.
    mutating func integers(_ count: Int, of width: Int) throws(ZoneFileError) -> [Int64] {
        let bytes = try bytes(count * width)
        var integers: [Int64] = []
        integers.reserveCapacity(count)
        var (value, read): (Int64, Int) = (0, 0)
        for byte in bytes {
            value = read == 0 ? Int64(Int8(bitPattern: byte)) : value << 8 | Int64(byte)
            read += 1
            if read == width {
                integers.append(value)
                read = 0
            }
        }
        return integers
    }

    mutating func header() throws(ZoneFileError) -> Header {
        guard try bytes(4).elementsEqual("TZif".utf8) else { throw ZoneFileError("it is not a time zone file") }
        guard let version = try bytes(16).first else { throw ZoneFileError("it ends too early") }
        // Counts of 32 bits without a sign: their sizes fit in 64.
        let counts = try integers(6, of: 4).map { Int($0 & 0xFFFF_FFFF) }
        return Header(
            version: version, universalFlags: counts[0], standardFlags: counts[1], leapSeconds: counts[2],
            changes: counts[3], types: counts[4], names: counts[5])
    }

    /// What stands between two newlines at the end; nil where that is empty.
    func rule() throws(ZoneFileError) -> PosixZoneRule? {
        guard rest.count <= 1000, rest.count >= 2, rest.first == UInt8(ascii: "\n"), rest.last == UInt8(ascii: "\n")
        else { throw ZoneFileError("its rule for later years is missing") }
        let text = rest.dropFirst().dropLast()
        return text.isEmpty ? nil : try PosixZoneRule(text)
    }
}
