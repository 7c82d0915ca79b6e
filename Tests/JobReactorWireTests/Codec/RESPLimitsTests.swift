import JobReactorCore
import Testing

@testable import JobReactorWire

@Suite struct RESPLimitsTests {
    static let limits = RESPLimits(frameBytes: 100_000, elements: 100)

    @Test("each error names its limit")
    func messages() {
        #expect(
            RESPError.frameTooLarge(limit: 16_777_216).description
                == "a command is larger than the frame limit of 16777216 bytes")
        #expect(
            RESPError.tooManyElements(limit: 100_000).description
                == "a command has more than the element limit of 100000")
        #expect(
            RESPError.inlineTooLong(limit: 65_536).description
                == "an inline command is longer than the limit of 65536 bytes")
    }

    @Test("the limits are 16 MiB and 100,000 elements unless told")
    func defaults() {
        #expect(RESPLimits() == RESPLimits(frameBytes: 16_777_216, elements: 100_000))
        #expect(RESPLimits().frameBytes == JobLimits.messageBytes)
    }

    @Test("a frame as large as the limit is read", arguments: [1, 1000, 8192, 100_050])
    func largest(helping: Int) {
        let word = [UInt8](repeating: 7, count: 100_000 - 4)
        let stream = bytes("*2\r\n$4\r\nPING\r\n$99996\r\n") + word + bytes("\r\n*1\r\n$4\r\nPING\r\n")
        let helpings = stride(from: 0, to: stream.count, by: helping).map {
            stream[$0..<min($0 + helping, stream.count)]
        }
        #expect(
            read(helpings, limits: Self.limits)
                == Reading(frames: [.array([bulk("PING"), .bulk(word)]), command("PING")]))
    }

    @Test("a frame a byte larger is refused, however it comes", arguments: [1, 1000, 8192, 100_050])
    func tooLarge(helping: Int) {
        let word = [UInt8](repeating: 7, count: 100_000 - 3)
        let stream = bytes("*2\r\n$4\r\nPING\r\n$99997\r\n") + word + bytes("\r\n")
        let helpings = stride(from: 0, to: stream.count, by: helping).map {
            stream[$0..<min($0 + helping, stream.count)]
        }
        let reading = read(helpings, limits: Self.limits)
        #expect(reading == Reading(error: .frameTooLarge(limit: 100_000)))
        #expect(reading.mostHeld <= 100_064)
    }

    @Test(
        "a word that announces more than the limit is refused at once",
        arguments: [
            "*1\r\n$100001\r\n", "*1\r\n$999999999\r\n", "*2\r\n$4\r\nPING\r\n$999999999\r\n",
            "*1\r\n$9223372036854775807\r\n",
        ])
    func announced(start: String) {
        for helpings in [[bytes(start)], bytes(start).map { [$0] }] {
            #expect(read(helpings, limits: Self.limits) == Reading(error: .frameTooLarge(limit: 100_000)))
        }
    }

    @Test(
        "a frame that comes in drops is refused when the limit is reached, not later",
        arguments: ["*1\r\n+", "*1\r\n-"])
    func dripFed(start: String) {
        let stream = RESPStream(side: .server, limits: Self.limits)
        var sent = 0
        var held = 0
        #expect(throws: RESPError.frameTooLarge(limit: 100_000)) {
            try feed(stream, bytes(start)) { _ in true }
            while sent < 1_000_000 {
                try feed(stream, Array(repeating: 0x61, count: 100)) { _ in true }
                sent += 100
                held = max(held, stream.heldBytes)
            }
        }
        #expect(sent >= 99_900 && sent <= 100_100)
        #expect(held <= 100_064)
    }

    @Test("a status that comes in drops is looked through once, not each time: 4 MiB of it take no noticeable time")
    func dripFedStatus() throws {
        let stream = RESPStream(side: .client, limits: RESPLimits())
        var frames: [RESPValue] = []
        let piece = bytes(String(repeating: "sixteen bytes \r\r", count: 4))
        try feed(stream, bytes("-")) { _ in false }
        // A quadratic reader would look at 10^11 bytes.
        for _ in 0..<(4 << 20) / 64 { try feed(stream, piece) { _ in false } }
        try feed(stream, bytes("\n+OK\r\n")) {
            frames.append(RESPValue($0))
            return true
        }
        #expect(frames.map { $0.text?.utf8.count } == [4 << 20 - 1, 2])
    }

    @Test(
        "a number that does not end is refused at once",
        arguments: [
            ("*", "Bad multi-bulk length"), ("*1\r\n$", "Bad bulk string length"), ("*1\r\n:", "Bad integer value"),
        ])
    func endlessNumber(start: String, reason: String) {
        for digit in ["1", "0", "\n", "\r"] {
            let stream = bytes(start + String(repeating: digit, count: 40))
            #expect(read([stream]) == Reading(error: .malformed(reason)))
            #expect(read(stream.map { [$0] }) == Reading(error: .malformed(reason)))
        }
    }

    @Test(
        "many small elements are refused when they are more than the limit",
        arguments: [
            "*101\r\n", "*2147483647\r\n",
            // Together, not each: 60 and 60.
            "*60\r\n*60\r\n",
            "*100\r\n*1\r\n",
            // As many as may be at each depth.
            "*50\r\n*48\r\n*46\r\n",
            "*3\r\n*49\r\n" + String(repeating: "$0\r\n\r\n", count: 49) + "*49\r\n",
        ])
    func tooManyElements(stream: String) {
        #expect(read(stream, limits: Self.limits) == Reading(error: .tooManyElements(limit: 100)))
        #expect(read(bytes(stream).map { [$0] }, limits: Self.limits) == Reading(error: .tooManyElements(limit: 100)))
    }

    @Test("as many elements as the limit are read, of one array or of several", arguments: [1, 2, 4, 10])
    func mostElements(arrays: Int) {
        let within = (100 - arrays) / arrays
        let stream =
            "*\(arrays)\r\n"
            + String(repeating: "*\(within)\r\n" + String(repeating: ":1\r\n", count: within), count: arrays)
        let value = RESPValue.array(
            Array(repeating: .array(Array(repeating: .integer(1), count: within)), count: arrays))
        #expect(read(stream, limits: Self.limits) == Reading(frames: [value]))
        #expect(
            read("*100\r\n" + String(repeating: "$-1\r\n", count: 100), limits: Self.limits)
                == Reading(frames: [.array(Array(repeating: .null, count: 100))]))
    }

    @Test("a typed command has as many words as an array, and no more")
    func inlineElements() {
        let words = (0..<100).map { "\($0)" }
        #expect(
            read(words.joined(separator: " ") + "\r\n", limits: Self.limits)
                == Reading(frames: [.array(words.map(bulk))]))
        #expect(
            read(words.joined(separator: " ") + " 100\r\n", limits: Self.limits)
                == Reading(error: .tooManyElements(limit: 100)))
    }

    @Test("a frame that was large is forgotten when the next comes")
    func forgotten() throws {
        let stream = RESPStream(side: .server, limits: Self.limits)
        let large = bytes("*1\r\n$90000\r\n") + [UInt8](repeating: 7, count: 90_000) + bytes("\r\n")
        for _ in 0..<100 {
            try feed(stream, large) { _ in true }
            #expect(stream.heldBytes == 0)
            try feed(stream, bytes("PING\r\n*1\r\n$4\r\nPI")) { _ in true }
            #expect(stream.heldBytes <= 20)
            try feed(stream, bytes("NG\r\n")) { _ in true }
            #expect(stream.heldBytes == 0)
        }
    }
}
