internal import CoreMetrics
internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore
internal import NIOHTTP1

/// The distributor or the node of which an HTTP port tells. Any thread may ask.
struct WatchedServer: Sendable {
    var health: @Sendable () async -> ServiceHealth
    /// Sets the gauges that only change with time.
    var setGauges: @Sendable () async -> Void
}

/// What an HTTP port answers: `/metrics`, for who may look, and `/health` and `/ready`, for everybody. On one event loop.
final class OperationsPages {
    private static let known = ["/", "/metrics", "/health", "/ready"]

    private let loop: any EventLoop
    private let registry: PrometheusRegistry
    private let program: ProgramMetrics
    private let login: HTTPLogin
    private let patience: TimeAmount
    private let health: SharedQuestion<ServiceHealth>
    private let gauges: SharedQuestion<Void>
    /// For people; nil where the server has none.
    private let dashboard: DashboardPort?
    /// What was said last, and when: several that ask within a second get the same.
    private var metrics: (text: ByteBuffer, at: NIODeadline)?

    /// A server that says nothing for so long as `patience` hangs.
    init(
        of server: WatchedServer, _ registry: PrometheusRegistry, _ program: ProgramMetrics, _ login: HTTPLogin,
        dashboard: DashboardPort? = nil, patience: TimeAmount = .seconds(5), on loop: any EventLoop
    ) {
        self.dashboard = dashboard
        self.patience = patience
        self.loop = loop
        self.registry = registry
        self.program = program
        self.login = login
        health = SharedQuestion(on: loop, server.health)
        gauges = SharedQuestion(on: loop, server.setGauges)
    }

    func answer(_ question: HTTPQuestion) -> EventLoopFuture<HTTPAnswer> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        return route(question).map { answer in
            bound.value.count(question, answer)
            return answer
        }
    }

    private func route(_ question: HTTPQuestion) -> EventLoopFuture<HTTPAnswer> {
        if let dashboard, question.path == "/" || !Self.known.contains(question.path) {
            return dashboard.answer(question)
        }
        guard Self.known.contains(question.path) else {
            return loop.makeSucceededFuture(.text(.notFound, ["there is no \(question.path)", Self.list]))
        }
        guard question.method == .GET || question.method == .HEAD else {
            return loop.makeSucceededFuture(.text(.methodNotAllowed, headers: ["Allow": "GET, HEAD"]))
        }
        switch question.path {
        case "/health": return state { $0.isHealthy ? [] : $0.faults }
        case "/ready": return state { $0.isReady ? [] : $0.faults + $0.hindrances }
        case "/metrics": return loginThenMetrics(question)
        default: return loop.makeSucceededFuture(.text(.ok, [Self.list]))
        }
    }

    private static let list = "ask for /metrics, /health or /ready"

    /// Good where nothing is wrong.
    private func state(_ wrongs: @escaping @Sendable (ServiceHealth) -> [String]) -> EventLoopFuture<HTTPAnswer> {
        let seconds = Double(patience.nanoseconds) / 1e9
        let late = ServiceHealth(faults: ["its event loop has not answered within \(seconds) s"])
        return health.ask(within: patience, else: late).map { health in
            let wrongs = wrongs(health)
            return wrongs.isEmpty ? .text(.ok, ["ok"]) : .text(.serviceUnavailable, wrongs)
        }
    }

    private func loginThenMetrics(_ question: HTTPQuestion) -> EventLoopFuture<HTTPAnswer> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        return login.check(question.authorization, from: question.peer).flatMap { verdict in
            guard let refusal = Self.refusal(verdict) else { return bound.value.freshMetrics() }
            return bound.eventLoop.makeSucceededFuture(refusal)
        }
    }

    private static func refusal(_ verdict: HTTPLogin.Verdict) -> HTTPAnswer? {
        switch verdict {
        case .allowed: nil
        case .unknown:
            .text(
                .unauthorized, ["this needs the password of the installation, or of a user with the role viewer"],
                headers: ["WWW-Authenticate": "Basic realm=\"jobreactor\", charset=\"UTF-8\""])
        case .forbidden(let user):
            .text(.forbidden, ["this needs the role viewer, which the user \(user) does not have"])
        case .busy: .text(.tooManyRequests, ["too many passwords wait to be checked: try again later"])
        }
    }

    private func freshMetrics() -> EventLoopFuture<HTTPAnswer> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        // A server that hangs is to be read as well: then gauges are what they were.
        return gauges.ask(within: .seconds(1), else: ()).map {
            HTTPAnswer(.ok, bound.value.metricsText(), type: PrometheusText.contentType)
        }
    }

    private func metricsText() -> ByteBuffer {
        if let metrics, loop.now - metrics.at < .seconds(1) { return metrics.text }
        var text = PrometheusText()
        registry.write(to: &text)
        program.write(to: &text)
        let buffer = ByteBuffer(string: text.text)
        metrics = (buffer, loop.now)
        return buffer
    }

    private func count(_ question: HTTPQuestion, _ answer: HTTPAnswer) {
        let path = Self.known.contains(question.path) ? question.path : dashboard == nil ? "other" : "dashboard"
        let labels = [("path", path), ("code", "\(answer.status.code)")]
        registry.makeCounter(label: ProgramMetrics.requests, dimensions: labels).increment(by: 1)
    }
}
