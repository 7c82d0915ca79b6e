import JobReactorTesting
import Testing

@testable import JobReactorCore

/// The quick look at JSON: what it says is valid is.
@Suite struct PlainJSONTests {
    private static func isPlain(_ text: String) -> Bool { Array(text.utf8).withUnsafeBytes(PlainJSON.isObject) }

    @Test(
        "objects of which it is certain",
        arguments: [
            "{}", " { } ", "\n{\t}\r\n", #"{"a":1}"#, #"{"a":-0}"#, #"{"a":-12.50}"#, #"{ "a" : [ ] , "b" : { } }"#,
            #"{"path":"pictures/2026/cat.png","width":200,"deep":[[1,2],[true,false,null],{"x":"y"}]}"#,
            #"{"a234567":"123456789 1234567"}"#, #"{"":""}"#,
        ])
    func plain(_ text: String) { #expect(Self.isPlain(text)) }

    @Test(
        "what it leaves to a closer look, and what is wrong",
        arguments: [
            "", " ", "[]", "1", "null", "{", "}", "{]", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{,"a":1}"#,
            #"{"a":1 2}"#,
            #"{"a":1}}"#, #"{"a":1} x"#, #"{"a":[1,]}"#, #"{"a":[1}"#, #"{"a":{"b":1]}"#, #"{"a":01}"#, #"{"a":1.}"#,
            #"{"a":.5}"#, #"{"a":-}"#, #"{"a":+1}"#, #"{"a":1e3}"#, #"{"a":"\n"}"#, #"{"a":"é"}"#, #"{"a":tru}"#,
            "{\"a\":\"\u{1}\"}", "{\"a\":\"12345678\u{1f}\"}", "{\"a\":\"\0\"}", "{\"a\":1\0}", #"{"a":"b}"#, #"{a:1}"#,
            #"{"a":nulll}"#, #"{"a""b"}"#, #"{1:1}"#,
        ])
    func notPlain(_ text: String) { #expect(!Self.isPlain(text)) }

    @Test("depth and length have bounds")
    func bounds() {
        func nested(_ depth: Int) -> String {
            String(repeating: #"{"a":"#, count: depth) + "1" + String(repeating: "}", count: depth)
        }
        #expect(Self.isPlain(nested(64)))
        #expect(!Self.isPlain(nested(65)))
        #expect(!Self.isPlain(nested(100_000)))
        #expect(Self.isPlain(#"{"a":\#(String(repeating: "1", count: 300))}"#))
        #expect(!Self.isPlain(#"{"a":\#(String(repeating: "1", count: 400))}"#))
    }

    @Test("whatever byte stands wherever in a string, it is found", arguments: 0..<20)
    func everyByte(place: Int) {
        for byte in UInt8.min...UInt8.max {
            var text = Array(#"{"a":"abcdefghijklmnopqrst"}"#.utf8)
            text[6 + place] = byte
            let isOrdinary = byte >= 0x20 && byte < 0x80 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
            #expect(text.withUnsafeBytes(PlainJSON.isObject) == isOrdinary, "\(byte)")
        }
    }

    @Test("at random: what it says is valid the whole parser reads as an object", arguments: 1...20)
    func agrees(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "{", "}", "[", "]", ",", ":", " ", "\"a\"", "\"\"", "\"k\":", "1", "-2.5", "true", "false", "null", "0",
            "1e5",
            "\\", "\"", "é", "x",
        ]
        var plain = 0
        for _ in 0..<20_000 {
            var text = Self.object(depth: 0, &random)
            // Half of them are damaged.
            if Bool.random(using: &random) {
                var bytes = Array(text.utf8)
                let at = Int.random(in: 0...bytes.count, using: &random)
                let piece = Array(pieces[Int.random(in: 0..<pieces.count, using: &random)].utf8)
                bytes.replaceSubrange(at..<min(bytes.count, at + Int.random(in: 0...2, using: &random)), with: piece)
                text = String(decoding: bytes, as: UTF8.self)
            }
            guard Self.isPlain(text) else { continue }
            plain += 1
            guard case .object? = try? JSONValue(parsing: text.utf8) else {
                Issue.record("it is none: \(text)")
                return
            }
        }
        #expect(plain > 5000)
    }

    private static func object(depth: Int, _ random: inout SeededGenerator) -> String {
        let members = (0..<Int.random(in: 0...3, using: &random)).map { _ in
            "\"\(String(repeating: "k", count: Int.random(in: 0...12, using: &random)))\":"
                + value(depth: depth + 1, &random)
        }
        return "{" + members.joined(separator: ", ") + "}"
    }

    private static func value(depth: Int, _ random: inout SeededGenerator) -> String {
        switch Int.random(in: 0...(depth > 3 ? 5 : 7), using: &random) {
        case 0: "\(Int.random(in: -1000...1000, using: &random))"
        case 1: "\(Double(Int.random(in: -1000...1000, using: &random)) / 8)"
        case 2: "true"
        case 3: "null"
        case 4, 5: "\"" + String(repeating: "s", count: Int.random(in: 0...20, using: &random)) + "\""
        case 6: object(depth: depth, &random)
        default:
            "["
                + (0..<Int.random(in: 0...3, using: &random)).map { _ in value(depth: depth + 1, &random) }
                .joined(separator: ",") + "]"
        }
    }
}
