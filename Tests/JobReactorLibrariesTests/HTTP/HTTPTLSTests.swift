import JobReactorLua
import Testing

@testable import JobReactorLibraries

@Suite(.timeLimit(.minutes(5))) struct HTTPTLSTests {
    @Test("a certificate that nobody trusts is an error that says what to check, unless any will do")
    func certificate() async throws {
        let certificate = try Certificate()
        try await WebServer.with(tls: try certificate.serverContext(), { _ in .text("secret") }) { server in
            let url = "https://127.0.0.1:\(server.port)/"
            let library = HTTPLibrary()
            let message = await failure { try await Web(library: library).values(url) }
            #expect(message.hasPrefix("http: no TLS connection to 127.0.0.1:\(server.port): "), "\(message)")
            #expect(message.hasSuffix("its certificate is good; insecure = true takes any"), "\(message)")
            let reply = try await Web(library: library).request(url, isInsecure: true)
            #expect(reply.body == "secret")
            // The connection that was kept is not used by those who want a good certificate.
            #expect(await failure { try await Web(library: library).values(url) } == message)
        }
    }

    @Test("a server that speaks no TLS is told apart")
    func noTLS() async throws {
        try await WebServer.with({ _ in .text("x") }) { server in
            let message = await failure { try await Web().values("https://127.0.0.1:\(server.port)/") }
            #expect(message.hasPrefix("http: no TLS connection to 127.0.0.1:\(server.port): "), "\(message)")
        }
    }
}
