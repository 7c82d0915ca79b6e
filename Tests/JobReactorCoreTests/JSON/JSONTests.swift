import JobReactorTesting
import JobReactorCore
import Testing

@Suite struct JSONTests {
    // MARK: What is read

    @Test(
        "valid documents",
        arguments: [
            ("null", nil), ("true", true), ("false", false), (" \t\r\n1 \t\r\n", 1), ("\"\"", ""), ("[]", []),
            ("[ ]", []), ("{}", [:]), ("{ }", [:]), ("[1,2]", [1, 2]), ("[ 1 , [ ] ]", [1, []]),
            (#"{"a":1}"#, ["a": 1]), (#" { "a" : { "b" : [ null ] } } "#, ["a": ["b": [nil]]]),
            (#"{"a":1,"a":2}"#, ["a": 2]), (#"{"":""}"#, ["": ""]),
            ("\"caf\u{E9} 日本語 🦜 \u{7F}\u{80}\u{10FFFF}\"", "caf\u{E9} 日本語 🦜 \u{7F}\u{80}\u{10FFFF}"),
        ] as [(String, JSONValue)])
    func valid(_ text: String, value: JSONValue) throws {
        #expect(try JSONValue(parsing: text.utf8) == value)
        #expect(try JobArguments(json: "{\"k\":\(text)}")["k"] == value)
    }

    @Test(
        "invalid documents, and the byte at which reading stops",
        arguments: [
            ("", 0), (" ", 1), ("\n\n", 2), ("tru", 0), ("True", 0), ("nul", 0), ("fals", 0), ("nil", 0), ("NaN", 0),
            ("Infinity", 0), ("-Infinity", 1), ("'a'", 0), ("a", 0), ("}", 0), ("]", 0), (",", 0), (":", 0),
            ("truefalse", 4), ("nulll", 4), ("1 2", 2), ("[] []", 3), ("\"a\" \"b\"", 4), ("/**/1", 0), ("1//", 1),
            ("[", 1), ("[1", 2), ("[1,", 3), ("[,", 1), ("[1,]", 3), ("[1 2]", 3), ("[1}", 2), ("[1;2]", 2),
            ("{", 1), ("{\"", 1), ("{\"a", 1), ("{\"a\"", 4), ("{\"a\":", 5), ("{\"a\":1", 6), ("{\"a\":1,", 7),
            ("{,", 1), ("{1:1}", 1), ("{a:1}", 1), ("{'a':1}", 1), ("{\"a\":1,}", 7), ("{\"a\" 1}", 5),
            ("{\"a\":,", 5), ("{\"a\"::1}", 5), ("{\"a\":1 \"b\":2}", 7), ("{\"a\":1]", 6), ("{null:1}", 1),
            ("\u{FEFF}1", 0), ("\u{A0}1", 0), ("1\u{0}", 1), ("\u{0}", 0), ("\u{B}1", 0), ("\u{C}1", 0),
            ("[\"a", 1), ("\"", 0), ("\"\\\"", 0),
        ])
    func invalid(_ text: String, offset: Int) {
        #expect(throwsAt(offset) { try JSONValue(parsing: text.utf8) })
        // Within an object both readers stop at the same byte of it, for the same reason.
        let member = "{\"k\":" + text
        #expect(throwsAt(offset + 5) { try JSONValue(parsing: member.utf8) })
        #expect(throwsAt(offset + 5) { try JobArguments(json: member) })
    }

    /// Whether the body throws an error with that offset.
    private func throwsAt(_ offset: Int, _ body: () throws -> some Any) -> Bool {
        do {
            _ = try body()
            return false
        } catch {
            return (error as? JSONError)?.offset == offset
        }
    }

    @Test("an error says where and what")
    func description() {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: bytes("[1,]")) }
        #expect(error == JSONError(offset: 3, reason: "expected a value"))
        #expect(error?.description == "invalid JSON at byte 3: expected a value")
    }

