internal import JobReactorDashboard
internal import NIOCore
internal import NIOHTTP1

/// A dashboard at an HTTP port. On one event loop.
final class DashboardPort {
    /// Pages that are made at once; beyond, 503.
    static let mostPages = 32
    /// Logins that are under way at once; beyond, 429. They take no place of a page: who guesses keeps none from others.
    static let mostLogins = 16
    /// Browsers that are told of changes; beyond, 503, and they show what they have.
    static let mostStreams = 16
    /// How often it is looked whether something has changed, while a browser waits for that.
    static let interval = TimeAmount.seconds(2)
    /// How often it is looked for what the chart shows, whoever waits.
    static let idleInterval = TimeAmount.seconds(10)
    /// So long a browser is told of changes before it has to ask anew, and to show who it is.
    static let streamTime = TimeAmount.seconds(300)

    private let dashboard: Dashboard
    private let loop: any EventLoop
    private let pulse: SharedQuestion<String?>
    private var pages = 0
    private var logins = 0
    private var streams: [ObjectIdentifier: HTTPStream] = [:]
    private var lastPulse: String?
    /// A number for each change.
    private var changes = 0
    private var lastSaid = NIODeadline.uptimeNanoseconds(0)
    private var nextLook: Scheduled<Void>?

    init(_ dashboard: Dashboard, on loop: any EventLoop) {
        self.dashboard = dashboard
        self.loop = loop
        pulse = SharedQuestion(on: loop) { await dashboard.pulse() }
        look()
    }

    func answer(_ question: HTTPQuestion) -> EventLoopFuture<HTTPAnswer> {
        let isLogin = question.method == .POST && question.path == "/login"
        guard logins < Self.mostLogins || !isLogin else {
            return loop.makeSucceededFuture(.text(.tooManyRequests, ["too many log in at the moment: try again later"]))
        }
        guard pages < Self.mostPages || isLogin else {
            return loop.makeSucceededFuture(.text(.serviceUnavailable, ["too many pages are being made: try again"]))
        }
        if isLogin { logins += 1 } else { pages += 1 }
        let promise = loop.makePromise(of: DashboardReply.self)
        let (dashboard, request) = (dashboard, DashboardRequest(question))
        Task { promise.succeed(await dashboard.reply(to: request)) }
        let bound = NIOLoopBound(self, eventLoop: loop)
        return promise.futureResult.map { reply in
            if isLogin { bound.value.logins -= 1 } else { bound.value.pages -= 1 }
            return bound.value.answer(reply)
        }
    }

    private func answer(_ reply: DashboardReply) -> HTTPAnswer {
        var answer = HTTPAnswer(
            HTTPResponseStatus(statusCode: reply.status), ByteBuffer(string: reply.body),
            headers: HTTPHeaders(reply.headers))
        guard reply.isEvents else { return answer }
        guard streams.count < Self.mostStreams else {
            return .text(.serviceUnavailable, ["too many browsers are told of changes"])
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        answer.stream = { bound.value.begin($0) }
        return answer
    }

    // MARK: Changes

    private func begin(_ stream: HTTPStream) {
        let id = ObjectIdentifier(stream)
        streams[id] = stream
        let timer = loop.assumeIsolated().scheduleTask(in: Self.streamTime) { [weak stream] in stream?.end() }
        stream.onEnd = { [weak self] in
            timer.cancel()
            self?.streams[id] = nil
        }
        stream.send("retry: 3000\ndata: \(changes)\n\n")
        // It may have been long ago.
        lookIn(.zero)
    }

    private func lookIn(_ time: TimeAmount) {
        nextLook?.cancel()
        nextLook = loop.assumeIsolated().scheduleTask(in: time) { [weak self] in self?.look() }
    }

    private func look() {
        let bound = NIOLoopBound(WeakPort(self), eventLoop: loop)
        pulse.ask(within: .seconds(5), else: nil).whenComplete { result in
            guard let port = bound.value.port else { return }
            port.looked(try? result.get())
        }
    }

    private func looked(_ pulse: String?) {
        lookIn(streams.isEmpty ? Self.idleInterval : Self.interval)
        if let pulse, pulse != lastPulse {
            lastPulse = pulse
            changes += 1
        } else if loop.now - lastSaid < .seconds(15) {
            return
        }
        // Also when nothing has changed: who has gone is found out so.
        lastSaid = loop.now
        for stream in streams.values { stream.send("data: \(changes)\n\n") }
    }

    private struct WeakPort {
        weak var port: DashboardPort?
        init(_ port: DashboardPort) { self.port = port }
    }
}

extension DashboardRequest {
    init(_ question: HTTPQuestion) {
        let method: Method =
            switch question.method {
            case .GET, .HEAD: .get
            case .POST: .post
            default: .other
            }
        var headers: [String: String] = [:]
        for (name, value) in question.headers {
            let name = name.lowercased()
            // Browsers may send cookies in several headers; of the others a second is another's idea.
            if let first = headers[name] {
                headers[name] = name == "cookie" ? first + "; " + value : first
            } else {
                headers[name] = value
            }
        }
        self.init(
            method, question.path, query: question.query, headers: headers,
            body: Array(question.body.readableBytesView), peer: question.peer, address: question.address,
            isLocal: question.isLocal)
    }
}
