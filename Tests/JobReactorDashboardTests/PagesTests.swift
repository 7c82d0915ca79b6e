import JobReactorCore
import JobReactorWire
import Testing

@testable import JobReactorDashboard

/// What pages say.
@Suite struct PagesTests {
    private static func browser(_ source: FakeDistributor) -> Browser {
        Browser(Dashboard(source, FakeGate(asks: false), isSecure: false))
    }

    /// The source has what is hostile wherever text comes from outside.
    private static func hostile(_ evil: String) throws -> FakeDistributor {
        var ids = JobID.Generator()
        let name = String(evil.filter { !$0.isWhitespace }.prefix(255))
        var job = FakeDistributor.job(ids.next(at: .now), name, args: ["a": .string(evil)])
        job.lastError = evil
        return FakeDistributor([
            "INFO": .bulk(Array("# Memory\r\nbusy:1\r\n# Waiting\r\n\(name):count=3,parked=no\r\n".utf8)),
            "NODES": .array([FakeDistributor.node(name, jobs: name, error: evil)]),
            "PAUSES": .array([FakeDistributor.row(["kind": "job", "name": name, "by": evil, "at": "1e9"])]),
            "LIMITS": .array([
                FakeDistributor.row(["name": evil, "rate": evil, "per": evil, "key": evil, "when_full": evil])
            ]),
            "SCHEDULES": .array([
                FakeDistributor.row([
                    "name": name, "spec": evil, "job": name, "timezone": evil, "place": evil, "paused_by": evil,
                    "last_outcome": evil, "next": "1e300", "last": "nan", "late": "1", "leader": evil,
                ])
            ]),
            "RECORDS": .array([try FakeDistributor.record(job, waitsFor: evil)]),
            "JOB": FakeDistributor.row([
                "id": evil, "name": evil, "status": evil, "args": evil, "last_error": evil, "traceback": evil,
                "waits_for": evil, "due_at": "1e308", "on_node": evil, evil: evil, "doing": evil,
            ]),
            "CANCEL": .error("ERR \(evil)"),
        ])
    }

    static let evils = [
        "</pre></td><x-evil>\"'&", "\"\u{338} x-evil=\"", "<\u{338}x-evil", "'\u{301} x-evil='", "{{csrf}}{{{main}}}",
        "\u{202E}x-evil\u{0}\u{1B}[31m\r\n\u{2028}", "javascript:x-evil", String(repeating: "<x-evil ", count: 20_000),
    ]

    @Test("text from outside stays text on every page", arguments: evils)
    func escaping(_ evil: String) async throws {
        let browser = Self.browser(try Self.hostile(evil))
        var ids = JobID.Generator()
        let id = ids.next(at: .now)
        // A request has 16 KiB at most.
        let coded = FormFields.coded(String(evil.prefix(4000)))
        for place in [
            "/", "/jobs", "/jobs?q=\(coded)", "/jobs?state=\(coded)", "/jobs?before=\(coded)", "/names", "/schedules",
            "/nodes", "/jobs/\(id)", "/jobs/\(id)/cancel", "/jobs/change?order=cancel", "/jobs/change?order=\(coded)",
            "/\(coded)", "/?notice=\(coded)",
        ] {
            let reply = await browser.get(place)
            let scalars = Array(reply.body.unicodeScalars)
            #expect(!reply.body.contains("<x-evil"), "\(place)")
            // A string compares characters; a browser reads scalars.
            for (one, next) in zip(scalars, scalars.dropFirst()) where ["\"", "<", "'", ">", "="].contains(one) {
                #expect(!(0x300...0x36F).contains(next.value), "\(place)")
            }
            #expect(!scalars.contains { $0.value == 0x202E || $0.value == 0 || $0.value == 0x1B }, "\(place)")
            #expect(!reply.body.contains("href=\"javascript:"))
            #expect(reply.body.utf8.count < 1 << 20, "\(place)")
            #expect(reply.body.hasSuffix("</html>\n"))
        }
    }

