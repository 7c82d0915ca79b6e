import JobReactorTesting
import Testing

@testable import JobReactorWire

/// A stream and the frames in it.
struct Sample: CustomTestStringConvertible, Sendable {
    let name: String
    let side: RESPStream.Side
    let bytes: [UInt8]
    let frames: [RESPValue]

    init(_ name: String, _ side: RESPStream.Side, _ bytes: [UInt8], _ frames: [RESPValue]) {
        self.name = name
        self.side = side
        self.bytes = bytes
        self.frames = frames
    }

    init(_ name: String, _ side: RESPStream.Side, _ text: String, _ frames: [RESPValue]) {
        self.init(name, side, Array(text.utf8), frames)
    }

    var testDescription: String { name }

    static let everyByte = (UInt8.min ... .max).map { $0 }
    static let large = (0..<3 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }

    static let small: [Sample] = [
        Sample("nothing", .server, "", []),
        Sample("one command", .server, "*1\r\n$4\r\nPING\r\n", [command("PING")]),
        Sample(
            "pipelined commands", .server,
            "*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nINFO\r\n$4\r\njobs\r\n*3\r\n$7\r\nENQUEUE\r\n$1\r\nj\r\n$7\r\n{\"a\":1}\r\n",
            [command("PING"), command("INFO", "jobs"), command("ENQUEUE", "j", "{\"a\":1}")]),
        Sample(
            "empty words", .server, "*3\r\n$0\r\n\r\n$1\r\nx\r\n$0\r\n\r\n*1\r\n$0\r\n\r\n",
            [command("", "x", ""), command("")]),
        Sample(
            "an empty command between two", .server, "*0\r\n*1\r\n$1\r\na\r\n*0\r\n",
            [.array([]), command("a"), .array([])]),
        Sample(
            "words of line ends and marks", .server, "*3\r\n$4\r\n\r\n\r\n\r\n$2\r\n*1\r\n$3\r\n$-1\r\n",
            [command("\r\n\r\n", "*1", "$-1")]),
        Sample(
            "binary words", .server, Array("*2\r\n$256\r\n".utf8) + everyByte + Array("\r\n$1\r\n\0\r\n".utf8),
            [.array([.bulk(everyByte), .bulk([0])])]),
        Sample(
            "a null and numbers in a command", .server, "*3\r\n$-1\r\n:7\r\n*-1\r\n",
            [.array([.null, .integer(7), .null])]),
        Sample(
            "replies of every kind", .client,
            "+OK\r\n-ERR no\r\n:42\r\n$2\r\nhi\r\n$-1\r\n*-1\r\n*0\r\n$0\r\n\r\n+\r\n-\r\n",
            [
                .simple("OK"), .error("ERR no"), .integer(42), bulk("hi"), .null, .null, .array([]), bulk(""),
                .simple(""),
                .error(""),
            ]),
        Sample(
            "numbers to their ends", .client, ":0\r\n:-1\r\n:9223372036854775807\r\n:-9223372036854775808\r\n",
            [.integer(0), .integer(-1), .integer(.max), .integer(.min)]),
        Sample(
            "lone line feeds and returns in a status", .client, "+a\nb\rc\r\n:1\r\n", [.simple("a\nb\rc"), .integer(1)]),
        Sample(
            "nested replies", .client,
            "*3\r\n*2\r\n$1\r\na\r\n*1\r\n:1\r\n*0\r\n*2\r\n-ERR inner\r\n*1\r\n$-1\r\n+OK\r\n",
            [
                .array([
                    .array([bulk("a"), .array([.integer(1)])]), .array([]),
                    .array([.error("ERR inner"), .array([.null])]),
                ]),
                .simple("OK"),
            ]),
        Sample(
            "arrays in arrays, seven deep", .client, String(repeating: "*1\r\n", count: 8) + "$4\r\ndeep\r\n",
            [(0..<8).reduce(bulk("deep")) { value, _ in .array([value]) }]),
        Sample("a typed command", .server, "PING\r\n", [command("PING")]),
        Sample(
            "typed commands with bare line feeds", .server, "PING\nINFO jobs\n",
            [command("PING"), command("INFO", "jobs")]),
        Sample(
            "typed commands between arrays", .server,
            "*1\r\n$1\r\na\r\nPING one\r\n*1\r\n$1\r\nb\r\nPING two\r\nPING three\r\n*1\r\n$1\r\nc\r\n",
            [
                command("a"), command("PING", "one"), command("b"), command("PING", "two"), command("PING", "three"),
                command("c"),
            ]),
        Sample(
            "typed commands with quotes", .server, "ENQUEUE j '{\"a\": \"b c\"}'\r\nPING \"say \\\"hi\\\"\"\r\n",
            [command("ENQUEUE", "j", "{\"a\": \"b c\"}"), command("PING", "say \"hi\"")]),
        Sample(
            "empty lines around commands", .server,
            "\r\n\n\r\n*1\r\n$1\r\na\r\n\r\n  \t\r\nPING\r\n\r\n*1\r\n$1\r\nb\r\n\n",
            [command("a"), command("PING"), command("b")]),
        Sample(
            "a typed command that looks like a reply", .server, "+OK\r\n$4\r\n", [command("+OK"), command("$4")]),
    ]

