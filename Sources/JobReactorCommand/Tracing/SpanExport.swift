internal import DequeModule
internal import JobReactorCore
internal import Logging
internal import NIOCore

/// Spans on their way to a collector: together, and not faster than it takes them. Those for which there is no room are dropped:
/// a collector that is away holds up no job, and takes no more than some memory. From any thread.
final class SpanExport: Sendable {
    /// What became of a request.
    enum Outcome: Sendable {
        case taken
        /// It may be taken later, for this reason.
        case deferred(String)
        /// It never will.
        case refused(String)
    }

    /// Spans that wait, those under way not counted.
    static let mostWaiting = 8192
    /// Spans of one request.
    static let batch = 512
    /// How long a span waits for others at most, while the collector takes them.
    static let interval = TimeAmount.seconds(2)
    static let longestPause = TimeAmount.seconds(30)

    private enum Phase {
        /// None waits. Exit: one has ended, to `waiting`.
        case idle
        /// Until there are enough, or the time is over. Exit: to `sending`.
        case waiting
        /// Exits: the answer, to `idle`, to `waiting` or to itself.
        case sending
        /// Nothing more is taken.
        case over
    }

    private struct State {
        var phase = Phase.idle
        var spans: Deque<ExportedSpan.Finished> = []
        var dropped = 0
        /// Requests one after the other that were not taken.
        var failures = 0
        /// What the log has last said of the collector; nil when all is well.
        var told: String?
        var isEnding = false
        var end: EventLoopPromise<Void>?
    }

    private let state = Locked(State())
    private let loop: any EventLoop
    private let logger: Logger
    private let interval: TimeAmount
    private let post: @Sendable ([ExportedSpan.Finished]) async -> Outcome

    /// `post` sends spans to the collector, one call at a time.
    init(
        on loop: any EventLoop, logger: Logger, interval: TimeAmount = SpanExport.interval,
        _ post: @escaping @Sendable ([ExportedSpan.Finished]) async -> Outcome
    ) {
        self.loop = loop
        self.logger = logger
        self.interval = interval
        self.post = post
    }

    /// Spans that no collector gets.
    var dropped: Int { state.withLock { $0.dropped } }

    /// A span has ended.
    func add(_ span: ExportedSpan.Finished) {
        let next: TimeAmount? = state.withLock { state in
            guard state.phase != .over, state.spans.count < Self.mostWaiting else {
                state.dropped += 1
                return nil
            }
            state.spans.append(span)
            switch state.phase {
            case .idle:
                state.phase = .waiting
                return interval
            // While it refuses, its pause counts.
            case .waiting: return state.spans.count == Self.batch && state.failures == 0 ? .zero : nil
            case .sending, .over: return nil
            }
        }
        if let next { send(in: next) }
    }

    /// Sends what waits now.
    func flush() {
        if state.withLock({ $0.phase == .waiting }) { send(in: .zero) }
    }

    private func send(in time: TimeAmount) {
        loop.scheduleTask(in: time) { self.send() }
    }

    private func send() {
        let spans: [ExportedSpan.Finished] = state.withLock { state in
            // Another timer may have been sooner.
            guard state.phase == .waiting else { return [] }
            state.phase = .sending
            let spans = Array(state.spans.prefix(Self.batch))
            state.spans.removeFirst(spans.count)
            return spans
        }
        guard !spans.isEmpty else { return }
        Task { answered(spans, await post(spans)) }
    }

    private func answered(_ spans: [ExportedSpan.Finished], _ outcome: Outcome) {
        let (next, end, line) = state.withLock { state in
            var line: (Logger.Level, Logger.Message, String)?
            switch outcome {
            case .taken:
                if state.told != nil { line = (.notice, "spans are sent again", "") }
                (state.told, state.failures) = (nil, 0)
            case .refused(let reason):
                state.dropped += spans.count
                if state.told != reason { line = (.error, "the collector refuses spans, which are dropped", reason) }
                (state.told, state.failures) = (reason, 0)
            case .deferred(let reason):
                if state.told != reason { line = (.warning, "spans cannot be sent; trying again", reason) }
                (state.told, state.failures) = (reason, state.failures + 1)
                Self.putBack(spans, &state)
            }
            return (Self.next(&state, interval), Self.takeEnd(&state), line)
        }
        if let line { logger.log(level: line.0, line.1, metadata: line.2.isEmpty ? [:] : ["reason": "\(line.2)"]) }
        if let next { send(in: next) }
        end?.succeed()
    }

    /// In their order, as far as there is room.
    private static func putBack(_ spans: [ExportedSpan.Finished], _ state: inout State) {
        let kept = spans.prefix(mostWaiting - state.spans.count)
        state.dropped += spans.count - kept.count
        state.spans.prepend(contentsOf: kept)
    }

    /// When to send again; nil for not now.
    private static func next(_ state: inout State, _ interval: TimeAmount) -> TimeAmount? {
        if state.phase == .over || state.spans.isEmpty || state.isEnding && state.failures > 0 {
            state.phase = state.isEnding ? .over : .idle
            state.dropped += state.spans.count
            state.spans = []
            return nil
        }
        state.phase = .waiting
        if state.failures > 0 { return min(longestPause, .seconds(1 << Int64(min(state.failures, 10)))) }
        return state.isEnding || state.spans.count >= batch ? .zero : interval
    }

    private static func takeEnd(_ state: inout State) -> EventLoopPromise<Void>? {
        guard state.phase == .over else { return nil }
        defer { state.end = nil }
        return state.end
    }

    /// Sends what waits, and takes no more. Returns when it is sent, or cannot be, or that time is over.
    func finish(within time: TimeAmount) async {
        let promise = loop.makePromise(of: Void.self)
        let isIdle = state.withLock { state in
            state.isEnding = true
            if state.phase == .idle || state.phase == .over { state.phase = .over } else { state.end = promise }
            return state.phase == .over
        }
        if isIdle { promise.succeed() } else { flush() }
        let timer = loop.scheduleTask(in: time) {
            let end = self.state.withLock { state in
                state.phase = .over
                return Self.takeEnd(&state)
            }
            end?.succeed()
        }
        try? await promise.futureResult.get()
        timer.cancel()
    }
}
