import Foundation
import JobReactorCore
import JobReactorTesting
import JobReactorWire
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import JobReactorCommand

/// What an HTTP port says, and to whom not.
@Suite(.timeLimit(.minutes(5))) struct HTTPPortTests {
    private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static func withPort(
        security: WireSecurity = WireSecurity(), health: ServiceHealth = ServiceHealth(),
        times: HTTPConnection.Times = HTTPConnection.Times(), patience: TimeAmount = .seconds(120),
        hanging: Bool = false, _ body: (HTTPPort) async throws -> Void
    ) async throws {
        let server = WatchedServer(
            health: {
                // Until the test ends, and longer: nobody cancels it.
                if hanging { try? await Task.sleep(for: .seconds(3600)) }
                return health
            }, setGauges: {})
        let http = try await HTTPPort(
            on: Address(host: "localhost", port: 0), security: security, logger: silent, times: times
        ) { loop in
            let pages = OperationsPages(
                of: server, PrometheusRegistry(ProgramMetrics.helps), ProgramMetrics(role: "node", version: "1"),
                HTTPLogin(security, on: loop), patience: patience, on: loop)
            return { pages.answer($0) }
        }
        do { try await body(http) } catch {
            await http.stop()
            throw error
        }
        await http.stop()
    }

    @Test func healthAndReadinessAreStatusesWithTheirReasons() async throws {
        try await Self.withPort { http in
            let (health, ready) = (
                try await HTTPPeer.get("/health", port: http.port),
                try await HTTPPeer.get("/ready?verbose", port: http.port)
            )
            #expect(health.status == 200 && health.body == "ok\n" && ready.status == 200 && ready.body == "ok\n")
            #expect(
                health.headers.contains("\r\nconnection: close") && health.headers.contains("cache-control: no-store"))
        }
        let starting = ServiceHealth(hindrances: ["it is starting"])
        try await Self.withPort(health: starting) { http in
            let (health, ready) = (
                try await HTTPPeer.get("/health", port: http.port), try await HTTPPeer.get("/ready", port: http.port)
            )
            #expect(health.status == 200 && ready.status == 503 && ready.body == "it is starting\n")
        }
        try await Self.withPort(health: ServiceHealth(faults: ["a"], hindrances: ["b"])) { http in
            let (health, ready) = (
                try await HTTPPeer.get("/health", port: http.port), try await HTTPPeer.get("/ready", port: http.port)
            )
            #expect(health.status == 503 && health.body == "a\n" && ready.status == 503 && ready.body == "a\nb\n")
        }
    }

    @Test func aServerThatDoesNotAnswerIsNotHealthyAndItsMetricsAreStillTold() async throws {
        try await Self.withPort(patience: .milliseconds(20), hanging: true) { http in
            for _ in 0..<3 {
                let health = try await HTTPPeer.get("/health", port: http.port)
                #expect(health.status == 503 && health.body.hasPrefix("its event loop has not answered within "))
            }
            let metrics = try await HTTPPeer.get("/metrics", port: http.port)
            #expect(metrics.status == 200)
        }
    }

    @Test func metricsAreTextOfPrometheusWithTheRequestsThatCame() async throws {
        try await Self.withPort { http in
            let head = try await HTTPPeer.get("/health", port: http.port, method: "HEAD")
            #expect(head.status == 200 && head.body.isEmpty && head.headers.contains("\r\ncontent-length: 3"))
            let metrics = try await HTTPPeer.get("/metrics", port: http.port)
            #expect(metrics.status == 200)
            #expect(metrics.headers.contains("content-type: text/plain; version=0.0.4; charset=utf-8"))
            #expect(metrics.body.contains("jobreactor_http_requests_total{code=\"200\",path=\"/health\"} 1\n"))
            #expect(metrics.body.contains("jobreactor_build_info{role=\"node\",version=\"1\"} 1\n"))
        }
    }

    @Test func whatThereIsNotIsToldWithItsStatus() async throws {
        try await Self.withPort { http in
            let none = try await HTTPPeer.get("/jobs", port: http.port)
            #expect(none.status == 404 && none.body == "there is no /jobs\nask for /metrics, /health or /ready\n")
            let posted = try await HTTPPeer.get(
                "/metrics", port: http.port, method: "POST", headers: ["Content-Length: 0"])
            #expect(posted.status == 405 && posted.headers.contains("\r\nallow: get, head"))
            let first = try await HTTPPeer.get("/", port: http.port)
            #expect(first.status == 200)
        }
    }

    @Test(
        "who breaks the protocol is told so, and others are served",
        arguments: [
            ("GARBAGE\r\n\r\n", "", 400), ("GET / HTTP/9.9\r\n\r\n", "", 400),
            ("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "", 400),
            ("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "", 400),
            ("*1\r\n$4\r\nPING\r\n", "", 400),
            ("GET / HTTP/1.1\r\nA: ", String(repeating: "a", count: 4096), 431),
            ("GET /", String(repeating: "a", count: 4096), 431),
            ("GET / HTTP/1.1\r\n", String(repeating: "A: b\r\n", count: 500), 431),
            ("POST / HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n", String(repeating: "x", count: 65_536), 413),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                "1000\r\n" + String(repeating: "x", count: 4096) + "\r\n", 413
            ),
        ] as [(String, String, Int)])
    func hostile(_ first: String, _ flood: String, _ status: Int) async throws {
        try await Self.withPort { http in
            let answer = try await HTTPPeer.exchange(port: http.port, first, flood: flood)
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer.prefix(200))")
            #expect(answer.contains("\(status) ") && answer.hasSuffix("\n"))
            let health = try await HTTPPeer.get("/health", port: http.port)
            #expect(health.status == 200)
            try await eventually("its connection is gone") { try await http.connectionCount() == 0 }
        }
    }

    @Test func oneRequestAConnectionAlsoWhenMoreCome() async throws {
        try await Self.withPort { http in
            let request = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let answer = try await HTTPPeer.exchange(port: http.port, String(repeating: request, count: 50))
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.split(separator: "HTTP/1.1").count == 1)
            let ended = try await HTTPPeer.exchange(port: http.port, request, endsInput: true)
            #expect(ended.hasSuffix("\r\n\r\nok\n"))
            let nothing = try await HTTPPeer.exchange(port: http.port, "GET /", endsInput: true)
            #expect(nothing.isEmpty || nothing.hasPrefix("HTTP/1.1 400 "))
        }
    }

    @Test func whoSaysNothingInTimeIsToldAndClosed() async throws {
        try await Self.withPort(times: HTTPConnection.Times(reading: .milliseconds(50))) { http in
            for text in ["", "GET /health HTTP/1.1\r\nHost: "] {
                let answer = try await HTTPPeer.exchange(port: http.port, text)
                #expect(answer.hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
            }
        }
    }

    @Test func whoDoesNotReadIsClosed() async throws {
        let asked = Locked(0)
        let large = ByteBuffer(repeating: UInt8(ascii: "x"), count: 32 << 20)
        let times = HTTPConnection.Times(
            reading: .seconds(120), sending: .milliseconds(50), lingering: .milliseconds(50))
        let http = try await HTTPPort(
            on: Address(host: "localhost", port: 0), security: WireSecurity(), logger: Self.silent, times: times
        ) { loop in
            return { _ in
                asked.withLock { $0 += 1 }
                return loop.makeSucceededFuture(HTTPAnswer(.ok, large, type: "text/plain"))
            }
        }
        var peers: [any Channel] = []
        for _ in 0..<3 {
            peers.append(try await HTTPPeer.open(port: http.port, saying: "GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        }
        try await eventually("they are gone") {
            let count = try await http.connectionCount()
            return asked.withLock { $0 } == 3 && count == 0
        }
        for peer in peers { try? await peer.close().get() }
        await http.stop()
    }

    @Test func nobodyIsKeptOutByThoseWhoStay() async throws {
        try await Self.withPort { http in
            var peers: [any Channel] = []
            for _ in 0..<2 * HTTPPort.mostConnections {
                peers.append(try await HTTPPeer.open(port: http.port, saying: "GET /"))
            }
            let health = try await HTTPPeer.get("/health", port: http.port)
            #expect(health.status == 200)
            #expect(try await http.connectionCount() <= HTTPPort.mostConnections)
            for peer in peers { try? await peer.close().get() }
        }
    }

    @Test func aPortThatIsTakenOrOpenToAllIsRefused() async throws {
        try await Self.withPort { http in
            let error = try #require(
                await #expect(throws: WireError.self) {
                    try await HTTPPort(
                        on: Address(host: "localhost", port: http.port), security: WireSecurity(), logger: Self.silent
                    ) { loop in return { _ in loop.makeSucceededFuture(.text(.ok)) } }
                })
            #expect(error.code == .listen && error.message.contains("address already in use"))
        }
        let open = await #expect(throws: WireError.self) {
            try await HTTPPort(
                on: Address(host: "0.0.0.0", port: 0), security: WireSecurity(), logger: Self.silent
            ) { loop in return { _ in loop.makeSucceededFuture(.text(.ok)) } }
        }
        #expect(open?.code == .configuration)
    }

    @Test func thePageOfLimitsSaysWhatThereIs() throws {
        let page = try #require(DocsPage.find("limits")?.markdown)
        let times = HTTPConnection.Times()
        func seconds(_ time: TimeAmount) -> Int64 { time.nanoseconds / 1_000_000_000 }
        for row in [
            "| connections of an HTTP port | \(HTTPPort.mostConnections); for one more the oldest is closed |",
            "| a request at an HTTP port | one on each connection, \(HTTPInputLimit.bytes >> 10) KiB, within "
                + "\(seconds(times.reading)) s; the client must read the answer within \(seconds(times.sending)) s |",
            "| passwords that wait to be checked at an HTTP port | \(HTTPLogin.mostWaiting): 429 |",
        ] { #expect(page.contains(row), "\(row)") }
    }

    // MARK: Passwords

    private struct Users: UserDirectory {
        static let all = [
            "ann": User(name: "ann", roles: [.viewer]), "bob": User(name: "bob", roles: [.producer]),
        ]

        func check(_ name: String, _ password: [UInt8], done: @escaping @Sendable (User?) -> Void) {
            done(password == Array("secret".utf8) ? Self.all[name] : nil)
        }

        func look(since state: Int, done: @escaping @Sendable (_ users: [String: User], _ state: Int) -> Void) {
            done(Self.all, state)
        }
    }

    private static func basic(_ text: String) -> [String] {
        ["Authorization: Basic \(Data(text.utf8).base64EncodedString())"]
    }

    @Test func metricsAskForThePasswordAndHealthDoesNot() async throws {
        let security = WireSecurity(password: Password("open sesame"), users: Users())
        try await Self.withPort(security: security) { http in
            for (headers, status) in [
                ([], 401), (["Authorization: Bearer abc"], 401), (["Authorization: Basic ???"], 401),
                (Self.basic("no colon"), 401), (Self.basic("default:open says me"), 401),
                (Self.basic("default:open sesame"), 200), (Self.basic(":open sesame"), 200),
                (Self.basic("ann:open sesame"), 401), (Self.basic("ann:secret"), 200), (Self.basic("bob:secret"), 403),
                (Self.basic("eve:secret"), 401),
            ] as [([String], Int)] {
                let answer = try await HTTPPeer.get("/metrics", port: http.port, headers: headers)
                #expect(answer.status == status, "\(headers)")
                #expect(answer.headers.contains("www-authenticate: basic realm=") == (status == 401))
                #expect(answer.body.contains("jobreactor_build_info") == (status == 200))
            }
            let health = try await HTTPPeer.get("/health", port: http.port)
            #expect(health.status == 200)
        }
    }
}
