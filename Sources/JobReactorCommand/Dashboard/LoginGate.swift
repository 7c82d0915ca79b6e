private import JobReactorCore
internal import JobReactorDashboard
internal import JobReactorWire
internal import NIOCore

/// Lets those into a dashboard who may look at the metrics of the same port.
struct LoginGate: DashboardGate {
    private let login: NIOLoopBound<HTTPLogin>
    private let security: WireSecurity
    let asks: Bool

    /// On the loop of `login`.
    init(_ login: HTTPLogin, _ security: WireSecurity, on loop: any EventLoop) {
        self.login = NIOLoopBound(login, eventLoop: loop)
        self.security = security
        asks = login.asks
    }

    func check(_ name: String, _ password: [UInt8], from peer: PeerNetwork) async -> LoginVerdict {
        let login = login
        let verdict = await Self.answer { (done: @escaping @Sendable (HTTPLogin.Verdict) -> Void) in
            login.eventLoop.execute {
                login.value.check(name, password, from: peer).whenComplete { done((try? $0.get()) ?? .busy) }
            }
        }
        switch verdict {
        case .allowed(let user): return .allowed(user)
        case .forbidden: return .forbidden
        case .unknown: return .wrong
        case .busy, nil: return .busy
        }
    }

    func user(_ name: String) async -> User? {
        if name == User.standard.name { return security.portPassword == nil ? nil : .standard }
        guard let users = security.users else { return nil }
        return await Self.answer { done in users.look(since: -1) { users, _ in done(users[name]) } } ?? nil
    }

    /// What `ask` brings from another thread. A lock orders the two, which the thread sanitizer sees, as it does not see what
    /// orders a continuation that is resumed before its await.
    private static func answer<Answer: Sendable>(
        _ ask: (@escaping @Sendable (Answer) -> Void) -> Void
    ) async -> Answer? {
        let answer = Locked<Answer?>(nil)
        await withCheckedContinuation { continuation in
            ask { value in
                answer.withLock { $0 = value }
                continuation.resume()
            }
        }
        return answer.withLock { $0 }
    }
}
