import JobReactorTesting
import JobReactorCore
import Testing

@Suite struct JobIDTests {
    @Test(
        "an id reads as 32 lowercase digits, and back",
        arguments: [
            (0, 0, "00000000000000000000000000000000"),
            (.max, .max, "ffffffffffffffffffffffffffffffff"),
            (0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210, "0123456789abcdeffedcba9876543210"),
            (1, 1 << 63, "00000000000000018000000000000000"),
        ] as [(UInt64, UInt64, String)])
    func text(high: UInt64, low: UInt64, text: String) {
        let id = JobID(high: high, low: low)
        #expect(id.description == text)
        #expect(JobID(text) == id)
        #expect(JobID(text.uppercased()) == id)
    }

    @Test("random ids survive the way to text and back")
    func roundTrip() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<10_000 {
            let id = JobID(high: random.next(), low: random.next())
            #expect(JobID(id.description) == id)
        }
    }

    @Test(
        "the text of a UUID is read, in either letter case",
        arguments: ["019b7e3c-5f2a-7d10-8a4b-c0ffee123456", "019B7E3C-5F2A-7D10-8A4B-C0FFEE123456"])
    func uuid(_ text: String) {
        #expect(JobID(text) == JobID(high: 0x019B_7E3C_5F2A_7D10, low: 0x8A4B_C0FF_EE12_3456))
    }

    @Test(
        "anything else is no id",
        arguments: [
            "", "0", "-", "0123456789abcdeffedcba987654321", "0123456789abcdeffedcba98765432100",
            "g123456789abcdeffedcba9876543210", "0123456789abcdef fedcba9876543210", "0x23456789abcdeffedcba9876543210",
            " 123456789abcdeffedcba987654321 ", "０123456789abcdeffedcba987654", "0123456789abcdeffedcba987654321é",
            // 32 and 36 bytes, but not 32 digits.
            "019b7e3c-5f2a-7d10-8a4b-c0ffee12", "019b7e3c-5f2a-7d10-8a4b-c0ffee12345",
            "019b7e3c-5f2a-7d10-8a4b-c0ffee1234567", "019b7e3c5f2a7d108a4bc0ffee1234567890",
            "019b7e3c-5f2a7d108a4bc0ffee123456789", "------------------------------------",
            "019b7e3c-5f2a-7d10-8a4b-c0ffee12345-", "019b7e3c\u{0}5f2a\u{0}7d10\u{0}8a4b\u{0}c0ffee123456",
            "{19b7e3c-5f2a-7d10-8a4b-c0ffee12345}",
        ])
    func badText(_ text: String) {
        #expect(JobID(text) == nil)
    }

    @Test("of 32 bytes each but one a digit, none is an id unless that one is a digit as well", arguments: 0..<32)
    func everyByte(at position: Int) {
        for byte in UInt8.min ... .max {
            var text = bytes("0123456789abcdeffedcba9876543210")
            text[position] = byte
            let isDigit = bytes("0123456789abcdefABCDEF").contains(byte)
            #expect(text.withUnsafeBytes { JobID(hexadecimal: $0) != nil } == isDigit, "byte \(byte)")
        }
    }

    @Test("32 digits are written into a buffer, and nothing beyond")
    func write() {
        var buffer = [UInt8](repeating: UInt8(ascii: "?"), count: 34)
        buffer.withUnsafeMutableBytes { JobID(high: 0xA, low: 0xB).write(hexadecimal: $0) }
        #expect(String(decoding: buffer, as: UTF8.self) == "000000000000000a000000000000000b??")
    }

    @Test("ids compare as unsigned 128-bit numbers, and as their texts do")
    func order() {
        let words: [UInt64] = [0, 1, 1 << 63 - 1, 1 << 63, .max]
        let ids = words.flatMap { high in words.map { JobID(high: high, low: $0) } }
        for (index, smaller) in ids.enumerated() {
            #expect(!(smaller < smaller))
            for greater in ids[(index + 1)...] {
                #expect(smaller < greater)
                #expect(!(greater < smaller))
                #expect(smaller.description < greater.description)
            }
        }
    }

    @Test("equal ids hash equally, and ids that share a half do not collide")
    func hashing() {
        #expect(JobID(high: 1, low: 2).hashValue == JobID(high: 1, low: 2).hashValue)
        // As UUIDs of version 1, whose lower half is the machine.
        let sameLow = Set((0..<1000).map { JobID(high: $0, low: 42).hashValue })
        let sameHigh = Set((0..<1000).map { JobID(high: 42, low: $0).hashValue })
        #expect(sameLow.count > 990)
        #expect(sameHigh.count > 990)
    }

    @Test("a million ids of two generators are all different, each generator's in order")
    func million() {
        var ids = Set<JobID>(minimumCapacity: 1_000_000)
        var ordered = true
        for _ in 0..<2 {
            var generator = JobID.Generator()
            var last = JobID(high: 0, low: 0)
            for number in 0..<500_000 {
                // A job a microsecond: a thousand within each millisecond.
                let next = generator.next(at: Timestamp(microseconds: start.microseconds + Int64(number)))
                ordered = ordered && last < next
                last = next
                ids.insert(next)
            }
        }
        #expect(ordered)
        #expect(ids.count == 1_000_000)
    }

    @Test("a burst within a millisecond borrows from those to come, and stays in order")
    func burst() {
        var generator = JobID.Generator()
        let milliseconds = UInt64(start.microseconds / 1000)
        let ids = (0..<200_000).map { _ in generator.next(at: start) }
        #expect(ids.first?.high == milliseconds << 16)
        #expect(ids.last?.high == milliseconds << 16 + 199_999)
        #expect(zip(ids, ids.dropFirst()).allSatisfy(<))
        // Three milliseconds on, the borrowed ones are still in use; four on, the time counts again.
        #expect(generator.next(at: start.advanced(bySeconds: 0.003)).high == milliseconds << 16 + 200_000)
        #expect(generator.next(at: start.advanced(bySeconds: 0.004)).high == (milliseconds + 4) << 16)
    }

    @Test("a clock that jumps, back or to its ends, leaves ids in order")
    func jumps() {
        var generator = JobID.Generator()
        var last = JobID(high: 0, low: 0)
        for microseconds in [0, -1, .min, start.microseconds, start.microseconds - 3_600_000_000, 0, .max, 1, .min] {
            for _ in 0..<3 {
                let next = generator.next(at: Timestamp(microseconds: microseconds))
                #expect(last < next, "at \(microseconds)")
                last = next
            }
        }
    }

    @Test("an id says when it was made, if that is a time at which it can have been")
    func madeAt() {
        var generator = JobID.Generator()
        let made = generator.next(at: start)
        #expect(made.madeAt(before: start) == Timestamp(microseconds: start.microseconds / 1000 * 1000))
        // The clock of its maker may be ahead, though not by days.
        #expect(made.madeAt(before: start.advanced(bySeconds: -3600)) != nil)
        #expect(made.madeAt(before: start.advanced(bySeconds: -100_000)) == nil)
        for other in [JobID(high: 0, low: 1), JobID(high: .max, low: 1), JobID(high: 1 << 56, low: 0)] {
            #expect(other.madeAt(before: start) == nil)
        }
    }

    @Test("the beginning of an id stands for all ids that begin so")
    func prefixes() {
        let whole = JobID(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)
        for count in 1...32 {
            let range = JobID.range(ofPrefix: String(whole.description.prefix(count)))
            #expect(range?.contains(whole) == true)
            #expect(range?.lowerBound.description.prefix(count) == whole.description.prefix(count))
            #expect(range?.upperBound.description.suffix(32 - count).allSatisfy { $0 == "f" } == true)
        }
        #expect(JobID.range(ofPrefix: "01234567-89AB") == JobID.range(ofPrefix: "0123456789ab"))
        for wrong in ["", "-", "x", "0x", "é", "٣", String(repeating: "0", count: 33)] {
            #expect(JobID.range(ofPrefix: wrong) == nil, "\(wrong)")
        }
        #expect(JobID(high: 0, low: 0).predecessor == nil)
        #expect(JobID(high: 1, low: 0).predecessor == JobID(high: 0, low: .max))
        #expect(JobID(high: 1, low: 5).predecessor == JobID(high: 1, low: 4))
    }
}
