import Testing

@testable import JobReactorWire

@Suite struct WireSecurityTests {
    private static let loopback = ["localhost:5000", "127.0.0.1:5000", "127.8.9.10:0", "[::1]:5000"]
    private static let open = [
        "0.0.0.0:5000", "[::]:5000", "192.168.1.2:5000", "example.org:5000", "127.evil.example.org:1",
    ]

    @Test("loopback is open to anyone on this machine", arguments: loopback)
    func onLoopback(address: String) throws {
        try WireSecurity().checkListening(on: try #require(Address(address)))
    }

    @Test("any other address needs a password, or that it is said to be insecure", arguments: open)
    func onTheNetwork(address: String) throws {
        let address = try #require(Address(address))
        let error = try #require(throws: WireError.self) { try WireSecurity().checkListening(on: address) }
        #expect(error.code == .configuration)
        #expect(
            error.message
                == "refusing to listen on \(address) without a password: anybody who reaches it could run jobs;"
                + " give a password or users, listen on localhost, or set isInsecureAllowed")
        try WireSecurity(password: Password("secret")).checkListening(on: address)
        try WireSecurity(isInsecureAllowed: true).checkListening(on: address)
    }

    @Test("TLS alone does not tell who may come: a password is still needed")
    func tlsIsNoPassword() throws {
        let security = WireSecurity(tls: try TransportSecurity(TransportSecurity.Files()))
        #expect(throws: WireError.self) { try security.checkListening(on: Address(host: "0.0.0.0", port: 1)) }
    }
}
