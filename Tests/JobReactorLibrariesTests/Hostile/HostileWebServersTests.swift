import Foundation
import JobReactorLua
import NIOHTTP1
import Testing

@testable import JobReactorLibraries

/// Answers of HTTP that are none, or that no client should take: each request ends, and the next one to a good server is answered.
@Suite("Hostile web servers", .serialized, .timeLimit(.minutes(10))) struct HostileWebServersTests {
    private static let good = Array("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello".utf8)
    private static let chunked = Array(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-T: u\r\n\r\n".utf8
    )
    private static let compressed: [UInt8] = {
        let body = Base64Text.bytes(Base64Text.plain)
        let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(body.count)\r\n\r\n"
        return Array(head.utf8) + body
    }()
    private static let redirect = Array("HTTP/1.1 302 Found\r\nLocation: /next?a=b\r\nContent-Length: 0\r\n\r\n".utf8)

    private static let texts: [String] = [
        "", "\r\n", "H", "HTTP/1.1", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\nContent-Encoding: gzip\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 099 X\r\n\r\n",
        "HTTP/1.1 000 X\r\n\r\n",
        "HTTP/1.1 1 X\r\n\r\n", "HTTP/1.1 1000 X\r\n\r\n", "HTTP/1.1 -20 X\r\n\r\n", "HTTP/1.1 999 X\r\n\r\n",
        "HTTP/1.1 600 X\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\ngarbage",
        "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 304 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/0.9 200 OK\r\n\r\n",
        "HTTP/1.9 200 OK\r\n\r\nhello", "ICY 200 OK\r\n\r\nhello", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
        "HTTP/1.1  200  OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\n: empty\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX\0Y: z\0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nx",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloworld",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nno gzip",
        "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nagarbage",
        "SSH-2.0-OpenSSH\r\n", "* OK IMAP4\r\n", "+PONG\r\n", "\u{16}\u{3}\u{1}\0",
    ]

    private static let locations: [String] = [
        "", "/", "//", "///", "?", "#", "http://", "http:///x", "http://127.0.0.1:99999/", "http://127.0.0.1:0/",
        "http://[::1", "ht tp://x/",
        "http://a b/", "http://\u{FF}/", "http://a%00b/", "file:///etc/passwd", "redis://127.0.0.1:1", "javascript:1",
        "http://@/", "http://:80/",
        "%", "..", "../../../..", "\u{1}", "ä", String(repeating: "a/", count: 3000),
        "http://127.0.0.1:" + String(repeating: "1", count: 5000),
    ]

    private static let large: [String] = [
        "HTTP/1.1 200 OK\r\nX: " + String(repeating: "a", count: 90_000) + "\r\n\r\n",
        "HTTP/1.1 200 OK\r\n" + String(repeating: "X: a\r\n", count: 2000) + "\r\n",
        String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 500)
            + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + String(repeating: "X: a\r\n", count: 1000)
            + "\r\n",
    ]

    /// Each in pieces.
    private static let answers: [[[UInt8]]] = {
        let whole =
            texts + large + locations.map { "HTTP/1.1 302 Found\r\nLocation: \($0)\r\nContent-Length: 0\r\n\r\n" }
        let dripped = [good, chunked, compressed, redirect].map { bytes in bytes.map { [$0] } }
        return whole.map { [Array($0.utf8)] } + dripped
    }()

    private static let requests: [(method: String, body: String?)] = [
        ("GET", nil), ("POST", "body"), ("GET", nil), ("HEAD", nil), ("GET", nil),
    ]

    /// As many as there are answers, each asked for by its number, with the server closing afterwards or not.
    private func ask(for answers: [[[UInt8]]], _ end: RawAnswer.End, timeout: Double) async throws {
        let talk: RawServer.Talk = { bytes, _, _ in
            let words = String(decoding: bytes.prefix(100), as: UTF8.self).split(separator: " ")
            guard words.count > 1, let number = Int(words[1].dropFirst()), answers.indices.contains(number) else {
                return RawAnswer([Self.good], .close)
            }
            return RawAnswer(answers[number], end)
        }
        try await RawServer.with(talk) { server in
            let web = Web(library: HTTPLibrary())
            let url = "http://127.0.0.1:\(server.port)"
            try await withThrowingTaskGroup(of: Void.self) { group in
                // A few at once: others test here, too.
                for first in 0..<8 {
                    group.addTask {
                        for number in stride(from: first, to: answers.count, by: 8) {
                            let (method, body) = Self.requests[number % Self.requests.count]
                            do {
                                _ = try await web.values(
                                    "\(url)/\(number)", method: method, body: body, timeout: timeout)
                            } catch {
                                let message = "\(error)"
                                #expect(message.hasPrefix("http: "), "\(number): \(message)")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let reply = try await web.request(url + "/good")
            #expect(reply.body == "hello")
        }
    }

    @Test("that say what they should not, and close") func closing() async throws {
        try await ask(for: Self.answers, .close, timeout: 60)
    }

    @Test("that say what they should not, and keep the connection") func open() async throws {
        try await ask(for: Self.answers, .open, timeout: 0.3)
    }

    @Test("whose answers are damaged on the way", arguments: [1, 2] as [UInt64]) func damaged(_ seed: UInt64)
        async throws
    {
        var values = HostileValues(seed: seed)
        let answers = (0..<50).flatMap { _ in
            [Self.good, Self.chunked, Self.compressed, Self.redirect].map { [values.damage($0)] }
        }
        try await ask(for: answers, .close, timeout: 60)
    }

    @Test("that answer before they are asked", arguments: 0..<5)
    func early(_ number: Int) async throws {
        let continues = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
        let greeting = [Self.good, Self.chunked, continues, [0], Self.compressed + Self.good][number]
        try await RawServer.with(greeting: greeting, { _, _, _ in RawAnswer([Self.good], .close) }) { server in
            let web = Web(library: HTTPLibrary())
            for _ in 0..<20 { _ = try? await web.values("http://127.0.0.1:\(server.port)/", timeout: 20) }
        }
        try await WebServer.with({ _ in .text("there") }) { server in
            let reply = try await Web().request(server.url)
            #expect(reply.body == "there")
        }
    }

    @Test(
        "a body in a coding that nobody asked for is an error, and none",
        arguments: [
            "gzip", "chunked, chunked", "gzip, chunked", "chunked, gzip", "deflate", "x",
            "chunked\r\nTransfer-Encoding: chunked",
        ])
    func transferCodings(_ coding: String) async throws {
        let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: \(coding)\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        try await RawServer.with(Array(answer.utf8), closes: true) { server in
            let message = await failure { try await Web().values("http://127.0.0.1:\(server.port)/") }
            #expect(message.hasPrefix("http: 127.0.0.1:\(server.port) "), "\(message)")
            if coding == "gzip" { #expect(message.contains("Transfer-Encoding 'gzip'"), "\(message)") }
        }
    }
}