    @Test("every page forbids what is not its own, and has nothing inline")
    func policy() async throws {
        let browser = Self.browser(try Self.hostile("x"))
        for place in ["/", "/jobs", "/names", "/schedules", "/nodes", "/none", "/login"] {
            let reply = await browser.get(place)
            let policy = try #require(reply.header("Content-Security-Policy"))
            #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self';"))
            #expect(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"))
            #expect(!reply.body.contains(/\sstyle=/) && !reply.body.contains(/<[^>]*\son[a-z]+=/))
            for script in reply.body.matches(of: /<script([^>]*)>([^<]*)</) {
                #expect(script.1.contains("src=\"/assets/") && script.2.isEmpty)
            }
            #expect(!reply.body.contains("<style"))
        }
    }

    @Test("files of ours need no login, and stay for a day") func assets() async throws {
        let browser = Browser(Dashboard(FakeDistributor(), FakeGate(), isSecure: false))
        let page = await browser.get("/login").body
        let style = try #require(page.firstMatch(of: /href="(\/assets\/[^"]+\.css)"/))
        let script = try #require(page.firstMatch(of: /src="(\/assets\/[^"]+\.js)"/))
        for (place, type) in [(style.1, "text/css"), (script.1, "text/javascript"), ("/assets/icon.svg", "image/svg")] {
            let reply = await browser.get(String(place))
            #expect(reply.status == 200 && reply.header("Content-Type")?.hasPrefix(type) == true)
            #expect(reply.header("Cache-Control") == "public, max-age=86400" && !reply.body.isEmpty)
        }
        #expect(await browser.get("/assets/../secret").status != 200)
    }

    @Test func theOverviewSaysInWordsWhatIsWrong() async throws {
        let well = FakeDistributor(["NODES": .array([FakeDistributor.node("n1")])])
        #expect(await Self.browser(well).get("/").text.contains("All is well"))
        let source = FakeDistributor([
            "INFO": .bulk(
                Array(
                    ("# Memory\r\nbusy:1\r\n# Jobs\r\nunfinished:12345\r\nwaiting:45\r\nkept_failed:2\r\n"
                        + "# Waiting\r\nresize:count=7,parked=no node defines it\r\ngreet:count=5\r\n").utf8)),
            "NODES": .array([FakeDistributor.node("n2", error: "disk full")]),
            "PAUSES": .array([FakeDistributor.row(["kind": "job", "name": "greet", "by": "ann", "at": "1"])]),
            "SCHEDULES": .array([FakeDistributor.row(["name": "nightly", "late": "1"])]),
        ])
        let text = await Self.browser(source).get("/").text
        for words in [
            "Jobs are refused", "The storage of the node n2 refuses: disk full.",
            "7 jobs named resize wait for a node that defines it.", "The job greet is paused by ann.",
            "The schedule nightly is late.", "2 jobs failed for good", "12,345", "12,300",
        ] { #expect(text.contains(words), "\(words)") }
        #expect(!text.contains("All is well"))
        #expect(await Self.browser(FakeDistributor()).get("/").text.contains("No node is connected"))
    }

    @Test("jobs come in pages, the newest first, by state and filter") func paging() async throws {
        var ids = JobID.Generator()
        let jobs = (0..<JobsPage.count + 1).map { _ in FakeDistributor.job(ids.next(at: .now)) }
        let rows = Array(jobs.reversed())
        let source = FakeDistributor(["RECORDS": .array(try rows.map { try FakeDistributor.record($0) })])
        let browser = Self.browser(source)
        let first = await browser.get("/jobs?state=in+progress&q=name%3Agreet+error%3A%22timed+out%22")
        let before = rows[JobsPage.count - 1].id
        #expect(first.body.matches(of: /<a class="row mono"/).count == JobsPage.count)
        #expect(first.body.contains("before=\(before)") && first.body.contains(">Older<"))
        #expect(!first.body.contains(">Newest<"))
        source.answer("RECORDS", .array([try FakeDistributor.record(rows[JobsPage.count])]))
        let second = await browser.get("/jobs?before=\(before)")
        #expect(second.body.contains("/jobs/\(rows[JobsPage.count].id)"))
        #expect(second.body.contains(">Newest<") && !second.body.contains(">Older<"))
        #expect(
            source.asked("RECORDS") == [
                "RECORDS NEWEST COUNT 51 STATUS in progress NAME greet ERROR timed out",
                "RECORDS BEFORE \(before) COUNT 51",
            ])
    }

