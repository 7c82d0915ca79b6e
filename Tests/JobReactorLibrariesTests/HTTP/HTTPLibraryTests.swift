import Foundation
import JobReactorCore
import JobReactorLua
import JobReactorTesting
import NIOHTTP1
import Testing

@testable import JobReactorLibraries

@Suite(.timeLimit(.minutes(5))) struct HTTPLibraryTests {
    @Test("a request has its method, headers and body; the answer has its status, headers, body and URL")
    func request() async throws {
        let answer: @Sendable (WebRequest) -> WebAnswer = { request in
            .text(
                "\(request.method) \(request.uri) \(request.headers["x-a"]) \(request.text)",
                status: .imATeapot, headers: ["X-B": "1", "x-b": "2"])
        }
        try await WebServer.with(answer) { server in
            let reply = try await Web().request(
                server.url + "/a?b=c", method: "PUT", headers: [("X-A", "1"), ("X-A", "2")], body: "body")
            #expect(reply.status == 418)
            #expect(reply.url == server.url + "/a?b=c")
            #expect(reply.body == #"PUT /a?b=c ["1", "2"] body"#)
            #expect(reply.size == reply.body?.utf8.count)
            #expect(reply.headers.filter { $0.name == "x-b" }.map(\.value) == ["1", "2"])
        }
    }

    @Test("a body in chunks is put together")
    func chunks() async throws {
        let chunks = (0..<100).map { [UInt8](repeating: UInt8($0), count: 1000) }
        try await WebServer.with({ _ in WebAnswer(chunks: chunks) }) { server in
            let values = try await Web().values(server.url)
            #expect(values[3] == .string(chunks.flatMap { $0 }))
        }
    }

    @Test("requests that are under way at once are each answered with their own")
    func many() async throws {
        try await WebServer.with({ .text($0.uri) }) { server in
            let web = Web()
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<100 {
                    group.addTask { try await web.request(server.url + "/\(number)").body == "/\(number)" }
                }
                for try await isRight in group { #expect(isRight) }
            }
        }
    }

    @Test("a compressed body is decompressed; one that would grow without measure is an error")
    func compression() async throws {
        let plain = String(repeating: "JobReactor ", count: 30)
        // gzip of that text.
        let answer: @Sendable (WebRequest) -> WebAnswer = { request in
            let isAccepted = request.headers["accept-encoding"].joined().contains("gzip")
            let body = Base64Text.bytes(request.uri == "/bomb" ? Base64Text.bomb : Base64Text.plain)
            return WebAnswer(
                headers: [
                    "Content-Encoding": "gzip", "X-Accepted": "\(isAccepted)", "Content-Length": "\(body.count)",
                ],
                chunks: [body])
        }
        try await WebServer.with(answer) { server in
            let reply = try await Web().request(server.url)
            #expect(reply.body == plain)
            #expect(reply.headers.contains { $0.name == "x-accepted" && $0.value == "true" })
            let message = await failure { try await Web().values(server.url + "/bomb") }
            #expect(
                message
                    == "http: the compressed body that 127.0.0.1:\(server.port) sends would grow more than 200 times:"
                    + " ask for it uncompressed with headers = { ['accept-encoding'] = 'identity' }")
        }
    }

    @Test("a user and a password in the URL become a header, and do not stay in the URL")
    func login() async throws {
        try await WebServer.with({ .text($0.headers["authorization"].joined()) }) { server in
            let reply = try await Web().request("http://ada:se%40cret@127.0.0.1:\(server.port)/x")
            #expect(reply.body == "Basic YWRhOnNlQGNyZXQ=")
            #expect(reply.url == server.url + "/x")
        }
    }

    @Test("an answer that takes too long is an error, before its head and within its body")
    func timeout() async throws {
        let answer: @Sendable (WebRequest) -> WebAnswer = { request in
            request.uri == "/half" ? WebAnswer(chunks: [[1]], end: .silence) : .silence
        }
        try await WebServer.with(answer) { server in
            for path in ["/none", "/half"] {
                let message = await failure { try await Web().values(server.url + path, timeout: 0.2) }
                #expect(
                    message
                        == "http: 127.0.0.1:\(server.port) gave no complete answer within 0.2 s: check that it is up,"
                        + " or give it more time with timeout = seconds")
            }
        }
    }

    @Test("a body over the limit is an error that names it, announced or not; one at the limit is not")
    func tooLarge() async throws {
        let answer: @Sendable (WebRequest) -> WebAnswer = { request in
            let body = [UInt8](repeating: 120, count: 1000)
            return WebAnswer(headers: request.uri == "/announced" ? ["Content-Length": "1000"] : [:], chunks: [body])
        }
        try await WebServer.with(answer) { server in
            for path in ["/announced", "/chunked"] {
                let message = await failure { try await Web().values(server.url + path, maximumBytes: 999) }
                #expect(
                    message
                        == "http: the body that 127.0.0.1:\(server.port) sends is larger than the limit of 999 bytes:"
                        + " raise it with max_bytes = bytes, or save the body with file = path")
                #expect(try await Web().request(server.url + path, maximumBytes: 1000).size == 1000)
            }
            // An announcement that nothing follows.
            let head = try await Web().request(server.url + "/announced", method: "HEAD", maximumBytes: 1)
            #expect(head.status == 200 && head.size == 0)
        }
    }

    @Test("a server that breaks off half way is an error")
    func brokenOff() async throws {
        let answer: @Sendable (WebRequest) -> WebAnswer = { request in
            WebAnswer(
                headers: request.uri == "/announced" ? ["Content-Length": "1000"] : [:], chunks: [[1]], end: .brokenOff)
        }
        try await WebServer.with(answer) { server in
            for path in ["/announced", "/chunked"] {
                let message = await failure { try await Web().values(server.url + path) }
                #expect(message.hasPrefix("http: 127.0.0.1:\(server.port) "), "\(message)")
                #expect(message.contains("log of that server"), "\(message)")
            }
        }
    }

    @Test("cancelling the job ends the request")
    func cancelling() async throws {
        try await WebServer.with({ _ in WebAnswer(chunks: [[1]], end: .silence) }) { server in
            let library = HTTPLibrary()
            let (result, cancel) = try Web(library: library).start(server.url)
            await eventually { server.openConnections == 1 }
            cancel()
            await #expect(
                throws: ScriptFailure("http: the request to 127.0.0.1:\(server.port) was ended: the job was cancelled")
            ) { try await result.value }
            await eventually { server.openConnections == 0 }
            await library.shutdown()
        }
    }

    @Test("where nobody listens, and a name that nobody has, are errors that say what to check")
    func unreachable() async throws {
        let port = try RedisServer.freePort()
        #expect(
            await failure { try await Web().values("http://127.0.0.1:\(port)/") }
                == "http: cannot connect to 127.0.0.1:\(port): connection refused: check that a server runs there and that"
                + " the port is right")
        let message = await failure { try await Web().values("http://no-such-host.invalid/") }
        #expect(message.hasPrefix("http: no such host: no-such-host.invalid: check the name"), "\(message)")
    }

    @Test(
        "what is no URL of the web is an error",
        arguments: [
            "", "x", "/a", "ftp://host/", "file:///etc/passwd", "http+unix://%2Ftmp%2Fs/", "http://", "http:///a",
        ])
    func noURL(_ url: String) async {
        let message = await failure { try await Web().values(url) }
        #expect(message.hasPrefix("http: '\(url)' is no URL: write http://host/path"), "\(message)")
    }

    @Test("a port that is none is an error", arguments: ["70000", "0", "65536", "99999999999999999999", "-1"])
    func badPort(_ port: String) async {
        let message = await failure { try await Web().values("http://127.0.0.1:\(port)/") }
        #expect(message.hasPrefix("http: 'http://127.0.0.1:\(port)/' is no URL: "), "\(message)")
    }

    @Test("an answer with a status that is none is an error", arguments: ["000", "001", "099"])
    func badStatus(_ status: String) async throws {
        for end in ["", "Content-Length: 0\r\n"] {
            try await RawServer.with(Array("HTTP/1.1 \(status) X\r\n\(end)\r\n".utf8), closes: true) { server in
                let message = await failure { try await Web().values("http://127.0.0.1:\(server.port)/") }
                #expect(message.contains("answers with the status \(Int(status) ?? 0), which is none"), "\(message)")
            }
        }
    }

    @Test("more requests to one server than may be made at once wait for their turn, and none is refused for that")
    func turns() async throws {
        let (most, now) = (Locked(0), Locked(0))
        let answer: @Sendable (WebRequest) -> WebAnswer = { _ in
            let count = now.withLock { now in
                now += 1
                return now
            }
            most.withLock { $0 = max($0, count) }
            now.withLock { $0 -= 1 }
            return .text("there")
        }
        try await WebServer.with(answer) { server in
            let web = Web(library: HTTPLibrary(connections: 3))
            try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<60 { group.addTask { try await web.request(server.url + "/").body } }
                for try await body in group { #expect(body == "there") }
            }
            #expect((1...3).contains(most.withLock { $0 }))
        }
    }

    @Test(
        "a value that no header can have is an error that says so, and is not sent",
        arguments: ["1\r\nX-B: 2", "\n", "\r", "a\0b", "\u{7F}", "\u{1B}[1m"])
    func headerInjection(_ value: String) async throws {
        try await WebServer.with({ _ in .text("") }) { server in
            let message = await failure { try await Web().values(server.url, headers: [("X-A", value)]) }
            #expect(
                message
                    == "http: the value of the header 'X-A' must be text of UTF-8 without line ends and other controls")
        }
    }

    @Test("bounds that are none are errors that say what the bounds are")
    func bounds() async {
        let url = "http://127.0.0.1:1/"
        for timeout in [0, -1, .nan, .infinity, 86_400.5] as [Double] {
            #expect(
                await failure { try await Web().values(url, timeout: timeout) }
                    == "http: the timeout must be more than 0 and at most 86400 seconds")
        }
        for redirects in [-1, 101, .max] as [Int] {
            #expect(
                await failure { try await Web().values(url, redirects: redirects) }
                    == "http: redirects must be 0 to 100")
        }
        #expect(
            await failure { try await Web().values(url, maximumBytes: -1) } == "http: max_bytes must not be negative")
        #expect(
            await failure { try await Web().values(url, method: "CONNECT") }
                == "http: CONNECT is for proxies, and no request")
        let long = url + String(repeating: "a", count: HTTPAddress.longest)
        #expect(await failure { try await Web().values(long) }.hasSuffix(" is no URL: it is longer than 65536 bytes"))
        let headers = [("X-A", String(repeating: "a", count: 1 << 20))]
        #expect(
            await failure { try await Web().values(url, headers: headers) }
                == "http: the headers have more than 1048576 bytes")
    }

    @Test(
        "a host that no URL can have is an error",
        arguments: ["a%00b", "a b", "ä.example", "[::1", "[::1%25eth0]", "a\\b"])
    func badHost(_ host: String) async {
        let message = await failure { try await Web().values("http://\(host)/") }
        #expect(message.hasPrefix("http: 'http://\(host)/' is no URL: a host is an IP address"), "\(message)")
    }

    @Test("a query that is encoded is sent as it is, and what is not is encoded")
    func query() async throws {
        try await WebServer.with({ .text($0.uri) }) { server in
            for (asked, sent) in [
                ("/?a=%20b", "/?a=%20b"), ("/?a=%20b&c=d e", "/?a=%20b&c=d%20e"), ("/a%2Fb?c=%26|", "/a%2Fb?c=%26%7C"),
                ("?x", "/?x"), ("/ä?%zz#no", "/%C3%A4?%25zz"),
            ] {
                let reply = try await Web().request(server.url + asked)
                #expect(reply.body == sent)
            }
        }
    }

    @Test("the answer to a HEAD that announces a compressed body has none")
    func compressedHead() async throws {
        try await WebServer.with({ _ in WebAnswer(headers: ["Content-Encoding": "gzip", "Content-Length": "100"]) }) {
            server in
            let reply = try await Web().request(server.url, method: "HEAD")
            #expect(reply.status == 200 && reply.size == 0)
        }
    }

    @Test(
        "a name that no header can have, or a method that is none, is an error and ends nothing else",
        arguments: ["é", "\u{FF}", "a b", "", "a:b", "a\r\nb", "\0", "X-A\t"])
    func noName(_ name: String) async throws {
        try await WebServer.with({ _ in .text("") }) { server in
            let header = await failure { try await Web().values(server.url, headers: [(name, "1")]) }
            #expect(header.hasPrefix("http: '\(name)' is no name of a header"), "\(header)")
            let method = await failure { try await Web().values(server.url, method: name) }
            #expect(method.hasPrefix("http: '\(name)' is no method"), "\(method)")
            let status = try await Web().request(server.url).status
            #expect(status == 200)
        }
    }

    @Test("after the shutdown there are no requests, and those under way end")
    func shutdown() async throws {
        try await WebServer.with({ _ in .silence }) { server in
            let library = HTTPLibrary()
            let (result, _) = try Web(library: library).start(server.url)
            await eventually { server.openConnections == 1 }
            await library.shutdown()
            await #expect(throws: ScriptFailure.self) { try await result.value }
            #expect(
                await failure { try await Web(library: library).values(server.url) }
                    == "http: no requests any more: this process is stopping")
        }
    }

    @Test("a heartbeat asks for its URL without a body; a status of failure and a forbidden server are errors")
    func heartbeat() async throws {
        let asked = Locked<[String]>([])
        let answer: @Sendable (WebRequest) -> WebAnswer = { request in
            asked.withLock { $0.append("\(request.method) \(request.uri)") }
            return switch request.uri {
            case "/moved": .redirect(302, to: "/alive")
            case "/alive": .text("")
            default: .text("", status: .notFound)
            }
        }
        try await WebServer.with(answer) { server in
            let library = HTTPLibrary()
            try await library.head(server.url + "/moved")
            #expect(asked.withLock { $0 } == ["HEAD /moved", "HEAD /alive"])
            let missing = await #expect(throws: ScriptFailure.self) {
                try await library.head(server.url + "/gone")
            }
            #expect(missing?.message == "http: 127.0.0.1:\(server.port) answers with the status 404")
            library.allow([try #require(HostRule("example.com"))])
            await #expect(throws: ScriptFailure.self) { try await library.head(server.url + "/alive") }
            #expect(asked.withLock { $0 }.count == 3)
        }
    }
}
