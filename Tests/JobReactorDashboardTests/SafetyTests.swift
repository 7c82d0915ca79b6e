import JobReactorCore
import JobReactorWire
import Testing

@testable import JobReactorDashboard

/// Who may do what, and by which requests.
@Suite struct SafetyTests {
    private let source = FakeDistributor([
        "NODES": .array([FakeDistributor.node("n1", jobs: "greet")]), "PAUSE": .integer(1), "CANCEL": .integer(1),
        "RETRY": .integer(1), "SCHEDULE": .bulk(Array("0193f0e2b5b07d1c8a3f4e5d6c7b8a90".utf8)),
    ])
    private let gate = FakeGate()

    private func dashboard(at now: Timestamp = .now) -> Dashboard {
        Dashboard(source, gate, isSecure: true, clock: { now })
    }

    private static let job = "0193f0e2b5b07d1c8a3f4e5d6c7b8a90"
    private static let changes = [
        "/names/pause?name=greet", "/names/resume?name=greet", "/nodes/pause?name=n1", "/jobs/\(job)/cancel",
        "/jobs/\(job)/retry", "/jobs/\(job)/destroy", "/jobs/change?order=destroy&count=9", "/schedules/run?name=s",
        "/schedules/pause?name=s",
    ]

    // MARK: Logging in

