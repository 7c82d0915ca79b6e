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

    @Test("a certificate is trusted that a file of the script's has, or that of the environment")
    func authority() async throws {
        let certificate = try Certificate()
        try await WebServer.with(tls: try certificate.serverContext(), { _ in .text("secret") }) { server in
            let url = "https://localhost:\(server.port)/"
            let library = HTTPLibrary(authority: nil)
            for _ in 0..<2 {
                let reply = try await Web(library: library).request(url, authority: certificate.certificate)
                #expect(reply.body == "secret")
            }
            let stranger = await failure { try await Web(library: library).values(url) }
            #expect(stranger.hasPrefix("http: no TLS connection to localhost:\(server.port): "), "\(stranger)")
            let reply = try await Web(library: HTTPLibrary(authority: certificate.certificate)).request(url)
            #expect(reply.body == "secret")
            let other = try Certificate()
            let wrong = await failure { try await Web(library: library).values(url, authority: other.certificate) }
            #expect(wrong.hasPrefix("http: no TLS connection to localhost:\(server.port): "), "\(wrong)")
        }
    }

    @Test(
        "a file without certificates is an error that says so, where TLS needs it",
        arguments: ["/no/such", "/dev/null", "/"])
    func noAuthority(_ path: String) async throws {
        let certificate = try Certificate()
        let message =
            "http: there are no certificates to trust in '\(path)': name a file in PEM that this process can read"
        try await WebServer.with(tls: try certificate.serverContext(), { _ in .text("secret") }) { server in
            let url = "https://localhost:\(server.port)/"
            let own = await failure { try await Web().values(url, authority: path) }
            #expect(own == (path == "/" ? "http: '/' is no path of a file" : message))
            #expect(await failure { try await Web(library: HTTPLibrary(authority: path)).values(url) } == message)
        }
        try await WebServer.with({ _ in .text("plain") }) { server in
            let reply = try await Web(library: HTTPLibrary(authority: path)).request(server.url)
            #expect(reply.body == "plain")
        }
    }

    @Test("scripts in a sandbox read no certificates, and nobody trusts all and some at once")
    func bounds() async {
        let web = Web(isSandboxed: true)
        #expect(
            await failure { try await web.values("https://localhost:1/", authority: "/etc/passwd") }
                == "http: the scripts of this node run in a sandbox: they may read no files")
        #expect(
            await failure { try await Web().values("https://localhost:1/", isInsecure: true, authority: "/a") }
                == "http: give ca or insecure, not both: with insecure any certificate will do")
    }
}