    @Test("no beginning of a document is a document")
    func prefixes() throws {
        let document = bytes(
            #" {"a":[1,-2.5e+3,"x\n\u00e9\ud83e\udd9c"],"é🦜":{"t":true,"f":false,"n":null},"z":[[],{}]}"#)
        _ = try JobArguments(json: document)
        _ = try JSONValue(parsing: document)
        for length in 0..<document.count {
            let prefix = Array(document.prefix(length))
            let parsed = #expect(throws: JSONError.self, "\(length) bytes") { try JSONValue(parsing: prefix) }
            let checked = #expect(throws: JSONError.self, "\(length) bytes") { try JobArguments(json: prefix) }
            #expect((parsed?.offset ?? .max) <= length)
            if length > 1 { #expect(parsed == checked, "\(length) bytes") }
        }
    }

    // MARK: Depth

    @Test("values nest 128 deep and no deeper", arguments: ["[", "{\"a\":", "[{\"a\":"])
    func depth(opening: String) throws {
        let levels = opening.utf8.count { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") }
        let closing = opening == "[" ? "]" : opening.hasPrefix("[") ? "}]" : "}"
        func nested(_ depth: Int) -> String {
            String(repeating: opening, count: depth) + "1" + String(repeating: closing, count: depth)
        }
        let deepest = 128 / levels
        var value = try JSONValue(parsing: nested(deepest).utf8)
        for _ in 0..<deepest {
            if levels == 2 {
                value = try #require(value[0]?["a"])
            } else {
                value = try #require(value[0] ?? value["a"])
            }
        }
        #expect(value == 1)
        #expect(throwsAt(deepest * opening.utf8.count) { try JSONValue(parsing: nested(deepest + 1).utf8) })

        // The object around it is a level of its own.
        let within = (128 - 1) / levels
        _ = try JobArguments(json: "{\"k\":\(nested(within))}")
        let beyond = "{\"k\":\(nested(129))}"
        let parsed = #expect(throws: JSONError.self) { try JSONValue(parsing: beyond.utf8) }
        let checked = #expect(throws: JSONError.self) { try JobArguments(json: beyond) }
        #expect(parsed == checked)
        #expect(parsed?.reason == "nested deeper than 128 levels")
    }

    @Test("a million open brackets are refused like the 129th")
    func veryDeep() {
        let brackets = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(throwsAt(128) { try JSONValue(parsing: brackets) })
        #expect(throwsAt(132) { try JobArguments(json: bytes("{\"a\":") + brackets) })
    }

    @Test("siblings are not levels")
    func wide() throws {
        let text = "[" + String(repeating: "[],{},", count: 1000) + "[]]"
        #expect(try JSONValue(parsing: text.utf8).array?.count == 2001)
        _ = try JobArguments(json: "{\"k\":\(text)}")
    }

    // MARK: Numbers

    @Test(
        "numbers: whole ones within 64 bits stay whole, all others are floats",
        arguments: [
            ("0", 0), ("-0", 0), ("7", 7), ("-7", -7), ("9007199254740993", 9_007_199_254_740_993),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .number(0x1p63)), ("-9223372036854775809", .number(-0x1p63)),
            ("18446744073709551616", .number(0x1p64)), ("1.0", .number(1)), ("-0.0", .number(-0.0)),
            ("1e0", .number(1)),
            ("1E2", .number(100)), ("1e+2", .number(100)), ("100e-2", .number(1)), ("0.1", .number(0.1)),
            ("0e0", .number(0)), ("0.5e1", .number(5)), ("1.7976931348623157e308", .number(.greatestFiniteMagnitude)),
            ("4.9406564584124654e-324", .number(.leastNonzeroMagnitude)), ("1e-400", .number(0)),
            ("2.2250738585072014e-308", .number(.leastNormalMagnitude)), ("0e999999999", .number(0)),
        ] as [(String, JSONValue)])
    func numbers(_ text: String, value: JSONValue) throws {
        let parsed = try JSONValue(parsing: text.utf8)
        #expect(parsed == value)
        #expect(try JobArguments(json: "{\"k\":\(text)}")["k"] == value)
        if case .number(let number) = value { #expect(parsed.double?.sign == number.sign) }
    }

    @Test("an integer of many digits is a float as long as it is finite")
    func longNumbers() throws {
        let largest = "1" + String(repeating: "0", count: 308)
        #expect(try JSONValue(parsing: largest.utf8) == .number(1e308))
        _ = try JobArguments(json: "{\"k\":\(largest)}")
        for beyond in [largest + "0", "-" + largest + "0", String(repeating: "9", count: 309)] {
            #expect(throwsAt(0) { try JSONValue(parsing: beyond.utf8) })
            #expect(throwsAt(5) { try JobArguments(json: "{\"k\":\(beyond)}") })
        }
        let fraction = "0." + String(repeating: "3", count: 2000)
        #expect(try JSONValue(parsing: fraction.utf8) == .number(1.0 / 3))
        _ = try JobArguments(json: "{\"k\":\(fraction)}")
    }

    @Test(
        "what only looks like a number",
        arguments: [
            ("-", 1), ("+1", 0), (".5", 0), ("1.", 2), ("1.e1", 2), ("1e", 2), ("1e+", 3), ("1e1.5", 3), ("01", 1),
            ("-01", 2), ("00", 1), ("0x10", 1), ("1_000", 1), ("--1", 1), ("1.2.3", 3), ("1e1e1", 3), ("-.5", 1),
            ("-a", 1), ("1٣", 1), ("٣", 0), ("1f", 1), ("0b1", 1),
            // Beyond the range of a float: the offset is where the number begins.
            ("1e999", 0), ("-1e999", 0), ("[1e309]", 1), ("1.8e308", 0), ("1e99999999999999999999", 0),
        ])
    func notNumbers(_ text: String, offset: Int) {
        #expect(throwsAt(offset) { try JSONValue(parsing: text.utf8) })
        let member = "{\"k\":\(text)}"
        #expect(throwsAt(offset + 5) { try JSONValue(parsing: member.utf8) })
        #expect(throwsAt(offset + 5) { try JobArguments(json: member) })
    }

    // MARK: Strings

    @Test(
        "escapes",
        arguments: [
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041""#, "A"), (#""\u00e9\u00E9""#, "éé"),
            (#""\u0000""#, "\u{0}"), (#""\uFFFF""#, "\u{FFFF}"), (#""\ud7ff\ue000""#, "\u{D7FF}\u{E000}"),
            (#""\ud83e\udd9c""#, "🦜"), (#""\uD83E\uDD9Cx""#, "🦜x"), (#""\ud800\udc00""#, "\u{10000}"),
            (#""\udbff\udfff""#, "\u{10FFFF}"), (#""a\u0062c""#, "abc"), (#""\\u0041""#, "\\u0041"),
            (#""é\né""#, "é\né"), (#""🦜\ud83e\udd9c""#, "🦜🦜"),
        ])
    func escapes(_ text: String, value: String) throws {
        #expect(try JSONValue(parsing: text.utf8).string?.utf8.elementsEqual(value.utf8) == true)
        #expect(try JobArguments(json: "{\"k\":\(text)}")["k"] == .string(value))
        #expect(try JobArguments(json: "{\(text):1}")[value] == 1)
    }

    @Test(
        "escapes that are none",
        arguments: [
            (#""\x41""#, 1), (#""\'""#, 1), (#""\0""#, 1), (#""\U0041""#, 1), (#""\"#, 1), (#""ab\"#, 3),
            (#""\u""#, 1), (#""\u004""#, 1), (#""\u004"#, 1), (#""\u00g1""#, 1), (#""\u+041""#, 1), (#""\u 041""#, 1),
            (#""\u{41}""#, 1), (#""\u００４1""#, 1), (#""\udc00""#, 1), (#""\udfff""#, 1), (#""\ud800""#, 1),
            (#""\ud800x""#, 1), (#""\ud800\n""#, 1), (#""\ud800\u0041""#, 1), (#""\ud800\ud800""#, 1),
            (#""\ud800\udc0""#, 1), (#""\ud800\u"#, 1), (#""\ud800\"#, 1), (#""\ud800"#, 1), (#""ok\udbff\ue000""#, 3),
        ])
    func badEscapes(_ text: String, offset: Int) {
        #expect(throwsAt(offset) { try JSONValue(parsing: text.utf8) })
        let member = "{\"k\":" + text
        #expect(throwsAt(offset + 5) { try JSONValue(parsing: member.utf8) })
        #expect(throwsAt(offset + 5) { try JobArguments(json: member) })
    }

    @Test("control characters must be escaped, all others may stand as they are")
    func controls() {
        for byte in UInt8(0)..<0x80 where byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") {
            let text = bytes("\"a") + [byte] + bytes("\"")
            if byte < 0x20 {
                #expect(throwsAt(2, { try JSONValue(parsing: text) }), "byte \(byte)")
                #expect(throwsAt(7, { try JobArguments(json: bytes("{\"k\":") + text + bytes("}")) }), "byte \(byte)")
            } else {
                let expected = "a" + String(Unicode.Scalar(byte))
                #expect((try? JSONValue(parsing: text)) == .string(expected), "byte \(byte)")
            }
        }
    }

    /// Every lead byte with tails at the edges of what may follow; the standard library says which are UTF-8.
    @Test("strings are valid UTF-8: no overlong forms, no surrogates, nothing beyond U+10FFFF, nothing cut short")
    func utf8() {
        let tails: [UInt8] = [0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF]
        var sequences: [[UInt8]] = []
        for lead in UInt8(0x80) ... .max {
            sequences.append([lead])
            for second in tails {
                sequences.append([lead, second])
                for third in tails {
                    sequences.append([lead, second, third])
                    for fourth in [0x41, 0x7F, 0x80, 0xBF, 0xC0] as [UInt8] {
                        sequences.append([lead, second, third, fourth])
                    }
                }
            }
        }
        var (accepted, wrong) = (0, [[UInt8]]())
        for sequence in sequences {
            let valid = String(validating: sequence, as: UTF8.self)
            let text = [UInt8(ascii: "\"")] + sequence + [UInt8(ascii: "\"")]
            let parsed = try? JSONValue(parsing: text)
            let checked = try? JobArguments(json: bytes("{\"k\":") + text + bytes("}"))
            if parsed?.string != valid || (checked != nil) != (valid != nil) { wrong.append(sequence) }
            if valid != nil { accepted += 1 }
        }
        #expect(wrong.isEmpty)
        #expect(accepted > 1000)
        #expect(sequences.count - accepted > 1000)
    }

    @Test(
        "bytes that are not UTF-8, and where",
        arguments: [
            ([0xC0, 0x80], 0), ([0xC1, 0xBF], 0), ([0xE0, 0x9F, 0xBF], 0), ([0xF0, 0x8F, 0xBF, 0xBF], 0),
            ([0xED, 0xA0, 0x80], 0), ([0xED, 0xBF, 0xBF], 0), ([0xF4, 0x90, 0x80, 0x80], 0),
            ([0xF5, 0x80, 0x80, 0x80], 0),
            ([0x80], 0), ([0x61, 0xBF], 1), ([0xFE], 0), ([0xFF], 0), ([0xC3, 0xA9, 0xC3], 2), ([0xC3, 0x28], 0),
            ([0xE2, 0x82], 0), ([0xF0, 0x9F, 0xA6], 0), ([0xF0, 0x9F, 0x28, 0x9C], 0),
        ] as [([UInt8], Int)])
    func notUTF8(_ text: [UInt8], offset: Int) {
        for end in [bytes("\""), []] {
            #expect(throwsAt(offset + 1) { try JSONValue(parsing: bytes("\"") + text + end) })
            #expect(throwsAt(offset + 6) { try JobArguments(json: bytes("{\"k\":\"") + text + end) })
            #expect(throwsAt(offset + 2) { try JobArguments(json: bytes("{\"") + text + end) })
        }
    }

    @Test("a scalar cut short at any byte, by the end of the string or of the document, is refused")
    func truncatedScalars() {
        for scalar in ["\u{80}", "\u{7FF}", "\u{800}", "\u{FFFF}", "\u{10000}", "\u{10FFFF}"] {
            for length in 1..<scalar.utf8.count {
                let cut = Array(scalar.utf8.prefix(length))
                for end in [[], bytes("\""), bytes("\"}"), bytes("x\""), bytes("\\n\"")] {
                    #expect(throwsAt(1) { try JSONValue(parsing: bytes("\"") + cut + end) })
                    #expect(throwsAt(6) { try JobArguments(json: bytes("{\"k\":\"") + cut + end) })
                }
            }
        }
    }

    // MARK: What is written

    @Test(
        "values are written as JSON, keys sorted, floats so that they stay floats",
        arguments: [
            (nil, "null"), (true, "true"), (false, "false"), (0, "0"), (.integer(.min), "-9223372036854775808"),
            (1.0, "1.0"), (.number(-0.0), "-0.0"), (0.1, "0.1"), (1e100, "1e+100"), (1e16, "1e+16"),
            (.number(0x1p63), "9.223372036854776e+18"), (.number(.leastNonzeroMagnitude), "5e-324"),
            (.number(.nan), "null"), (.number(-.infinity), "null"), ("", "\"\""),
            ("\"\\/\u{8}\u{C}\n\r\t\u{0}\u{1F}\u{7F}é🦜", "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u0000\\u001f\u{7F}é🦜\""),
            ([], "[]"), ([:], "{}"), ([1, [2], ["b": 1, "a": [:]]], #"[1,[2],{"a":{},"b":1}]"#),
            (["a\"b": nil], #"{"a\"b":null}"#),
        ] as [(JSONValue, String)])
    func written(_ value: JSONValue, text: String) {
        #expect(value.json == text)
    }

    @Test("any finite float is read back as it was")
    func floats() throws {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<5000 {
            let number = Double(bitPattern: random.next())
            guard number.isFinite else { continue }
            let read = try JSONValue(parsing: JSONValue.number(number).json.utf8)
            #expect(read == .number(number))
            #expect(read.double?.sign == number.sign)
        }
    }

    // MARK: Both readers

    /// Valid documents, changed at random: most become invalid, in every way a byte can be wrong.
    @Test("checking args and parsing them agree, whatever the bytes", arguments: [20_261_001, 20_261_002] as [UInt64])
    func mutations(seed: UInt64) {
        let documents = [
            #"{"a":1,"b":[1,2.5,-3e+2,{"c":null}],"d":"text"}"#,
            #" { "t" : true , "f" : false , "n" : [ ] , "o" : { } } "#,
            #"{"é🦜":"\u00e9\ud83e\udd9c\n\"\\","big":9223372036854775808,"max":9223372036854775807}"#,
            #"{"x":[[[[[[]]]]]],"y":{"y":{"y":{"y":1e308}}},"x":0.0}"#,
            #"["not",{"an":"object"}]"#,
        ].map(bytes)
        let interesting =
            bytes("{}[],:\"\\/utfn0123456789eE+-. \n\t") + [0, 0x1F, 0x7F, 0x80, 0xBF, 0xC3, 0xED, 0xF0, 0xFF]
        var random = SeededGenerator(seed: seed)
        var (objects, others, rejected) = (0, 0, 0)
        for round in 0..<10_000 {
            var text = documents[Int.random(in: 0..<documents.count, using: &random)]
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<max(1, text.count), using: &random)
                let byte = interesting.randomElement(using: &random) ?? 0
                switch Int.random(in: 0..<6, using: &random) {
                case 0 where !text.isEmpty: text[place] = byte
                case 1 where !text.isEmpty: text.remove(at: place)
                case 2: text.insert(byte, at: min(place, text.count))
                case 3 where !text.isEmpty: text[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 4:
                    let end = min(text.count, place + 8)
                    text.insert(contentsOf: Array(text[min(place, end)..<end]), at: min(place, text.count))
                default:
                    if Int.random(in: 0..<10, using: &random) == 0 {
                        text.removeLast(text.count - min(place, text.count))
                    }
                }
            }
            let note: Comment = "seed \(seed), round \(round): \(String(decoding: text, as: UTF8.self))"
            let parsed = Result { () throws(JSONError) in try JSONValue(parsing: text) }
            let checked = Result { () throws(JSONError) in try JobArguments(json: text) }
            let firstByte = text.first { !bytes(" \n\r\t").contains($0) }
            switch (parsed, checked) {
            case (.success(.object(let members)), .success(let args)):
                objects += 1
                #expect(args.value == .object(members), note)
                for (key, value) in members { #expect(args[key] == value, note) }
                #expect((try? JSONValue(parsing: args.value.json.utf8)) == args.value, note)
                #expect((try? JobArguments(json: args.setting([]).bytes))?.value == args.value, note)
            case (.success(let value), .failure(let error)):
                others += 1
                #expect(value.object == nil, note)
                #expect(error.reason.hasPrefix("expected an object"), note)
            case (.failure(let parseError), .failure(let checkError)):
                rejected += 1
                #expect((0...text.count).contains(parseError.offset), note)
                if firstByte == UInt8(ascii: "{") { #expect(parseError == checkError, note) }
            case (_, .success):
                Issue.record("args that do not parse as an object: \(note)")
            }
        }
        #expect(objects > 500)
        #expect(others > 100)
        #expect(rejected > 3000)
    }
}
