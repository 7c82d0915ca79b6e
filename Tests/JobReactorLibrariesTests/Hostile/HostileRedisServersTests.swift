import JobReactorLua
import JobReactorRedis
import Testing

@testable import JobReactorLibraries

/// Replies of Redis that are none: each call ends, with a value or an error with words.
@Suite("Hostile Redis servers", .serialized, .timeLimit(.minutes(10))) struct HostileRedisServersTests {
    private static let good: [[UInt8]] = [
        "+OK\r\n", "-ERR no\r\n", ":-12\r\n", "$5\r\nhello\r\n", "$0\r\n\r\n", "$-1\r\n", "*-1\r\n", "*0\r\n",
        "*3\r\n$1\r\na\r\n:7\r\n*2\r\n$-1\r\n-ERR x\r\n", "*2\r\n*1\r\n*1\r\n*1\r\n:1\r\n+y\r\n",
    ].map { Array($0.utf8) }

    private static let texts: [String] = [
        "", "\r\n", "$", "$5\r\nhel", "$-2\r\n", "$-99999999999999999999\r\n", "$99999999999\r\n", "$1e3\r\n",
        "$ 5\r\nhello\r\n", "$5\r\nhelloworld",
        "*2147483648\r\n", "*1000001\r\n", "*4294967296\r\n", "*-2\r\n", "*99999999999999999999\r\n", "*\r\n", ":\r\n",
        ":abc\r\n", ":1.5\r\n",
        ":99999999999999999999\r\n", ":-9223372036854775808\r\n", ":9223372036854775807\r\n", "+\r\n", "-\r\n",
        "+\u{FF}\0\r\n", ",1.5\r\n", "#t\r\n",
        "%1\r\n+a\r\n:1\r\n", "~1\r\n+a\r\n", ">1\r\n+a\r\n", "_\r\n", "(123\r\n", "=5\r\ntxt:a\r\n",
        "*2\r\n,1.5\r\n:1\r\n", "*2\r\n_\r\n:1\r\n", "HTTP/1.1 200 OK\r\n\r\n", "\u{16}\u{3}\u{1}",
        "+OK\r\n+OK\r\n:1\r\n*1\r\n$1\r\na\r\n", "*3\r\n:1\r\n", "$3\r\na\r\nb\r\n",
    ]

    private static let large: [String] = [
        String(repeating: "*1\r\n", count: 1000) + ":1\r\n",
        "*10000\r\n" + String(repeating: ":1\r\n", count: 10_000),
        "+" + String(repeating: "a", count: 200_000) + "\r\n", "+" + String(repeating: "a", count: 200_000),
    ]

    private static let bad: [[UInt8]] = (texts + large).map { Array($0.utf8) }

    /// Each reply answers a command over a connection of its own.
    private func ask(for replies: [[UInt8]], _ end: RawAnswer.End) async throws {
        let talk: RawServer.Talk = { bytes, _, before in
            guard before == 0 else { return RawAnswer([], .open) }
            // SELECT comes with the number of the reply, then PING.
            let words = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
            let number = words.firstIndex(of: "SELECT").flatMap { words.count > $0 + 2 ? Int(words[$0 + 2]) : nil } ?? 1
            return RawAnswer([Array("+OK\r\n+PONG\r\n".utf8) + replies[number - 1]], end)
        }
        var options = RedisPipeline.Options()
        options.silence = 0.5
        try await RawServer.with(talk) { server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                // A few at once: others test here, too.
                for first in 0..<8 {
                    group.addTask { [options] in
                        for number in stride(from: first, to: replies.count, by: 8) {
                            let caller = Caller(library: RedisLibrary(options: options))
                            let url = "redis://127.0.0.1:\(server.port)/\(number + 1)"
                            let handle = try await caller.call("connect", .string(url))[0]
                            do {
                                _ = try await caller.call("call", handle, .string("GET"), .string("k"))
                            } catch {
                                let message = "\(error)"
                                #expect(message.hasPrefix("redis: "), "\(number): \(message)")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("that say what is no reply, and close") func closing() async throws { try await ask(for: Self.bad, .close) }

    @Test("that say what is no reply, and nothing more") func open() async throws {
        try await ask(for: Self.bad, .open)
    }

    @Test("whose replies are damaged on the way", arguments: [1, 2] as [UInt64]) func damaged(_ seed: UInt64)
        async throws
    {
        var values = HostileValues(seed: seed)
        try await ask(for: (0..<15).flatMap { _ in Self.good.map { values.damage($0) } }, .close)
    }

    @Test("whose replies are good") func fine() async throws { try await ask(for: Self.good, .close) }
}
