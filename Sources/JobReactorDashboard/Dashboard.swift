package import JobReactorCore
internal import JobReactorWire

/// Pages for people who look after a distributor: what it does, and what is to be put right. Any task may ask.
///
/// A page is made from what the source says at that time. Who asks has logged in, where the gate asks for that; every change
/// takes the role `operator`, a form that this process has made for that session, and a request that no other site has caused.
package struct Dashboard: Sendable {
    let source: any DashboardSource
    let gate: any DashboardGate
    let sessions = Sessions(SealingKey())
    let throughput = Throughput()
    /// Browsers reach it by TLS alone.
    let isSecure: Bool
    private let clock: @Sendable () -> Timestamp

    package init(
        _ source: any DashboardSource, _ gate: any DashboardGate, isSecure: Bool,
        clock: @escaping @Sendable () -> Timestamp = { .now }
    ) {
        self.source = source
        self.gate = gate
        self.isSecure = isSecure
        self.clock = clock
    }

    /// Who asks.
    private struct Guest {
        let user: User
        let session: Sessions.Session
        /// It is to be told to the browser.
        let isNew: Bool
    }

    package func reply(to request: DashboardRequest) async -> DashboardReply {
        if request.method == .get, let file = Assets.reply(to: request.path) { return file }
        let now = clock()
        do throws(DashboardError) {
            try checkPlace(of: request)
            guard let guest = await guest(of: request, at: now) else { return await replyToStranger(request, at: now) }
            var reply = try await reply(to: request, guest, at: now)
            if guest.isNew { setCookie(sessions.cookie(guest.session), for: request, in: &reply) }
            return reply
        } catch { return page(error, for: request) }
    }

    // MARK: Who asks

    /// A page of another site may not be what asks: not by its own name for this machine, and not by a form of its own.
    private func checkPlace(of request: DashboardRequest) throws(DashboardError) {
        let host = request.headers["host"] ?? ""
        if !gate.asks, request.isLocal, !Self.isLoopback(host) {
            throw DashboardError(
                status: 421,
                message: "without users it answers to localhost alone, and not to '\(SafeText.line(host))'")
        }
        guard request.method == .post else { return }
        let site = request.headers["sec-fetch-site"] ?? "same-origin"
        let origin = request.headers["origin"].map {
            $0.split(separator: "/", maxSplits: 2).last.map(String.init) ?? ""
        }
        guard ["same-origin", "none"].contains(site), origin == nil || origin == host else {
            throw DashboardError(status: 403, message: "that form is another site's")
        }
    }

    private static func isLoopback(_ host: String) -> Bool {
        Address(host)?.isLoopback ?? Address(host + ":80")?.isLoopback ?? false
    }

    private func guest(of request: DashboardRequest, at now: Timestamp) async -> Guest? {
        let known = cookie(of: request).flatMap { sessions.session($0, at: now) }
        guard gate.asks else {
            // Behind a proxy everybody seems to come from this machine.
            let isLocal =
                request.isLocal && request.headers["x-forwarded-for"] == nil && request.headers["forwarded"] == nil
            let user = isLocal ? User.standard : User(name: "visitor", roles: [.viewer])
            if let known, sessions.isOf(known, user) { return Guest(user: user, session: known, isNew: false) }
            return Guest(user: user, session: sessions.begin(user, at: now), isNew: true)
        }
        guard let known, let user = await gate.user(known.name), sessions.isOf(known, user), user.has(.viewer) else {
            return nil
        }
        return Guest(user: user, session: known, isNew: false)
    }

    private func replyToStranger(_ request: DashboardRequest, at now: Timestamp) async -> DashboardReply {
        let next = FormFields(reading: request.query.utf8)["next"]
        switch (request.method, request.path) {
        case (.get, "/login"): return framed(LoginPage.page(next: Self.place(next)))
        case (.post, "/login"): return await logIn(request, at: now)
        case (.get, "/events"): return framed(MessagePage.page("Log in", ["log in first"], status: 403))
        case (.get, let path):
            let place = path == "/" ? nil : path + (request.query.isEmpty ? "" : "?" + request.query)
            return .redirect(to: FormFields([("next", place)]).behind("/login"))
        default:
            return framed(MessagePage.page("Log in", ["log in first: the session is over"], back: "/", status: 403))
        }
    }

    private func logIn(_ request: DashboardRequest, at now: Timestamp) async -> DashboardReply {
        let form = FormFields(reading: request.body)
        let next = Self.place(form["next"])
        func again(_ problem: String, _ status: Int) -> DashboardReply {
            framed(LoginPage.page(next: next, problem: problem, status: status))
        }
        let name = form["user"] ?? User.standard.name
        switch await gate.check(name, Array((form["password"] ?? "").utf8), from: request.peer) {
        case .wrong: return again("The name or the password is wrong.", 403)
        case .forbidden: return again("This needs the role viewer.", 403)
        case .busy: return again("Too many passwords wait to be checked: try again.", 429)
        case .allowed(let user):
            var reply = DashboardReply.redirect(to: next)
            setCookie(sessions.cookie(sessions.begin(user, at: now)), for: request, in: &reply)
            return reply
        }
    }

    /// A path of ours, whatever somebody has put there.
    static func place(_ text: String?) -> String {
        guard let text, text.utf8.count <= 4096, text.hasPrefix("/"), !text.hasPrefix("//"),
            text.utf8.allSatisfy({ (0x21..<0x7F).contains($0) && $0 != UInt8(ascii: "\\") })
        else { return "/" }
        return text
    }

    // MARK: Cookies

    /// Cookies do not know ports: two distributors of a machine have two names for theirs.
    private func cookieName(_ request: DashboardRequest) -> String {
        let port = Address(request.headers["host"] ?? "").map { "_\($0.port)" } ?? ""
        return (isSecure ? "__Host-jobreactor" : "jobreactor") + port
    }

    private func cookie(of request: DashboardRequest) -> String? {
        let start = cookieName(request) + "="
        return request.headers["cookie"]?.split(separator: ";").lazy
            .map { $0.drop { $0 == " " } }.first { $0.hasPrefix(start) }.map { String($0.dropFirst(start.count)) }
    }

    /// An empty one is none any more.
    private func setCookie(_ value: String, for request: DashboardRequest, in reply: inout DashboardReply) {
        let age = value.isEmpty ? 0 : Int(Sessions.seconds)
        let text = "\(cookieName(request))=\(value); Path=/; Max-Age=\(age); HttpOnly; SameSite=Strict"
        let isSecret = isSecure || request.headers["x-forwarded-proto"] == "https"
        reply.headers.append(("Set-Cookie", isSecret ? text + "; Secure" : text))
    }

    // MARK: Pages

    private func reply(
        to request: DashboardRequest, _ guest: Guest, at now: Timestamp
    ) async throws(DashboardError) -> DashboardReply {
        let context = PageContext(
            answers: Answers(source: source, visitor: Visitor(guest.user, at: request.address)),
            throughput: throughput, now: now, csrf: sessions.formMark(of: guest.session))
        let query = FormFields(reading: request.query.utf8)
        switch request.method {
        case .get:
            if request.path == "/events" {
                var reply = DashboardReply(200, "", type: "text/event-stream")
                reply.isEvents = true
                return reply
            }
            if request.path == "/login" { return .redirect(to: Self.place(query["next"])) }
            let notice = query["notice"].flatMap { sessions.key.opened("notice", $0) }
            do throws(DashboardError) {
                return framed(try await page(request.path, query, context), guest, context, notice: notice)
            } catch { return framed(Self.message(error), guest, context) }
        case .post:
            let form = FormFields(reading: request.body)
            guard sessions.isFormMark(form["csrf"] ?? "", of: guest.session) else {
                throw DashboardError(status: 403, message: "that form is not one of this session: load the page anew")
            }
            if request.path == "/logout" {
                sessions.end(guest.session)
                var reply = DashboardReply.redirect(to: "/login")
                setCookie("", for: request, in: &reply)
                return reply
            }
            do throws(DashboardError) {
                let done = try await Changes(context).carryOut(request.path, query)
                let fields = FormFields([("notice", sessions.key.sealed("notice", SafeText.line(done.notice, 400)))])
                return .redirect(to: fields.behind(done.place))
            } catch { return framed(Self.message(error), guest, context) }
        case .other: throw DashboardError(status: 405, message: "pages are got, and forms are posted")
        }
    }

    private func page(
        _ path: String, _ query: FormFields, _ context: PageContext
    ) async throws(DashboardError) -> Page {
        switch path {
        case "/": return try await OverviewPage.page(context)
        case "/jobs":
            // A whole id needs no list.
            let text = (query["q"] ?? "").filter { !$0.isWhitespace }
            if let id = JobID(text) { return try await JobPage.page(context, id) }
            return try await JobsPage.page(context, query)
        case "/jobs/change": return try await Changes(context).confirmMany(query)
        case "/names": return try await NamesPage.page(context)
        case "/schedules": return try await SchedulesPage.page(context)
        case "/nodes": return try await NodesPage.page(context)
        default:
            let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
            guard parts.first == "jobs", (2...3).contains(parts.count), let id = JobID(String(parts[2])) else {
                throw DashboardError(status: 404, message: "there is no such page")
            }
            guard parts.count == 3 else { return try await JobPage.page(context, id) }
            return try await Changes(context).confirm(String(parts[3]), id)
        }
    }

    private static func message(_ error: DashboardError) -> Page {
        let title =
            switch error.status {
            case 403: "Not allowed"
            case 404: "Not found"
            case 409: "Refused"
            case 503: "No answer"
            default: "Not done"
            }
        return MessagePage.page(title, [SafeText.line(error.message, 2000)], back: "/", status: error.status)
    }

    /// For somebody of whom nothing is known.
    private func page(_ error: DashboardError, for request: DashboardRequest) -> DashboardReply {
        framed(Self.message(error))
    }

    private func framed(_ page: Page) -> DashboardReply {
        let layout = Layout(page, for: nil, canLeave: false, csrf: "", notice: nil)
        return .page(layout.html, status: page.status)
    }

    private func framed(
        _ page: Page, _ guest: Guest, _ context: PageContext, notice: String? = nil
    ) -> DashboardReply {
        let layout = Layout(page, for: guest.user, canLeave: gate.asks, csrf: context.csrf, notice: notice)
        return .page(layout.html, status: page.status)
    }
}
