/// The identity of one job: 128 bits, time-ordered, never reused.
///
/// The upper half is the millisecond of creation and a counter, the lower half is random. Ids of any number of
/// distributors therefore do not collide, and sort by creation time. The text form is 32 lowercase hexadecimal digits;
/// the form of a UUID (dashes, any letter case) is read as well.
public struct JobID: Hashable, Sendable, Comparable, LosslessStringConvertible {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads 32 hexadecimal digits, dashes ignored; nil for anything else.
    public init?(_ description: String) {
        var copy = description
        let parsed = copy.withUTF8 { JobID(hexadecimal: UnsafeRawBufferPointer($0)) }
        guard let parsed else { return nil }
        self = parsed
    }

    /// Reads 32 hexadecimal digits from bytes, dashes ignored; nil for anything else.
    public init?(hexadecimal bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 36 else {
            guard bytes.count == 32, let high = Self.half(bytes, 0), let low = Self.half(bytes, 16) else { return nil }
            self.init(high: high, low: low)
            return
        }
        var high: UInt64 = 0
        var low: UInt64 = 0
        var digits = 0
        for byte in bytes {
            if byte == UInt8(ascii: "-") { continue }
            guard let digit = Self.value(ofDigit: byte) else { return nil }
            if digits < 16 { high = high << 4 | digit } else { low = low << 4 | digit }
            digits += 1
        }
        guard digits == 32 else { return nil }
        self.init(high: high, low: low)
    }

    /// Eight digits at a time, as ids come with every message.
    private static func half(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> UInt64? {
        let first = eight(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)))
        let second = eight(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 8, as: UInt64.self)))
        return first.wrong | second.wrong == 0 ? first.value << 32 | second.value : nil
    }

    /// The number that eight digits are, the first in the lowest byte; `wrong` is not 0 when one of them is none.
    private static func eight(_ text: UInt64) -> (value: UInt64, wrong: UInt64) {
        let each: UInt64 = 0x0101_0101_0101_0101
        // Letters have a bit that digits have not.
        let letters = text >> 6 & each
        let digits = (text & (each &* 15)) &+ letters &* 9
        // As small letters these digits would be written so.
        let written = digits &+ each &* 0x30 &+ letters &* 0x27
        let isAboveNine = (digits &+ each &* 6) >> 4 & each
        let wrong = (written ^ (text | letters << 5)) | (digits & (each &* 0xF0)) | (isAboveNine ^ letters)
        var value = digits.byteSwapped
        value = (value | value >> 4) & 0x00FF_00FF_00FF_00FF
        value = (value | value >> 8) & 0x0000_FFFF_0000_FFFF
        value = (value | value >> 16) & 0xFFFF_FFFF
        return (value, wrong)
    }

    private static func value(ofDigit byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte &- 48)
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte &- 87)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte &- 55)
        default: nil
        }
    }

    public var description: String {
        String(unsafeUninitializedCapacity: 32) { buffer in
            write(hexadecimal: UnsafeMutableRawBufferPointer(buffer))
            return 32
        }
    }

    /// Writes the 32 digits into a buffer of at least 32 bytes.
    public func write(hexadecimal buffer: UnsafeMutableRawBufferPointer) {
        for index in 0..<16 {
            let shift = UInt64(60 - 4 * index)
            buffer[index] = Self.digit(UInt8(truncatingIfNeeded: high >> shift & 15))
            buffer[index + 16] = Self.digit(UInt8(truncatingIfNeeded: low >> shift & 15))
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? value &+ 48 : value &+ 87 }

    public static func < (left: JobID, right: JobID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    public func hash(into hasher: inout Hasher) {
        // Both halves: ids may come from outside, and the lower half of UUIDs of version 1 is the same on one machine.
        hasher.combine(high)
        hasher.combine(low)
    }
}

extension JobID {
    /// The time at which the id was made; nil for an id without a plausible time, because a producer may choose any id.
    /// One in a thousand random ids looks as if it had a time.
    public func madeAt(before now: Timestamp = .now) -> Timestamp? {
        let time = Timestamp(microseconds: Int64(high >> 16) * 1000)
        // From 2020 on; the clock that made it may be ahead of ours.
        guard time.microseconds >= 1_577_836_800_000_000, time <= now.advanced(bySeconds: 86_400) else { return nil }
        return time
    }

    /// The range of ids whose text begins with the prefix; nil if the prefix contains anything other than hexadecimal
    /// digits and dashes.
    public static func range(ofPrefix prefix: String) -> ClosedRange<JobID>? {
        let digits = prefix.filter { $0 != "-" }
        guard (1...32).contains(digits.utf8.count), digits.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            return nil
        }
        func filled(_ digit: String) -> JobID? {
            JobID(digits + String(repeating: digit, count: 32 - digits.utf8.count))
        }
        guard let first = filled("0"), let last = filled("f") else { return nil }
        return first...last
    }

    /// The greatest id before this one; nil for the first of all.
    package var predecessor: JobID? {
        if low > 0 { return JobID(high: high, low: low - 1) }
        return high > 0 ? JobID(high: high - 1, low: .max) : nil
    }

    /// Makes ids in order: each is greater than all earlier ids of the same generator.
    ///
    /// Not thread-safe. Give each owner its own generator; 64 random bits exclude collisions between generators.
    public struct Generator: Sendable {
        private var random: SplitMix64
        private var last: UInt64 = 0

        public init() {
            var system = SystemRandomNumberGenerator()
            random = SplitMix64(seed: system.next())
        }

        /// The next id, for a job made at `now`.
        public mutating func next(at now: Timestamp) -> JobID {
            let milliseconds = UInt64(max(0, now.microseconds / 1000))
            // 48 bits of time, 16 bits that count within the millisecond; a burst borrows from the milliseconds to come.
            last = max(milliseconds << 16, last &+ 1)
            return JobID(high: last, low: random.next())
        }
    }
}

/// A small, fast generator; seeded from the system's, as ids must differ between processes but need not be secret.
struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