    @Test("a job says where it stands, why it waits, and what it failed of") func job() async throws {
        var ids = JobID.Generator()
        let id = ids.next(at: .now)
        let source = FakeDistributor([
            "JOB": FakeDistributor.row([
                "id": "\(id)", "name": "resize", "args": "{\"w\":[1,{}]}", "status": "failed", "attempt": "3",
                "due_at": "1750000000", "failed_at": "1750000100", "last_error": "no space", "traceback": "a:1",
            ])
        ])
        let browser = Self.browser(source)
        let page = await browser.get("/jobs/\(id)")
        for words in ["resize", "no space", "a:1", "2025-06-15 15:06:40 UTC", "The job is in the state failed."] {
            #expect(page.body.contains(words), "\(words)")
        }
        #expect(page.body.contains("&quot;w&quot;: [\n    1,\n    {}\n  ]"))
        #expect(page.body.contains("action=\"/jobs/\(id)/retry\"") && page.body.contains("/jobs/\(id)/destroy\""))
        #expect(!page.body.contains("/jobs/\(id)/cancel"))
        let waiting = FakeDistributor.row([
            "name": "resize", "status": "queued", "args": "{\"(hidden)\":true}", "waits_for": "a limit is full",
        ])
        source.answer("JOB", waiting)
        let hidden = await browser.get("/jobs/\(id)")
        #expect(hidden.text.contains("Why it waits: a limit is full"))
        #expect(hidden.text.contains("They are hidden for your role.") && !hidden.body.contains("(hidden)"))
        #expect(hidden.body.contains("/jobs/\(id)/cancel") && !hidden.body.contains("/retry"))
        source.answer("JOB", .null)
        #expect(await browser.get("/jobs/\(id)").status == 404)
        #expect(await browser.get("/jobs?q=+\(id)+").status == 404)
        #expect(source.asked("RECORDS").isEmpty)
    }

    @Test func namesSchedulesAndNodesAreTables() async throws {
        let source = FakeDistributor([
            "NODES": .array([
                FakeDistributor.node("n1", jobs: "greet resize", isDurable: true),
                FakeDistributor.node("n2", jobs: "greet"),
            ]),
            "PAUSES": .array([FakeDistributor.row(["kind": "job", "name": "a/b c", "by": "ann", "at": "1"])]),
            "LIMITS": .array([
                FakeDistributor.row([
                    "name": "crm", "concurrency": "10", "rate": "100", "per": "60", "key": "user", "when_full": "wait",
                    "in_use": "4", "waiting": "1000",
                ])
            ]),
            "SCHEDULES": .array([
                FakeDistributor.row([
                    "name": "nightly", "spec": "30 2 * * *", "job": "report", "timezone": "", "place": "set",
                    "next": "1750000000", "last": "1749900000", "last_outcome": "complete", "missed": "2",
                ])
            ]),
        ])
        let browser = Self.browser(source)
        let names = await browser.get("/names")
        #expect(names.text.contains("greet 2 0"))
        #expect(names.body.contains("/names/resume?name=a%2Fb%20c"))
        #expect(names.text.contains("crm 10 at once, 100 in 60 s, for each user 4 1,000"))
        let schedules = await browser.get("/schedules")
        #expect(schedules.text.contains("30 2 * * * UTC report"))
        #expect(schedules.body.contains("2025-06-15 15:06:40 UTC") && schedules.body.contains("s-complete"))
        let nodes = await browser.get("/nodes")
        #expect(nodes.text.contains("n1 keeps its jobs 10.0.0.1:5000 3 of 8 ready 2"))
    }

    @Test func anErrorOfTheDistributorIsAPageThatSaysIt() async throws {
        let source = FakeDistributor(["RECORDS": .error("ERR others look through all jobs at the moment: ask again")])
        let reply = await Self.browser(source).get("/jobs")
        #expect(reply.status == 409 && reply.text.contains("others look through all jobs"))
    }
}
