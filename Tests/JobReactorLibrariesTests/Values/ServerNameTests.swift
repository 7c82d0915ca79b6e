import JobReactorLibraries
import Testing

@testable import JobReactorLibraries

@Suite struct ServerNameTests {
    @Test(
        "hosts with and without a port",
        arguments: [
            ("example.org", "example.org", nil), ("Example.ORG:80", "example.org", 80),
            ("a_b-c.d:65535", "a_b-c.d", 65535),
            ("127.0.0.1:1", "127.0.0.1", 1), ("[::1]", "::1", nil), ("[FE80::1]:6379", "fe80::1", 6379),
            ("h:", "h", nil),
            ("[::ffff:1.2.3.4]:5", "::ffff:1.2.3.4", 5), ("example.org.", "example.org.", nil),
        ] as [(String, String, Int?)])
    func good(_ text: String, _ host: String, _ port: Int?) throws {
        let name = try ServerName(text.utf8)
        #expect(name.host == host && name.port == port)
    }

    @Test(
        "what is no host",
        arguments: [
            "", ":80", "a b", "a/b", "ä.example", "a%00b", "%61", "a\0b", "a\r\nb", "::1", "[::1", "[::1]x", "[a]",
            "[1.2.3.4]",
            "[::1%25eth0]", "[fe80::1%eth0]", "a@b", "a\\b", "[]", "[::gg]", String(repeating: "a", count: 254),
        ])
    func noHost(_ text: String) {
        #expect(throws: ServerName.Problem.host) { try ServerName(text.utf8) }
    }

    @Test(
        "what is no port",
        arguments: [
            "0", "65536", "70000", "-1", "+1", "8 0", "99999999999999999999", "0x50", "8\0", "80:80", "٨٠", "1e3",
        ])
    func noPort(_ port: String) {
        #expect(throws: ServerName.Problem.port) { try ServerName("host:\(port)".utf8) }
    }
}

@Suite struct HostRuleTests {
    private func allows(_ rule: String, _ server: String, _ usualPort: Int = 80) throws -> Bool {
        let name = try ServerName(server.utf8)
        return try #require(HostRule(rule)).allows(name.host, name.port ?? usualPort)
    }

    @Test(
        "a host is that host, in any case, at any port or the one that is said",
        arguments: [
            ("example.org", "EXAMPLE.org:81", true), ("Example.org", "example.org.", true),
            ("example.org.", "example.org", true),
            ("example.org", "www.example.org", false), ("example.org", "example.org.evil", false),
            ("example.org:80", "example.org", true), ("example.org:80", "example.org:81", false),
            ("127.0.0.1", "127.0.0.1:9", true), ("127.0.0.1", "localhost", false), ("::1", "[::1]:9", true),
            ("[::1]:9", "[::1]:9", true), ("[::1]:9", "[::1]:8", false), ("::1", "[0:0:0:0:0:0:0:1]", true),
            ("127.0.0.1", "[::ffff:127.0.0.1]", true), ("127.0.0.1", "2130706433", false),
        ])
    func hosts(_ rule: String, _ server: String, _ isAllowed: Bool) throws {
        #expect(try allows(rule, server) == isAllowed)
    }

    @Test(
        "a domain is all names below it",
        arguments: [
            ("*.example.org", "a.example.org", true), ("*.example.org", "a.b.Example.org.", true),
            ("*.example.org", "example.org", false), ("*.example.org", "aexample.org", false),
            ("*.example.org", "a.example.org.evil", false), ("*.example.org:443", "a.example.org:443", true),
            ("*.example.org:443", "a.example.org", false),
        ])
    func domains(_ rule: String, _ server: String, _ isAllowed: Bool) throws {
        #expect(try allows(rule, server) == isAllowed)
    }

    @Test(
        "what is no rule",
        arguments: [
            "", "*", "*.", ".", "a b", "http://a", "a/b", "a:0", "a:65536", "*.127.0.0.1", "*.[::1]", "a,b", "*a.org",
            "a.*",
            "ä.org", "[::1", "a:b:c",
        ])
    func none(_ text: String) { #expect(HostRule(text) == nil) }
}
