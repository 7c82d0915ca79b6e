internal import DequeModule
internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// A pipeline's state on its event loop.
final class RedisPipelineCore {
    private struct Call {
        let words: RESPWords
        let ticket: RedisPipeline.Ticket
        let done: RedisPipeline.Done
    }

    private enum State {
        /// No connection, and nobody who wants one.
        case idle
        /// Calls wait for the login to succeed.
        case connecting(Dialer)
        case ready(Dialer, RedisLink)
    }

    private let location: RedisLocation
    private let options: RedisPipeline.Options
    private let tls: TransportSecurity?
    private let loop: any EventLoop
    /// The dialer tells of each try, where the callers hear of each reason.
    private let logger = Logger(label: "jobreactor.redis") { _ in SwiftLogNoOpLogHandler() }
    private var state = State.idle
    /// Not written yet, while there is no connection, each with the end of its patience.
    private var waiting: Deque<(call: Call, patience: Scheduled<Void>)> = []
    /// Written and not answered, in their order.
    private var sent: Deque<Call> = []
    private var lastProblem: String?
    private var lastCall = NIODeadline.uptimeNanoseconds(0)
    private var lastAnswer = NIODeadline.uptimeNanoseconds(0)
    private var watch: Scheduled<Void>?

    init(
        _ location: RedisLocation, _ options: RedisPipeline.Options, tls: TransportSecurity?, on loop: any EventLoop
    ) {
        self.location = location
        self.options = options
        self.tls = tls
        self.loop = loop
    }

    // MARK: Calls

    func call(_ words: RESPWords, _ ticket: RedisPipeline.Ticket, _ done: @escaping RedisPipeline.Done) {
        guard !ticket.isCancelled.withLock({ $0 }) else { return }
        let call = Call(words: words, ticket: ticket, done: done)
        lastCall = loop.now
        switch state {
        case .ready(_, let link): return send(call, over: link)
        case .connecting: break
        case .idle:
            do throws(WireError) {
                try dial()
            } catch {
                return done(.failure(.unreachable(location, "\(error)")))
            }
        }
        let patience = schedule(options.patience) { self.losePatience() }
        waiting.append((call, patience))
    }

    /// Drops the calls that were taken back before they were written.
    func forgetCancelled() {
        waiting.removeAll { entry in
            guard entry.call.ticket.isCancelled.withLock({ $0 }) else { return false }
            entry.patience.cancel()
            return true
        }
        hangUpIfUnwanted()
    }

    func close() {
        end(.closed(location))
    }

    private func send(_ call: Call, over link: RedisLink) {
        if sent.isEmpty { lastAnswer = loop.now }
        sent.append(call)
        link.send(call.words) { frame in
            self.lastAnswer = self.loop.now
            self.sent.popFirst()?.done(.success(RESPValue(frame)))
        }
    }

    /// The call that waits longest has waited long enough: all are equally patient, so they go in their order.
    private func losePatience() {
        guard let entry = waiting.popFirst() else { return }
        entry.call.done(.failure(.unreachable(location, lastProblem ?? "no answer in \(Self.words(options.patience))")))
        hangUpIfUnwanted()
    }

    // MARK: The connection

    private func dial() throws(WireError) {
        try location.address.validate()
        var security = WireSecurity()
        if location.usesTLS {
            if let tls { security.tls = tls } else { security.tls = try TransportSecurity(TransportSecurity.Files()) }
        }
        lastProblem = nil
        let dialer = Dialer(to: location.address, on: loop, security: security, logger: logger) {
            self.makeConnection()
        }
        dialer.onFailure = { self.lastProblem = Transport.describe($0) }
        state = .connecting(dialer)
        dialer.start()
    }

    private func makeConnection() -> Connection {
        let link = RedisLink(setup: setup) { self.handle($0, from: $1) }
        return Connection(role: .client, limits: options.limits, session: link)
    }

    /// What is said on each connection before any call. The ping tells whether the server lets us in.
    private var setup: [[String]] {
        var commands: [[String]] = []
        if let password = location.password { commands.append(["AUTH"] + [location.user, password].compactMap { $0 }) }
        if location.database != 0 { commands.append(["SELECT", "\(location.database)"]) }
        return commands + [["PING"]]
    }

    private func handle(_ event: RedisLink.Event, from link: RedisLink) {
        switch (event, state) {
        case (.ready, .connecting(let dialer)): ready(link, dialer)
        case (.refused(let reply), .connecting): refused(reply)
        case (.lost(let reason), .connecting): lastProblem = reason ?? lastProblem
        case (.lost(let reason), .ready(_, let current)) where link === current: lost(reason)
        case (.ready, .idle), (.refused, .idle), (.lost, .idle), (_, .ready): break
        }
    }

    private func ready(_ link: RedisLink, _ dialer: Dialer) {
        dialer.succeeded()
        state = .ready(dialer, link)
        let calls = waiting
        waiting = []
        for entry in calls {
            entry.patience.cancel()
            send(entry.call, over: link)
        }
        watchConnection()
    }

    /// The server answered the login with an error. One that still loads its data will answer better.
    private func refused(_ reply: String) {
        switch reply.prefix(while: { $0 != " " }) {
        case "LOADING", "MASTERDOWN", "BUSY", "TRYAGAIN": lastProblem = "Redis says \(reply)"
        default: end(.refused(location, reply))
        }
    }

    private func lost(_ reason: String?) {
        // The reader speaks of commands, as it reads those of clients too.
        let reason = (reason ?? "closed").replacing("ERR Protocol error: a command is", with: "the answer is")
        end(.uncertain(location, reason))
    }

    /// No connection, and no call any more. Answers that may still come find nobody.
    private func end(_ error: RedisPipelineError) {
        watch?.cancel()
        hangUp()
        let unanswered = sent.map { $0 } + waiting.map(\.call)
        for entry in waiting { entry.patience.cancel() }
        sent = []
        waiting = []
        for call in unanswered { call.done(.failure(error)) }
    }

    private func hangUpIfUnwanted() {
        if case .connecting = state, waiting.isEmpty { hangUp() }
    }

    private func hangUp() {
        // What closing tells us of is then no loss.
        let before = state
        state = .idle
        switch before {
        case .idle: break
        case .connecting(let dialer), .ready(let dialer, _): dialer.stop()
        }
    }

    /// Looks after a connection that says nothing, or that nobody uses.
    private func watchConnection() {
        watch = schedule(max(0.01, min(options.silence, options.idleness) / 4)) {
            guard case .ready(_, let link) = self.state else { return }
            if self.sent.isEmpty {
                if self.loop.now - self.lastCall >= Self.time(self.options.idleness) { return self.close() }
            } else if self.loop.now - self.lastAnswer >= Self.time(self.options.silence) {
                return link.close(reason: "no answer in \(Self.words(self.options.silence))")
            }
            self.watchConnection()
        }
    }

    private static func time(_ seconds: Double) -> TimeAmount {
        .microseconds(Int64(min(seconds, 1e9) * 1_000_000))
    }

    private static func words(_ seconds: Double) -> String {
        Int(exactly: seconds).map { "\($0) s" } ?? "\(seconds) s"
    }

    private func schedule(_ seconds: Double, _ task: @escaping () -> Void) -> Scheduled<Void> {
        loop.assumeIsolated().scheduleTask(in: Self.time(seconds), task)
    }
}
