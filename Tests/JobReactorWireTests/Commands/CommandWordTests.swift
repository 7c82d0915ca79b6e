import Testing

@testable import JobReactorWire

@Suite struct CommandWordTests {
    private func on<Answer>(_ text: String, _ body: (UnsafeRawBufferPointer) -> Answer) -> Answer {
        bytes(text).withUnsafeBytes(body)
    }

    @Test(
        "a word is a name in any letter case",
        arguments: [
            ("RUN_AT", true), ("run_at", true), ("Run_At", true), ("RUN-AT", false), ("RUN_A", false),
            ("RUN_ATT", false),
            ("", false), ("RUN\u{7F}AT", false), ("ＲＵＮ_AT", false),
            // 0x20 apart, but no letters.
            ("RUN\u{3F}AT", false),
        ])
    func matches(word: String, isName: Bool) {
        #expect(on(word) { CommandWord.matches($0, "RUN_AT") } == isName)
    }

    @Test("only letters have two cases")
    func everyByte() {
        for byte in UInt8.min ... .max {
            let isLetter = byte == UInt8(ascii: "Z") || byte == UInt8(ascii: "z")
            #expect([byte].withUnsafeBytes { CommandWord.matches($0, "Z") } == isLetter, "byte \(byte)")
            #expect([byte].withUnsafeBytes { CommandWord.matches($0, "@") } == (byte == 0x40), "byte \(byte)")
        }
    }

    @Test(
        "whole numbers",
        arguments: [
            ("0", 0), ("7", 7), ("-7", -7), ("007", 7), ("9223372036854775807", .max), ("-9223372036854775808", .min),
            ("9223372036854775808", nil), ("", nil), ("-", nil), ("1.0", nil), ("1e3", nil), (" 1", nil), ("0x1", nil),
            ("١", nil), ("000000000000000000001", nil),
        ] as [(String, Int?)])
    func integers(word: String, number: Int?) {
        #expect(on(word, CommandWord.integer) == number)
    }

    @Test(
        "numbers",
        arguments: [
            ("0", 0), ("2.5", 2.5), ("-1e-3", -0.001), (".5", 0.5), ("1e308", 1e308), ("1e309", nil), ("nan", nil),
            ("inf", nil), ("-infinity", nil), ("", nil), ("1,5", nil), ("5s", nil), (" 5", nil), ("5\u{0}", nil),
            (String(repeating: "1", count: 65), nil),
        ] as [(String, Double?)])
    func numbers(word: String, number: Double?) {
        #expect(on(word, CommandWord.number) == number)
    }

    @Test(
        "what is shown of a word is one short line",
        arguments: [
            ("word", "word"), ("", ""), ("größe", "größe"), ("a\tb", "a b"), ("a\r\nb", "a b"),
            ("a\u{1B}[31m", "a [31m"),
            (String(repeating: "ü", count: 40), String(repeating: "ü", count: 32)),
        ])
    func shown(word: String, shown: String) {
        #expect(on(word, CommandWord.shown) == shown)
    }
}
