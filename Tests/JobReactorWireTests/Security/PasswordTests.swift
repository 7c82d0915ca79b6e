import Testing

@testable import JobReactorWire

@Suite struct PasswordTests {
    @Test(
        "a candidate matches when it has the same bytes, and only then",
        arguments: [
            ("secret", "secret", true), ("secret", "Secret", false), ("secret", "secres", false),
            ("secret", "xecret", false), ("secret", "secre", false), ("secret", "secrets", false),
            ("secret", "", false),
            ("secret", "secretsecret", false), ("s", "s", true), ("s", "ss", false), ("ss", "s", false),
            ("s", "", false),
            ("größe", "größe", true), ("größe", "gro\u{308}ße", false), ("a\u{0}b", "a\u{0}b", true),
            ("a\u{0}b", "a", false),
            ("\u{0}", "", false), ("\u{0}", "\u{0}\u{0}", false), (" ", " ", true),
            (String(repeating: "x", count: 10_000), String(repeating: "x", count: 10_000), true),
            (String(repeating: "x", count: 10_000), String(repeating: "x", count: 9_999) + "y", false),
        ])
    func matches(password: String, candidate: String, isSame: Bool) throws {
        let password = try #require(Password(password))
        #expect(bytes(candidate).withUnsafeBytes { password.matches($0) } == isSame)
    }

    @Test("one bit off, anywhere, does not match")
    func everyBit() throws {
        let password = try #require(Password("correct horse"))
        for index in 0..<13 {
            for bit in 0..<8 {
                var candidate = bytes("correct horse")
                candidate[index] ^= 1 << bit
                #expect(!candidate.withUnsafeBytes { password.matches($0) }, "byte \(index), bit \(bit)")
            }
        }
    }

    @Test("an empty text is no password")
    func empty() {
        #expect(Password("") == nil)
    }

    @Test("its text is what was given, for the peer's AUTH")
    func text() throws {
        #expect(try #require(Password("größe\u{0}")).text == "größe\u{0}")
    }

    @Test("it is not shown, by whatever shows it")
    func hidden() throws {
        let password = try #require(Password("secret"))
        let security = WireSecurity(password: password)
        var dumped = ""
        dump(password, to: &dumped)
        dump(security, to: &dumped)
        dump([password], to: &dumped)
        let shown = [
            "\(password)", password.description, password.debugDescription, String(describing: password),
            String(reflecting: password), "\([password])", "\(["key": password])", "\((password, 1))",
            "\(Optional(password) as Any)", "\(security)", String(reflecting: security), dumped,
        ]
        for text in shown {
            #expect(!text.contains("secret"))
            // Nor as bytes: 115 is s.
            #expect(!text.contains("115"))
        }
        #expect("\(password)" == "(hidden)")
        #expect(Mirror(reflecting: password).children.isEmpty)
    }
}