    /// More than one of the reader's helpings.
    static let long: [Sample] = [
        Sample(
            "a thousand commands", .server,
            (0..<1000).map { "*2\r\n$4\r\nPING\r\n$4\r\n\(1000 + $0)\r\n" }.joined(),
            (0..<1000).map { command("PING", "\(1000 + $0)") }),
        Sample(
            "a thousand commands, every other one typed", .server,
            (0..<1000).map { $0 % 2 == 0 ? "*2\r\n$4\r\nPING\r\n$4\r\n\(1000 + $0)\r\n" : "PING \(1000 + $0)\r\n" }
                .joined(),
            (0..<1000).map { command("PING", "\(1000 + $0)") }),
        Sample(
            "a word of 3 MiB between small ones", .server,
            Array("*3\r\n$1\r\na\r\n$3145728\r\n".utf8) + large + Array("\r\n$1\r\nb\r\n*1\r\n$4\r\nPING\r\n".utf8),
            [.array([bulk("a"), .bulk(large), bulk("b")]), command("PING")]),
        Sample(
            "a status of 100 KiB", .client, "+" + String(repeating: "s", count: 100 << 10) + "\r\n:1\r\n",
            [.simple(String(repeating: "s", count: 100 << 10)), .integer(1)]),
        Sample(
            "an array of ten thousand", .client, "*10000\r\n" + String(repeating: ":5\r\n", count: 10_000),
            [.array(Array(repeating: .integer(5), count: 10_000))]),
    ]
}

@Suite struct RESPStreamTests {
    @Test("a stream at once makes its frames", arguments: Sample.small + Sample.long)
    func whole(_ sample: Sample) {
        #expect(read([sample.bytes], sample.side) == Reading(frames: sample.frames))
    }

    @Test("a stream byte by byte makes the same frames", arguments: Sample.small)
    func byteByByte(_ sample: Sample) {
        #expect(read(sample.bytes.map { [$0] }, sample.side) == Reading(frames: sample.frames))
    }

    @Test("a stream cut in two anywhere makes the same frames", arguments: Sample.small)
    func cutInTwo(_ sample: Sample) {
        for cut in 0...sample.bytes.count {
            let reading = read([sample.bytes[..<cut], sample.bytes[cut...]], sample.side)
            #expect(reading == Reading(frames: sample.frames), "cut at \(cut)")
        }
    }

    @Test(
        "a stream cut in three anywhere makes the same frames", arguments: Sample.small.filter { $0.bytes.count < 80 })
    func cutInThree(_ sample: Sample) {
        for first in 0...sample.bytes.count {
            for second in first...sample.bytes.count {
                let helpings = [sample.bytes[..<first], sample.bytes[first..<second], sample.bytes[second...]]
                #expect(read(helpings, sample.side) == Reading(frames: sample.frames), "cut at \(first) and \(second)")
            }
        }
    }

    @Test("a stream in random helpings makes the same frames", arguments: Sample.small)
    func randomly(_ sample: Sample) {
        var random = SeededGenerator(seed: 11)
        for round in 0..<100 {
            let helpings = randomHelpings(sample.bytes, upTo: [3, 10, 40][round % 3], using: &random)
            #expect(read(helpings, sample.side) == Reading(frames: sample.frames), "round \(round)")
        }
    }

    @Test(
        "a long stream in helpings of any size makes the same frames", arguments: Sample.long,
        [1000, 1024, 8191, 8192, 8193, 16_384, 65_536, 65_537])
    func longInHelpings(_ sample: Sample, size: Int) {
        let helpings = stride(from: 0, to: sample.bytes.count, by: size).map {
            sample.bytes[$0..<min($0 + size, sample.bytes.count)]
        }
        #expect(read(helpings, sample.side) == Reading(frames: sample.frames))
    }

    @Test("a long stream in random helpings makes the same frames", arguments: Sample.long)
    func longRandomly(_ sample: Sample) {
        var random = SeededGenerator(seed: 12)
        for most in [700, 9_000, 100_000] {
            let helpings = randomHelpings(sample.bytes, upTo: most, using: &random)
            #expect(read(helpings, sample.side) == Reading(frames: sample.frames), "up to \(most) bytes")
        }
    }

    @Test("a stream that stops early makes no frame that is not all there", arguments: Sample.small)
    func truncated(_ sample: Sample) {
        for length in 0..<sample.bytes.count {
            let reading = read([sample.bytes[..<length]], sample.side)
            #expect(reading.error == nil, "after \(length) bytes")
            #expect(reading.frames.elementsEqual(sample.frames.prefix(reading.frames.count)), "after \(length) bytes")
            let isLastWhole = reading.frames.count == sample.frames.count
            let isRestEmpty = sample.bytes[length...].allSatisfy { [0x0D, 0x0A, 0x20, 0x09].contains($0) }
            #expect(!isLastWhole || isRestEmpty, "after \(length) bytes")
        }
    }

