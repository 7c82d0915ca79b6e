import Testing

@testable import JobReactorWire

@Suite struct AddressTests {
    @Test(
        "an address is read, and written the same",
        arguments: [
            ("localhost:5000", "localhost", 5000), ("127.0.0.1:0", "127.0.0.1", 0), ("h:65535", "h", 65_535),
            ("a.b-c.example:1", "a.b-c.example", 1), ("[::1]:5000", "::1", 5000),
            ("[2001:db8::1%eth0]:80", "2001:db8::1%eth0", 80), ("[::]:5000", "::", 5000),
        ])
    func read(text: String, host: String, port: Int) throws {
        let address = try #require(Address(text))
        #expect(address == Address(host: host, port: port))
        #expect(address.description == text)
    }

    @Test(
        "what is written another way is read as well",
        arguments: [("[localhost]:5000", "localhost:5000"), ("h:007", "h:7")])
    func alternatives(text: String, written: String) throws {
        #expect(try #require(Address(text)).description == written)
    }

    @Test(
        "anything else is no address",
        arguments: [
            "", ":", "localhost", "localhost:", ":5000", "[]:5000", "::1:5000", "::1", "[::1]", "[::1]5000",
            "[::1:5000",
            "localhost:65536", "localhost:-1", "localhost:x", "localhost: 5000", "localhost:5000 ", "localhost:5e3",
            "localhost:99999999999999999999", "redis://localhost:5000", "localhost:5000/0", "localhost:+5000",
            "localhost:-0", "localhost:٥",
        ])
    func bad(text: String) {
        #expect(Address(text) == nil)
    }

    @Test(
        "loopback is what only this machine can reach",
        arguments: [
            ("localhost", true), ("127.0.0.1", true), ("127.255.255.254", true), ("::1", true),
            ("0.0.0.0", false), ("::", false), ("128.0.0.1", false), ("10.127.0.1", false),
            ("localhost.example", false),
            ("127.0.0.1.example.org", false), ("127.evil.example.org", false), ("127.0.0.256", false), ("127.1", false),
            ("127.0.0.", false), ("127.0.0.1.", false), ("127..0.0.1", false), ("", false), ("::2", false),
        ])
    func loopback(host: String, isLoopback: Bool) {
        #expect(Address(host: host, port: 1).isLoopback == isLoopback)
    }
}
