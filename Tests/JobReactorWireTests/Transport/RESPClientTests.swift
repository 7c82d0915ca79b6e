import Testing

@testable import JobReactorWire

@Suite(.timeLimit(.minutes(5))) struct RESPClientTests {
    @Test("commands are answered in their order, however many are under way")
    func order() async throws {
        try await withServer { server in
            let client = try await RESPClient.connect(to: server.address)
            #expect(try await client.send(["PING"]) == .simple("PONG"))
            #expect(try await client.send(["NO"]).text?.hasPrefix("ERR unknown command 'NO'") == true)
            #expect(try await client.send(["COMMAND"]) == .array([]))
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<200 {
                    group.addTask { try await client.send(["PING", "\(number)"]) == bulk("\(number)") }
                }
                for try await isRight in group { #expect(isRight) }
            }
            await client.close()
            await #expect(throws: WireError.self) { try await client.send(["PING"]) }
        }
    }

    @Test("the password is said when connecting, and a wrong one is an error that does not show it")
    func password() async throws {
        let security = WireSecurity(password: Password("secret"))
        try await withServer(security: security) { server in
            let client = try await RESPClient.connect(to: server.address, security: security)
            #expect(try await client.send(["NODES"]) == .simple("OK"))
            await client.close()
            let error = try #require(
                await #expect(throws: WireError.self) {
                    try await RESPClient.connect(
                        to: server.address, security: WireSecurity(password: Password("guess")))
                })
            #expect(
                error.message == "\(server.address) refuses the password:"
                    + " WRONGPASS invalid username-password pair or user is disabled.")
            let stranger = try await RESPClient.connect(to: server.address)
            #expect(try await stranger.send(["NODES"]) == .error("NOAUTH Authentication required."))
            await stranger.close()
        }
    }

    @Test("a command whose connection ends is an error, not a wait")
    func lost() async throws {
        let server = try await TestServer.start()
        let client = try await RESPClient.connect(to: server.address)
        #expect(try await client.send(["PING"]) == .simple("PONG"))
        // The reply to the second waits behind the other: both are lost.
        let answers = [
            Task { try await client.send(["PERFORM", "never"]) }, Task { try await client.send(["PERFORM", "never"]) },
        ]
        try await server.stop()
        for answer in answers {
            let error = try #require(await #expect(throws: WireError.self) { try await answer.value })
            // The system may add how.
            #expect(error.message.hasPrefix("the connection was lost before the reply arrived"))
        }
    }

    @Test("where nobody listens is an error that says what to do")
    func unreachable() async throws {
        let server = try await TestServer.start()
        try await server.stop()
        let error = try #require(
            await #expect(throws: WireError.self) { try await RESPClient.connect(to: server.address) })
        #expect(error.code == .connect)
        #expect(
            error.message == "cannot connect to \(server.address): connection refused:"
                + " start a distributor there (jobreactor distributor), or give another address")
    }
}