    @Test("a stream that is left behind each frame, and read on there, makes the same frames", arguments: Sample.small)
    func oneAtATime(_ sample: Sample) throws {
        let stream = RESPStream(side: sample.side, limits: RESPLimits())
        var rest = sample.bytes[...]
        var frames: [RESPValue] = []
        while !rest.isEmpty {
            let before = frames.count
            let taken = try Array(rest).withUnsafeBytes { bytes in
                Result { () throws(RESPError) -> Int in
                    try stream.consumeSome(bytes) { frame in
                        frames.append(RESPValue(frame))
                        return false
                    }
                }
            }.get()
            #expect(frames.count <= before + 1)
            try #require(taken > 0)
            rest = rest.dropFirst(taken)
        }
        #expect(frames == sample.frames)
    }

    @Test("who stops visiting gets no frame more of that helping")
    func stop() throws {
        let stream = RESPStream(side: .server, limits: RESPLimits())
        var seen: [RESPValue] = []
        try feed(stream, bytes("*1\r\n$1\r\na\r\nPING\r\n*1\r\n$1\r\nb\r\n")) {
            seen.append(RESPValue($0))
            return seen.count < 2
        }
        #expect(seen == [command("a"), command("PING")])
    }

    @Test(
        "what is not RESP is refused with what was wrong",
        arguments: [
            ("*1\r\nPING\r\n", "Protocol error, got \"P\" as reply type byte"),
            ("*1\r\n\0", "Protocol error, got \"\\x00\" as reply type byte"),
            ("*x\r\n", "Bad multi-bulk length"),
            ("*\r\n", "Bad multi-bulk length"),
            ("*1 \r\n", "Bad multi-bulk length"),
            ("*-2\r\n", "Multi-bulk length out of range"),
            ("*2147483648\r\n", "Multi-bulk length out of range"),
            ("*99999999999999999999\r\n", "Bad multi-bulk length"),
            ("*1\r\n$x\r\n", "Bad bulk string length"),
            ("*1\r\n$\r\n", "Bad bulk string length"),
            ("*1\r\n$-2\r\n", "Bulk string length out of range"),
            ("*1\r\n$99999999999999999999\r\n", "Bad bulk string length"),
            ("*1\r\n:x\r\n", "Bad integer value"),
            ("*1\r\n:9223372036854775808\r\n", "Bad integer value"),
            (
                String(repeating: "*1\r\n", count: 9),
                "No support for nested multi bulk replies with depth > 7"
            ),
        ])
    func malformed(_ stream: String, reason: String) {
        let error = RESPError.malformed(reason)
        #expect(read(stream) == Reading(error: error))
        #expect(read(bytes(stream).map { [$0] }) == Reading(error: error))
        #expect(read("*1\r\n$4\r\nPING\r\n" + stream) == Reading(frames: [command("PING")], error: error))
    }

    @Test(
        "a reply of a client's stream must start with a type",
        arguments: ["PING\r\n", "\r\n", "HTTP/1.1 400 Bad Request\r\n", " +OK\r\n", "{}\r\n"])
    func noInlineReplies(_ stream: String) throws {
        let error = try #require(read(stream, .client).error)
        #expect(error.description.hasPrefix("Protocol error, got "))
    }

    @Test("of 20,000 damaged streams none crashes, and none is held beyond the limits")
    func mutated() {
        var random = SeededGenerator(seed: 13)
        let limits = RESPLimits(frameBytes: 512, elements: 12)
        let marks = bytes("*$:+-\r\n019\"' P")
        for round in 0..<20_000 {
            let sample = Sample.small[Int.random(in: 0..<Sample.small.count, using: &random)]
            var damaged = sample.bytes + sample.bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) where !damaged.isEmpty {
                let place = Int.random(in: 0..<damaged.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: damaged[place] = UInt8.random(in: .min ... .max, using: &random)
                case 1: damaged[place] = marks[Int.random(in: 0..<marks.count, using: &random)]
                case 2: damaged.insert(marks[Int.random(in: 0..<marks.count, using: &random)], at: place)
                default: damaged.removeSubrange(place..<min(place + 3, damaged.count))
                }
            }
            let whole = read([damaged], sample.side, limits: limits)
            let helpings = randomHelpings(damaged, upTo: 20, using: &random)
            let cut = read(helpings, sample.side, limits: limits)
            #expect(whole == cut, "round \(round): \(text(damaged))")
            #expect(cut.mostHeld <= 512 + 64, "round \(round): \(text(damaged))")
            #expect(whole.frames.allSatisfy { size(of: $0) <= 12 }, "round \(round): \(text(damaged))")
        }
    }

    /// Elements of all arrays of the value.
    private func size(of value: RESPValue) -> Int {
        value.elements.map { $0.count + $0.map(size).reduce(0, +) } ?? 0
    }
}
