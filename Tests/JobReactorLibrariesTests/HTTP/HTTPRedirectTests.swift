import JobReactorLua
import NIOHTTP1
import Testing

@testable import JobReactorLibraries

@Suite(.timeLimit(.minutes(5))) struct HTTPRedirectTests {
    @Test("redirects are followed, relative ones too, and the answer has the last URL")
    func followed() async throws {
        let answer: @Sendable (WebRequest) -> WebAnswer = { request in
            switch request.uri {
            case "/a/b": .redirect(302, to: "../c?d=e")
            default: .text("\(request.method) \(request.uri)")
            }
        }
        try await WebServer.with(answer) { server in
            let reply = try await Web().request(server.url + "/a/b")
            #expect(reply.body == "GET /c?d=e")
            #expect(reply.url == server.url + "/c?d=e")
        }
    }

    @Test("more than the limit is an error; where the limit is 0 the answer is the redirect itself")
    func limit() async throws {
        let answer: @Sendable (WebRequest) -> WebAnswer = { request in
            let number = Int(request.uri.dropFirst()) ?? 0
            return number == 3 ? .text("there") : .redirect(307, to: "/\(number + 1)")
        }
        try await WebServer.with(answer) { server in
            let last = try await Web().request(server.url + "/0", redirects: 3)
            #expect(last.body == "there")
            #expect(
                await failure { try await Web().values(server.url + "/0", redirects: 2) }
                    == "http: 127.0.0.1:\(server.port) redirects more than 2 times: check the URL, or raise the limit with"
                    + " redirects = count")
            let reply = try await Web().request(server.url + "/0", redirects: 0)
            #expect(reply.status == 307)
            #expect(reply.headers.contains { $0.name == "location" && $0.value == "/1" })
        }
    }

    @Test("a redirect to a port that is none is an error", arguments: ["70000", "0", "99999999999999999999", "65536"])
    func badPort(_ port: String) async throws {
        try await WebServer.with({ _ in .redirect(302, to: "http://127.0.0.1:\(port)/") }) { server in
            let message = await failure { try await Web().values(server.url + "/") }
            #expect(message.hasPrefix("http: 127.0.0.1:\(server.port) redirects to 'http://127.0.0.1:"), "\(message)")
        }
    }

    @Test(
        "method and body stay where they must, and become a GET where custom has it",
        arguments: [
            (UInt(301), "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET"), (303, "PUT", "GET"),
            (303, "HEAD", "HEAD"), (301, "PUT", "PUT"), (302, "DELETE", "DELETE"), (307, "POST", "POST"),
            (308, "PATCH", "PATCH"),
        ])
    func methods(_ status: UInt, _ method: String, _ expected: String) throws {
        var hop = HTTPHop(url: "http://h/a", method: method, body: [1])
        hop.headers.add(name: "Content-Type", value: "text/plain")
        let next = try #require(try hop.next(status: status, location: "http://h/b"))
        #expect(next.method == expected)
        let keepsBody = expected == method && method != "GET"
        #expect((next.body != nil) == keepsBody)
        #expect(next.headers.contains(name: "Content-Type") == keepsBody)
    }

    @Test(
        "secrets go on to the same server and to no other",
        arguments: [
            ("http://h:80/b", true), ("/b", true), ("http://H/b", true), ("http://h:81/b", false),
            ("https://h/b", false), ("http://other/b", false), ("//other/b", false),
        ])
    func secrets(_ location: String, _ isKept: Bool) throws {
        var hop = HTTPHop(url: "http://h/a", method: "GET")
        for name in ["Authorization", "Cookie", "X-Other", "X-Key"] { hop.headers.add(name: name, value: "1") }
        hop.secrets = ["x-key"]
        let next = try #require(try hop.next(status: 302, location: location))
        #expect(next.headers.contains(name: "authorization") == isKept)
        #expect(next.headers.contains(name: "cookie") == isKept)
        #expect(next.headers.contains(name: "x-key") == isKept)
        #expect(next.headers.contains(name: "x-other"))
    }

    @Test("a header that is marked as secret does not go to another server")
    func markedAsSecret() async throws {
        try await WebServer.with({ .text("\($0.headers["x-key"]) \($0.headers["x-other"])") }) { other in
            try await WebServer.with({ $0.uri == "/own" ? .redirect(302, to: "/there") : .redirect(302, to: other.url) }
            ) { server in
                let headers = [("X-Key", "secret"), ("X-Other", "1")]
                let reply = try await Web().request(server.url + "/own", headers: headers, secrets: ["X-KEY"])
                #expect(reply.body == #"[] ["1"]"#)
                let message = await failure { try await Web().values(server.url, secrets: ["X Key"]) }
                #expect(message.hasPrefix("http: 'X Key' is no name of a header"), "\(message)")
            }
        }
    }

    @Test("a redirect to a server that is not allowed is an error, and is not followed")
    func notAllowed() async throws {
        try await WebServer.with({ _ in .text("there") }) { other in
            try await WebServer.with({ $0.uri == "/away" ? .redirect(302, to: other.url) : .redirect(302, to: "/away") }
            ) { server in
                let rule = try #require(HostRule("127.0.0.1:\(server.port)"))
                let web = Web(library: HTTPLibrary(hosts: [rule]))
                #expect(
                    await failure { try await web.values(server.url + "/") }
                        == "http: a redirect must not go to 127.0.0.1:\(other.port): it is not one of the hosts that"
                        + " ScriptLibraries.allow names")
                #expect(
                    await failure { try await web.values(other.url) }
                        == "http: a request must not go to 127.0.0.1:\(other.port): it is not one of the hosts that"
                        + " ScriptLibraries.allow names")
                #expect(other.openConnections == 0)
                let reply = try await web.request(server.url, redirects: 0)
                #expect(reply.status == 302)
            }
        }
    }

    @Test(
        "what is no redirect is none",
        arguments: [
            (UInt(200), "/b" as String?), (304, "/b"), (300, "/b"), (302, nil), (302, "ftp://h/"), (302, "file:///etc"),
            (302, "http+unix://x/"),
        ])
    func none(_ status: UInt, _ location: String?) throws {
        #expect(try HTTPHop(url: "http://h/a", method: "GET").next(status: status, location: location) == nil)
    }
}
