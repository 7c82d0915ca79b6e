import JobReactor
import JobReactorCore
import JobReactorWire
import Logging
import NIOCore
import NIOHTTP1
import Testing

@testable import JobReactorCommand
@testable import JobReactorDashboard

/// The dashboard at the port of a distributor, by real requests.
@Suite(.timeLimit(.minutes(10))) struct DashboardPortTests {
    private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static func withPort(
        _ security: WireSecurity = WireSecurity(), _ body: (Distributor, HTTPPort) async throws -> Void
    ) async throws {
        let distributor = Distributor(
            DistributorConfiguration(host: "localhost", port: 0, security: security, grace: 1, logger: silent))
        let http = try await HTTPPort(
            on: Address(host: "localhost", port: 0), security: security, logger: silent
        ) { loop in
            let login = HTTPLogin(security, on: loop)
            let dashboard = DashboardPort(
                Dashboard(
                    DistributorSource(distributor: distributor), LoginGate(login, security, on: loop), isSecure: false),
                on: loop)
            let pages = OperationsPages(
                of: WatchedServer(health: { await distributor.health() }, setGauges: {}),
                PrometheusRegistry(ProgramMetrics.helps), ProgramMetrics(role: "distributor", version: "1"), login,
                dashboard: dashboard, on: loop)
            return { pages.answer($0) }
        }
        do {
            let early = try await get("/", http)
            #expect(early.status == (security.users == nil ? 503 : 303))
            try await distributor.start()
            try await body(distributor, http)
        } catch {
            await http.stop()
            await distributor.stop(grace: 0)
            throw error
        }
        await http.stop()
        await distributor.stop(grace: 0)
    }

    private static func get(
        _ place: String, _ http: HTTPPort, cookie: String? = nil
    ) async throws -> (status: Int, headers: String, body: String) {
        try await HTTPPeer.get(
            place, port: http.port, host: "localhost:\(http.port)", headers: cookie.map { ["Cookie: \($0)"] } ?? [])
    }

    private static func post(
        _ place: String, _ form: String, _ http: HTTPPort, cookie: String? = nil
    ) async throws -> (status: Int, headers: String, body: String) {
        let headers = [
            "Content-Type: application/x-www-form-urlencoded", "Content-Length: \(form.utf8.count)",
        ]
        return try await HTTPPeer.get(
            place, port: http.port, method: "POST", host: "localhost:\(http.port)",
            headers: headers + (cookie.map { ["Cookie: \($0)"] } ?? []),
            body: form)
    }

    /// What a browser would send back; headers are in small letters here, and cookies are not.
    private static func cookie(_ answer: String) throws -> String {
        String(try #require(answer.firstMatch(of: /[Ss]et-[Cc]ookie: ([^;]+);/)).1)
    }

    private static func mark(_ page: String) throws -> String {
        String(try #require(page.firstMatch(of: /name="csrf" value="([^"]+)"/)).1)
    }

    /// The whole answer, with its headers as they came.
    private static func raw(_ place: String, _ http: HTTPPort, form: String? = nil) async throws -> String {
        let body = form.map { "Content-Length: \($0.utf8.count)\r\n\r\n\($0)" } ?? "\r\n"
        return try await HTTPPeer.exchange(
            port: http.port,
            "\(form == nil ? "GET" : "POST") \(place) HTTP/1.1\r\nHost: localhost:\(http.port)\r\n\(body)")
    }

    @Test("who is at the machine sees the jobs of the distributor, and changes them") func open() async throws {
        try await Self.withPort { distributor, http in
            let id = try distributor.enqueue("resize", ["user": 7])
            try await distributor.flush()
            let first = try await Self.raw("/jobs", http)
            #expect(first.hasPrefix("HTTP/1.1 200 OK\r\n") && first.contains("/jobs/\(id)"))
            #expect(first.contains("no node is connected"))
            let cookie = try Self.cookie(first)
            let page = try await Self.get("/names", http, cookie: cookie)
            #expect(page.headers.contains("content-security-policy: default-src 'none'"))
            let mark = try Self.mark(page.body)
            #expect(try await Self.post("/names/pause?name=resize", "csrf=x", http, cookie: cookie).status == 403)
            #expect(try await Self.post("/names/pause?name=resize", "csrf=\(mark)", http).status == 403)
            let paused = try await Self.post("/names/pause?name=resize", "csrf=\(mark)", http, cookie: cookie)
            #expect(paused.status == 303 && paused.headers.contains("location: /names?notice="))
            let many = try await Self.post("/jobs/change?order=cancel&count=1", "csrf=\(mark)", http, cookie: cookie)
            #expect(many.status == 303)
            let client = try await RESPClient.connect(
                to: Address(host: "localhost", port: try #require(distributor.port)))
            let pauses = try await client.send(["PAUSES"]).elements ?? []
            #expect(pauses.count == 1)
            #expect(try await client.send(["JOB", id.description]) == .null)
            let audit = "\(try await client.send(["AUDIT"]).elements?.map { $0.elements?.map(\.text) } ?? [])"
            #expect(audit.contains("the job resize is paused") && audit.contains("1 job is cancelled"))
            #expect(audit.contains("127.0.0.1:") || audit.contains("[::1]:"))
            await client.close()
            // The other paths are what they are.
            #expect(try await Self.get("/health", http).body == "ok\n")
            #expect(try await Self.get("/metrics", http).body.contains("path=\"dashboard\""))
            #expect(try await Self.get("/none", http).status == 404)
            let put = try await HTTPPeer.get("/jobs", port: http.port, method: "PUT", headers: ["Content-Length: 0"])
            #expect(put.status == 405)
        }
    }

    private struct Users: UserDirectory {
        static let all = [
            "vic": User(name: "vic", roles: [.viewer], secret: "a"),
            "olga": User(name: "olga", roles: [.viewer, .operator], secret: "b"),
        ]

        func check(_ name: String, _ password: [UInt8], done: @escaping @Sendable (User?) -> Void) {
            done(password == Array("secret".utf8) ? Self.all[name] : nil)
        }

        func look(since state: Int, done: @escaping @Sendable (_ users: [String: User], _ state: Int) -> Void) {
            done(Self.all, state)
        }
    }

    @Test("users log in, and do what their roles allow") func users() async throws {
        let security = WireSecurity(password: Password("open sesame"), users: Users(), hidesArgs: true)
        try await Self.withPort(security) { distributor, http in
            let id = try distributor.enqueue("resize", ["secret": "xyzzy"])
            try await distributor.flush()
            let stranger = try await Self.get("/jobs/\(id)", http)
            #expect(stranger.status == 303 && stranger.headers.contains("location: /login?next=%2fjobs%2f"))
            #expect(try await Self.post("/login", "user=vic&password=wrong", http).status == 403)
            var cookies: [String: String] = [:]
            for form in ["user=vic&password=secret", "user=olga&password=secret", "user=&password=open+sesame"] {
                let answer = try await Self.raw("/login", http, form: form)
                #expect(answer.hasPrefix("HTTP/1.1 303 ") && answer.contains("HttpOnly; SameSite=Strict"))
                cookies[form] = try Self.cookie(answer)
            }
            for (form, cookie) in cookies {
                let isViewer = form.hasPrefix("user=vic")
                let page = try await Self.get("/jobs/\(id)", http, cookie: cookie)
                #expect(page.status == 200 && page.body.contains("xyzzy") == !isViewer)
                #expect(page.body.contains("/jobs/\(id)/cancel") == !isViewer)
                let mark = try Self.mark(page.body)
                let paused = try await Self.post("/names/pause?name=resize", "csrf=\(mark)", http, cookie: cookie)
                #expect(paused.status == (isViewer ? 403 : 303))
            }
            // Who has the password for the metrics does not act with it.
            let basic = try await HTTPPeer.get(
                "/jobs", port: http.port, headers: ["Authorization: Basic b2xnYTpzZWNyZXQ="])
            #expect(basic.status == 303)
        }
    }

    @Test("a browser that waits is told when something has changed") func events() async throws {
        try await Self.withPort { distributor, http in
            let request = "GET /events HTTP/1.1\r\nHost: localhost:\(http.port)\r\n\r\n"
            let listening = try await HTTPPeer.listen(port: http.port, request)
            try await eventually("the first event") { listening.text.contains("data: ") }
            #expect(listening.text.lowercased().contains("content-type: text/event-stream"))
            for count in 1...3 {
                let before = listening.text.matches(of: /data: (\d+)\n/).last?.1
                try distributor.enqueue("resize", ["count": .number(Double(count))])
                try await eventually("an event") { listening.text.matches(of: /data: (\d+)\n/).last?.1 != before }
            }
            var all = [listening]
            while all.count < DashboardPort.mostStreams {
                let more = try await HTTPPeer.listen(port: http.port, request)
                try await eventually("it is told") { more.text.contains("data: ") }
                all.append(more)
            }
            #expect(try await Self.get("/events", http).status == 503)
            #expect(try await Self.get("/jobs", http).status == 200)
            await all[3].close()
            try await eventually("there is a place again") {
                let next = try await HTTPPeer.listen(port: http.port, request)
                try await eventually("an answer") { next.text.contains("\r\n\r\n") }
                if next.text.hasPrefix("HTTP/1.1 200 ") { return true }
                await next.close()
                return false
            }
            for listening in all { await listening.close() }
            try await eventually("all but one are gone") { try await http.connectionCount() <= 1 }
        }
    }

    @Test func whoIsNotAnsweredIsToldSo() async throws {
        let http = try await HTTPPort(
            on: Address(host: "localhost", port: 0), security: WireSecurity(), logger: Self.silent,
            times: HTTPConnection.Times(answering: .milliseconds(50))
        ) { loop in
            let promise = loop.makePromise(of: HTTPAnswer.self)
            loop.assumeIsolated().scheduleTask(in: .seconds(3600)) { promise.succeed(.text(.ok)) }
            return { _ in promise.futureResult }
        }
        let answer = try await HTTPPeer.get("/", port: http.port)
        #expect(answer.status == 503 && answer.body == "there is no answer in time\n")
        await http.stop()
    }

    @Test func thePageOfLimitsSaysWhatThereIs() throws {
        let page = try #require(DocsPage.find("limits")?.markdown)
        func seconds(_ time: TimeAmount) -> Int64 { time.nanoseconds / 1_000_000_000 }
        for row in [
            "| pages of the dashboard that are made at once | \(DashboardPort.mostPages): 503 |",
            "| logins at the dashboard that are under way | \(DashboardPort.mostLogins): 429 |",
            "| browsers that are told of changes | \(DashboardPort.mostStreams): 503; each for "
                + "\(seconds(DashboardPort.streamTime)) s, then it asks again |",
            "| the answer at an HTTP port | begins within \(seconds(HTTPConnection.Times().answering)) s, else 503 |",
            "| args on the page of a job | \(PrettyJSON.most >> 10) KiB, then cut |",
            "| a login at the dashboard | \(Int(Sessions.seconds) / 3600) h |",
            "| rows of a page of jobs, and of the other tables | \(JobsPage.count), and \(NamesPage.most) |",
        ] { #expect(page.contains(row), "\(row)") }
    }
}
