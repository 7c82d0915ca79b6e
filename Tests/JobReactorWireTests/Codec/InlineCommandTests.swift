import Testing

@testable import JobReactorWire

@Suite struct InlineCommandTests {
    @Test(
        "a line is words between spaces, and a quote holds a word together",
        arguments: [
            ("", []),
            (" \t ", []),
            ("\r", []),
            ("PING", ["PING"]),
            ("  PING\t hello  \r", ["PING", "hello"]),
            ("ENQUEUE my_job {\"arg1\":\"Hello\"}", ["ENQUEUE", "my_job", "{\"arg1\":\"Hello\"}"]),
            ("ENQUEUE my_job '{\"arg1\": \"Hello you\"}'", ["ENQUEUE", "my_job", "{\"arg1\": \"Hello you\"}"]),
            ("PING \"hello you\"", ["PING", "hello you"]),
            ("PING \"\" ''", ["PING", "", ""]),
            (#"PING "a \"b\" c""#, ["PING", #"a "b" c"#]),
            (#"PING 'it\'s'"#, ["PING", "it's"]),
            (#"PING "back\\slash""#, ["PING", #"back\slash"#]),
            // JSON's own escapes are JSON's, in either quotes.
            (#"PING '{"a":"x\ny\\z"}'"#, ["PING", #"{"a":"x\ny\\z"}"#]),
            (#"PING "a\nb""#, ["PING", #"a\nb"#]),
            (#"PING 'say "hi"' "it's""#, ["PING", #"say "hi""#, "it's"]),
            // A quote within a word is a quote.
            ("PING it's 5\"", ["PING", "it's", "5\""]),
            ("ÜBER größe 🦜", ["ÜBER", "größe", "🦜"]),
        ] as [(String, [String])])
    func words(line: String, words: [String]) throws {
        #expect(try InlineCommand.words(of: bytes(line)).map(text) == words)
    }

    @Test(
        "a quote without its end is refused",
        arguments: [
            "\"", "'", "PING \"hello", "PING 'hello", "PING 'it\\'", "PING \"a\\\"", "PING \"a\"b", "PING ''x",
            "PING \"a'", "PING 'a\"", "\"a\"\"b\"",
        ])
    func unbalanced(line: String) {
        #expect(throws: RESPError.unbalancedQuotes) { try InlineCommand.words(of: bytes(line)) }
        let stream = "*1\r\n$1\r\na\r\n" + line + "\r\nPING\r\n"
        #expect(read(stream) == Reading(frames: [command("a")], error: .unbalancedQuotes))
    }

    @Test("a line as long as the limit is read", arguments: ["\n", "\r\n"])
    func longest(end: String) {
        let word = String(repeating: "w", count: 65_536 - 5 - (end.utf8.count - 1))
        #expect(read("PING " + word + end) == Reading(frames: [command("PING", word)]))
    }

    @Test(
        "a line longer than the limit is refused, whether or not it ends, at once or in drops",
        arguments: [1, 60_000, 80_000])
    func tooLong(helping: Int) {
        for end in ["\n", ""] {
            let stream = bytes(String(repeating: "w", count: 65_537) + end)
            let helpings = stride(from: 0, to: stream.count, by: helping).map {
                stream[$0..<min($0 + helping, stream.count)]
            }
            let reading = read(helpings)
            #expect(reading == Reading(error: .inlineTooLong(limit: 65_536)))
            #expect(reading.mostHeld <= 65_536)
        }
    }

    @Test("typed commands may follow arrays, and arrays typed commands, each in a packet of its own")
    func alternating() {
        let array = "*1\r\n$1\r\na\r\n"
        let stream = [
            "PING\r\n", array, "PING\r\n", "\r\n", array, array, "PING", " x\r", "\n", array, "\n", "PING\n", array,
        ]
        #expect(
            read(stream.map(bytes))
                == Reading(frames: [
                    command("PING"), command("a"), command("PING"), command("a"), command("a"), command("PING", "x"),
                    command("a"), command("PING"), command("a"),
                ]))
    }
}
