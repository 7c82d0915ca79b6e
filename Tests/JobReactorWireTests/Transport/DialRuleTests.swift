import NIOCore
import Testing

@testable import JobReactorWire

@Suite("Where a node may be dialled") struct DialRuleTests {
    private static func choose(
        _ addresses: [String], host: String = "node", for peer: String?, _ rules: [String] = []
    ) throws -> String? {
        DialRule.allowed(
            of: try addresses.map { try SocketAddress(ipAddress: $0, port: 1) }, host: host,
            for: try peer.map { try SocketAddress(ipAddress: $0, port: 2) },
            try rules.map { try #require(DialRule($0)) }
        ).first?.ipAddress
    }

    @Test("where it comes from, whatever name it gives, and nowhere else")
    func own() throws {
        #expect(try Self.choose(["10.0.0.7"], for: "10.0.0.7") == "10.0.0.7")
        #expect(try Self.choose(["10.0.0.8"], for: "10.0.0.7") == nil)
        #expect(try Self.choose(["10.0.0.8", "10.0.0.7"], for: "10.0.0.7") == "10.0.0.7")
        #expect(try Self.choose(["10.0.0.7"], for: "::ffff:10.0.0.7") == "10.0.0.7")
        #expect(try Self.choose(["::1"], for: "127.0.0.1") == "::1")
        #expect(try Self.choose(["127.0.0.1"], for: "10.0.0.7") == nil)
        #expect(try Self.choose(["fd00::1"], for: "fd00::2") == nil)
        #expect(try Self.choose(["10.0.0.7"], for: nil) == nil)
        #expect(try Self.choose([], for: "10.0.0.7") == nil)
    }

    @Test(
        "what is allowed beside",
        arguments: [
            ("192.168.1.5", "h", "192.168.1.5", true), ("192.168.1.5", "h", "192.168.1.6", false),
            ("192.168.1.5", "h", "192.168.0.0/16", true), ("192.169.1.5", "h", "192.168.0.0/16", false),
            ("192.168.1.5", "h", "0.0.0.0/0", true), ("fd00::1", "h", "0.0.0.0/0", false),
            ("fd12::1", "h", "fd00::/8", true), ("fe80::1", "h", "fd00::/8", false),
            ("10.128.0.1", "h", "10.0.0.0/9", false),
            ("10.127.0.1", "h", "10.0.0.0/9", true), ("192.168.1.5", "Web-1.Internal", "*.internal", true),
            ("192.168.1.5", "internal", "*.internal", false), ("192.168.1.5", "h", "*", true),
        ])
    func rules(address: String, host: String, rule: String, isAllowed: Bool) throws {
        #expect((try Self.choose([address], host: host, for: "10.0.0.7", [rule]) != nil) == isAllowed)
    }

    @Test(
        "what is no rule",
        arguments: ["", "10.0.0.0/33", "10.0.0.0/x", "10.0.0.0/", "fd00::/129", "a b", "host/8", "http://h", "h:1"])
    func noRules(text: String) {
        #expect(DialRule(text) == nil)
    }
}
