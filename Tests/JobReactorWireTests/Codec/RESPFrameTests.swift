import Testing

@testable import JobReactorWire

@Suite struct RESPFrameTests {
    @Test(
        "a command is an array of strings, and nothing else is",
        arguments: [
            ("*1\r\n$4\r\nPING\r\n", 1), ("*2\r\n$0\r\n\r\n$1\r\na\r\n", 2),
            ("*0\r\n", nil), ("*-1\r\n", nil), ("$4\r\nPING\r\n", nil), ("+PING\r\n", nil), (":1\r\n", nil),
            ("*1\r\n:1\r\n", nil), ("*1\r\n+PING\r\n", nil), ("*2\r\n$4\r\nPING\r\n$-1\r\n", nil),
            ("*1\r\n*1\r\n$4\r\nPING\r\n", nil), ("*2\r\n$4\r\nPING\r\n*0\r\n", nil),
            ("*2\r\n*0\r\n$4\r\nPING\r\n", nil),
        ] as [(String, Int?)])
    func wordCount(stream: String, count: Int?) throws {
        #expect(try withFrame(stream) { $0.wordCount } == count)
    }

    @Test("a frame is flat: its elements follow it")
    func flat() throws {
        try withFrame("*3\r\n$1\r\na\r\n*2\r\n:-7\r\n$-1\r\n+OK\r\n") { frame in
            #expect(frame.tokenCount == 6)
            #expect((0..<6).map { frame.kind(ofToken: $0) } == [.array, .bulk, .array, .integer, .null, .simple])
            #expect([0, 2, 3].map { frame.value(ofToken: $0) } == [3, 2, -7])
            #expect((0..<6).map { text(frame.bytes(ofToken: $0)) } == ["", "a", "", "", "", "OK"])
        }
    }

    @Test("words are read as they are, text is repaired")
    func words() throws {
        try withFrame("*2\r\n$2\r\nhi\r\n$7\r\ngröße\r\n") { frame in
            #expect(text(frame.word(0)) == "hi")
            #expect(frame.text(1) == "größe")
        }
        var answer: String?
        try feed(RESPStream(side: .client, limits: RESPLimits()), bytes("*1\r\n$2\r\n") + [0xFF, 0x61, 0x0D, 0x0A]) {
            answer = $0.text(0)
            return true
        }
        #expect(answer == "\u{FFFD}a")
    }

    @Test(
        "a value's text is that of a string or a number",
        arguments: [
            (.simple("a"), "a"), (.error("ERR b"), "ERR b"), (.integer(-5), "-5"), (.bulk([0x63]), "c"), (.null, nil),
            (.array([.simple("a")]), nil),
        ] as [(RESPValue, String?)])
    func valueText(value: RESPValue, text: String?) {
        #expect(value.text == text)
        #expect((value.elements == nil) == (value != .array([.simple("a")])))
    }
}