    @Test("a stranger sees the login alone, and comes back to where it was") func stranger() async throws {
        let browser = Browser(dashboard())
        let reply = await browser.get("/jobs?state=failed")
        #expect(reply.status == 303 && reply.header("Location") == "/login?next=%2Fjobs%3Fstate%3Dfailed")
        #expect(await browser.get("/events").status == 403)
        for place in Self.changes { #expect(await browser.post(place, "csrf=x").status == 403, "\(place)") }
        #expect(source.asked("NODES", "INFO", "RECORDS").isEmpty && source.changes.isEmpty)
        let wrong = await browser.logIn("olga", "nothing")
        #expect(wrong.status == 403 && wrong.header("Set-Cookie") == nil)
        #expect(await browser.logIn("prod").status == 403)
        let login = await browser.logIn("olga")
        #expect(login.status == 303 && login.header("Location") == "/jobs")
        let cookie = try #require(login.header("Set-Cookie"))
        #expect(cookie.hasPrefix("__Host-jobreactor_9500="))
        #expect(cookie.hasSuffix("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure"))
        let page = await browser.get("/")
        #expect(page.status == 200 && page.text.contains("olga"))
        #expect(source.lastVisitor?.user.name == "olga" && source.lastVisitor?.address == "127.0.0.1:4711")
    }

    @Test("a session is of one process, one password and twelve hours, and ends with a logout")
    func sessions() async throws {
        let now = Timestamp.now
        let browser = Browser(dashboard(at: now))
        _ = await browser.logIn("vic")
        #expect(await browser.get("/").status == 200)
        let cookie = try #require(browser.cookie)
        let other = Browser(dashboard(at: now))
        other.cookie = cookie
        #expect(await other.get("/").status == 303)
        // A byte of it is another.
        for place in [10, 40, cookie.count - 2] {
            var letters = Array(cookie)
            letters[place] = letters[place] == "A" ? "B" : "A"
            let forger = Browser(browser.dashboard)
            forger.cookie = String(letters)
            #expect(await forger.get("/").status == 303)
        }
        gate.set(User(name: "vic", roles: [.viewer], secret: "new"))
        #expect(await browser.get("/").status == 303)
        gate.set(User(name: "vic", roles: [.viewer], secret: "1"))
        #expect(await browser.get("/").status == 200)
        gate.set(User(name: "vic", roles: [.node], secret: "1"))
        #expect(await browser.get("/").status == 303)
        gate.set(User(name: "vic", roles: [.viewer], secret: "1"))
        let mark = try #require(await browser.get("/").body.firstMatch(of: /name="csrf" value="([^"]+)"/)).1
        let leave = await browser.post("/logout", "csrf=\(mark)")
        #expect(leave.header("Set-Cookie")?.contains("Max-Age=0") == true)
        browser.cookie = cookie
        #expect(await browser.get("/").status == 303)
        let key = SealingKey()
        let user = User(name: "vic", roles: [.viewer])
        let session = Sessions(key).begin(user, at: now)
        let sealed = Sessions(key).cookie(session)
        #expect(Sessions(key).session(sealed, at: now.advanced(bySeconds: 43_199)) == session)
        #expect(Sessions(key).session(sealed, at: now.advanced(bySeconds: 43_200)) == nil)
    }

    @Test(
        "after a login nobody goes elsewhere",
        arguments: [
            "//evil.com", "https://evil.com", "/\\evil.com", "", "jobs", "/\u{1}", "/é",
            String(repeating: "/a", count: 4096),
        ])
    func elsewhere(_ place: String) { #expect(Dashboard.place(place) == "/") }

    // MARK: Rights

    @Test("a viewer who forges a request is refused, and nothing is asked of the distributor", arguments: changes)
    func viewer(_ place: String) async throws {
        let browser = Browser(dashboard())
        _ = await browser.logIn("vic")
        let page = await browser.get("/names")
        #expect(!page.body.contains("/names/pause"))
        // It has the mark of its own session: from the form of the logout.
        let mark = try #require(page.body.firstMatch(of: /name="csrf" value="([^"]+)"/)).1
        let reply = await browser.post(place, "csrf=\(mark)")
        #expect(reply.status == 403 && reply.text.contains("this needs the role operator"))
        #expect(source.changes.isEmpty)
        for place in ["/jobs/change?order=cancel", "/jobs/\(Self.job)/cancel"] {
            #expect(await browser.get(place).status == 403)
        }
        #expect(source.changes.isEmpty)
    }

    @Test func whatTheDistributorRefusesIsRefusedHere() async throws {
        source.answer("PAUSE", .error("NOPERM this needs the role operator"))
        let browser = Browser(dashboard())
        _ = await browser.logIn("olga")
        let reply = await browser.post("/names/pause?name=greet")
        #expect(reply.status == 403 && reply.text.contains("this needs the role operator"))
    }

    @Test("an operator changes what the forms say") func operating() async throws {
        let browser = Browser(dashboard())
        _ = await browser.logIn("olga")
        for place in ["/names/pause?name=a%E2%80%AEb", "/jobs/\(Self.job)/cancel", "/schedules/run?name=s"] {
            let reply = await browser.post(place)
            #expect(reply.status == 303, "\(place)")
            let shown = await browser.get(try #require(reply.header("Location")))
            #expect(shown.body.contains("class=\"notice\""))
        }
        #expect(
            source.changes == ["PAUSE JOB a\u{202E}b", "CANCEL \(Self.job)", "SCHEDULE RUN s"])
        #expect(source.lastVisitor?.user.name == "olga")
        #expect(await browser.post("/names/pause?name=a%20b").status == 400)
        #expect(await browser.post("/names/explode?name=a").status == 404)
        #expect(await browser.get("/?notice=All+is+lost").body.contains("class=\"notice\"") == false)
    }

    @Test("of many jobs the number is told first, and holds") func many() async throws {
        source.answer("CANCEL", .integer(1234))
        let browser = Browser(dashboard())
        _ = await browser.logIn("olga")
        let page = await browser.get("/jobs/change?order=cancel&state=queued&q=name%3Agreet+since%3A1750000000")
        #expect(page.text.contains("Cancel 1,234 unfinished jobs?"))
        let form = try #require(page.body.firstMatch(of: /<form method="post" action="(\/jobs\/change[^"]+)"/))
        let action = String(form.1).replacing("&amp;", with: "&")
        let filter = "STATUS queued NAME greet SINCE 1750000000.0"
        #expect(source.changes == ["CANCEL \(filter) DRY"])
        source.answer("CANCEL", .integer(5000))
        let refused = await browser.post(action)
        #expect(refused.status == 409 && refused.text.contains("it was 1,234 jobs, and is 5,000 now"))
        #expect(!source.changes.contains("CANCEL \(filter)"))
        source.answer("CANCEL", .integer(1234))
        #expect(await browser.post(action).status == 303)
        #expect(source.changes.last == "CANCEL \(filter)")
        source.answer("DESTROY", .integer(0))
        let none = await browser.get("/jobs/change?order=destroy")
        #expect(none.text.contains("nothing is to be done") && !none.body.contains("action=\"/jobs/change"))
        #expect(source.changes.last == "DESTROY ALL DRY")
    }

    // MARK: Requests of other sites

    @Test("a form of another session, or of another site, does nothing") func forgery() async throws {
        let browser = Browser(dashboard())
        _ = await browser.logIn("olga")
        let other = Browser(browser.dashboard)
        _ = await other.logIn("olga")
        let (mark, others) = (try #require(await browser.mark()), try #require(await other.mark()))
        let place = "/names/pause?name=greet"
        for form in ["", "csrf=", "csrf=\(others)", "csrf=\(mark)x", "name=greet"] {
            #expect(await browser.post(place, form).status == 403, "\(form)")
        }
        for headers in [
            ["origin": "https://evil.com"], ["origin": "null"], ["origin": "https://localhost:9501"],
            ["sec-fetch-site": "cross-site"], ["sec-fetch-site": "same-site"],
        ] {
            #expect(await browser.post(place, "csrf=\(mark)", headers: headers).status == 403, "\(headers)")
        }
        let login = await Browser(browser.dashboard).post(
            "/login", "user=olga&password=secret", headers: ["origin": "https://evil.com"])
        #expect(login.status == 403 && login.header("Set-Cookie") == nil)
        #expect(source.changes.isEmpty)
        let own = ["origin": "https://localhost:9500", "sec-fetch-site": "same-origin"]
        #expect(await browser.post(place, "csrf=\(mark)", headers: own).status == 303)
        #expect(await browser.get(place).status == 404)
        #expect(source.changes == ["PAUSE JOB greet"])
    }

    // MARK: Without users

    @Test("without users who is at this machine may do everything, and others look alone") func open() async throws {
        let browser = Browser(Dashboard(source, FakeGate(asks: false), isSecure: false))
        let first = await browser.get("/")
        #expect(first.status == 200 && first.header("Set-Cookie")?.hasPrefix("jobreactor_9500=") == true)
        #expect(await browser.get("/").header("Set-Cookie") == nil)
        #expect(!first.body.contains("Log out"))
        #expect(await browser.post("/names/pause?name=greet").status == 303)
        #expect(source.changes == ["PAUSE JOB greet"])
        let mark = try #require(await browser.mark())
        for headers in [["x-forwarded-for": "10.0.0.7"], ["forwarded": "for=10.0.0.7"]] {
            #expect(await browser.post("/names/pause?name=x", "csrf=\(mark)", headers: headers).status == 403)
        }
        let far = Browser(browser.dashboard)
        (far.isLocal, far.host) = (false, "10.0.0.1:9500")
        let page = await far.get("/names")
        #expect(page.status == 200 && page.text.contains("greet") && !page.body.contains("/names/pause"))
        #expect(await far.post("/names/pause?name=x", "csrf=\(mark)").status == 403)
        far.cookie = browser.cookie
        #expect(await far.post("/names/pause?name=x", "csrf=\(mark)").status == 403)
        #expect(source.changes == ["PAUSE JOB greet"])
    }

    @Test(
        "a site that calls this machine by its own name reads nothing",
        arguments: [
            "evil.com", "evil.com:9500", "localhost.evil.com:9500", "127.0.0.1.evil.com:9500", "", "10.0.0.1:9500",
        ])
    func rebinding(_ host: String) async throws {
        let browser = Browser(Dashboard(source, FakeGate(asks: false), isSecure: false))
        browser.host = host
        let reply = await browser.get("/names")
        #expect(reply.status == 421 && !reply.body.contains("greet"))
        for good in ["localhost:9500", "127.0.0.1:9500", "[::1]:9500", "localhost"] {
            browser.host = good
            #expect(await browser.get("/names").status == 200, "\(good)")
        }
    }
}
