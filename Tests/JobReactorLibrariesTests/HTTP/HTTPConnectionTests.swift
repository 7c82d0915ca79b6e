import JobReactorCore
import JobReactorLua
import NIOCore
import NIOHTTP1
import Testing

@testable import JobReactorLibraries

/// Connections: how many, how long one waits for one, and what their loss costs.
@Suite(.serialized, .timeLimit(.minutes(5))) struct HTTPConnectionTests {
    private static let there = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthere"

    /// Answers each request by its number on its connection; the bytes of its body say nothing.
    private func talk(
        _ answer: @escaping @Sendable (_ connection: Int, _ request: Int) -> RawAnswer
    ) -> (talk: RawServer.Talk, requests: Locked<Int>) {
        let known = Locked<[Int: Int]>([:])
        let requests = Locked(0)
        let talk: RawServer.Talk = { bytes, connection, _ in
            guard ["GET ", "POST", "DELE", "PUT "].contains(String(decoding: bytes.prefix(4), as: UTF8.self)) else {
                return RawAnswer([], .open)
            }
            requests.withLock { $0 += 1 }
            let before = known.withLock { known in
                known[connection, default: 0] += 1
                return (known[connection] ?? 1) - 1
            }
            return answer(connection, before)
        }
        return (talk, requests)
    }

    private func url(_ server: RawServer) -> String { "http://127.0.0.1:\(server.port)/" }

    @Test(
        "a hundred requests to one server at once, each of a second, are all answered, each by a connection of its own")
    func many() async throws {
        let talk: RawServer.Talk = { _, _, _ in RawAnswer(Self.there, .open, delay: .seconds(1)) }
        try await RawServer.with(talk) { server in
            let (web, url) = (Web(library: HTTPLibrary()), url(server))
            try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<100 { group.addTask { try await web.request(url).body } }
                for try await body in group { #expect(body == "there") }
            }
            #expect(server.connections > 8)
        }
    }

    @Test("its time begins with its turn; one whose turn does not come is an error that says what to do")
    func wait() async throws {
        try await WebServer.with({ $0.uri == "/silence" ? .silence : .text("there") }) { server in
            let library = HTTPLibrary(connections: 1, wait: 0.2)
            let (first, cancel) = try Web(library: library).start(server.url + "/silence")
            await eventually { server.openConnections == 1 }
            #expect(
                await failure { try await Web(library: library).values(server.url, timeout: 0.001) }
                    == "http: as many requests to 127.0.0.1:\(server.port) are under way as may be at once, and none had ended"
                    + " after 0.2 s: allow more with ScriptLibraries.limit(connections:), or a longer wait with"
                    + " ScriptLibraries.limit(wait:)")
            library.limit(connections: 1, wait: 60)
            async let second = Web(library: library).request(server.url, timeout: 30)
            cancel()
            await #expect(throws: ScriptFailure.self) { try await first.value }
            let body = try await second.body
            #expect(body == "there")
        }
    }

    @Test(
        "a connection that was kept, and is closed when the next request comes, costs no request",
        arguments: ["GET", "POST", "DELETE"])
    func stale(_ method: String) async throws {
        // Each connection answers one request, and closes at the second.
        let (talk, _) = talk { _, request in request == 0 ? RawAnswer(Self.there, .open) : RawAnswer([], .close) }
        try await RawServer.with(talk) { server in
            let web = Web(library: HTTPLibrary())
            for number in 1...5 {
                let reply = try await web.request(url(server), method: method, body: method == "POST" ? "body" : nil)
                #expect(reply.body == "there")
                #expect(server.connections == number)
            }
        }
    }

    @Test("one that is reset costs none either")
    func reset() async throws {
        let (talk, _) = talk { _, request in request == 0 ? RawAnswer(Self.there, .open) : RawAnswer([], .reset) }
        try await RawServer.with(talk) { server in
            let web = Web(library: HTTPLibrary())
            let body = String(repeating: "x", count: 4 << 20)
            _ = try await web.request(url(server))
            let reply = try await web.request(url(server), method: "POST", body: body)
            #expect(reply.body == "there")
        }
    }

    @Test(
        "when the server closes a new connection, or has begun to answer, the request is not sent again",
        arguments: [true, false])
    func notAgain(_ isNew: Bool) async throws {
        let (talk, requests) = talk { _, request in
            if isNew { return RawAnswer([], .close) }
            return request == 0 ? RawAnswer(Self.there, .open) : RawAnswer("H", .close)
        }
        try await RawServer.with(talk) { server in
            let web = Web(library: HTTPLibrary())
            if !isNew { _ = try await web.values(url(server)) }
            let message = await failure { try await web.values(url(server)) }
            #expect(message.hasPrefix("http: 127.0.0.1:\(server.port) "), "\(message)")
            #expect(requests.withLock { $0 } == (isNew ? 1 : 2))
        }
    }

    @Test("one retry and no more")
    func once() async throws {
        // The first connection serves one request; those after it none.
        let (talk, requests) = talk { connection, request in
            connection == 0 && request == 0 ? RawAnswer(Self.there, .open) : RawAnswer([], .close)
        }
        try await RawServer.with(talk) { server in
            let web = Web(library: HTTPLibrary())
            _ = try await web.values(url(server))
            let message = await failure { try await web.values(url(server)) }
            #expect(
                message
                    == "http: 127.0.0.1:\(server.port) closed the connection before its answer was complete: try again, and"
                    + " look at the log of that server")
            #expect(requests.withLock { $0 } == 3)
        }
    }

    @Test(
        "an answer that comes while the body is still being sent counts, and the connection is not used again",
        arguments: [200, 307, 413, 500], [RawAnswer.End.reset, .deaf])
    func early(_ status: Int, _ end: RawAnswer.End) async throws {
        let talk: RawServer.Talk = { _, connection, _ in
            guard connection == 0 else { return RawAnswer(Self.there, .open) }
            let close = end == .reset ? "Connection: close\r\n" : ""
            return RawAnswer("HTTP/1.1 \(status) X\r\nContent-Length: 4\r\n\(close)\r\nfull", end)
        }
        try await RawServer.with(talk) { server in
            let web = Web(library: HTTPLibrary())
            let body = String(repeating: "x", count: 8 << 20)
            let reply = try await web.request(url(server), method: "PUT", body: body, timeout: 60)
            #expect(reply.status == status && reply.body == "full")
            let next = try await web.request(url(server), timeout: 60)
            #expect(next.body == "there" && server.connections == 2)
        }
    }
}
