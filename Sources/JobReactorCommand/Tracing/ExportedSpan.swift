internal import JobReactorCore
internal import Tracing

/// A span that goes to a collector when it has ended, if its trace is sampled. From any thread.
final class ExportedSpan: Span {
    /// One that has ended.
    struct Finished: Sendable {
        let identity: SpanIdentity
        /// The id of the span above it.
        let parent: UInt64?
        let kind: SpanKind
        /// In nanoseconds since 1970.
        let start: UInt64
        var end: UInt64
        var name: String
        var attributes = SpanAttributes()
        var events: [SpanEvent] = []
        var links: [SpanLink] = []
        var status: SpanStatus?
    }

    /// Events, and links, that a span has; further ones are left out.
    static let mostEvents = 32

    let context: InstrumentationContext
    private let state: Locked<Finished?>
    private let onEnd: @Sendable (Finished) -> Void

    /// `onEnd` is called once, unless the trace is not sampled.
    init(
        _ name: String, _ identity: SpanIdentity, below parent: UInt64?, in context: InstrumentationContext,
        _ kind: SpanKind, at start: UInt64, onEnd: @escaping @Sendable (Finished) -> Void
    ) {
        var context = context
        context.span = identity
        self.context = context
        let open = Finished(identity: identity, parent: parent, kind: kind, start: start, end: start, name: name)
        state = Locked(identity.isSampled ? open : nil)
        self.onEnd = onEnd
    }

    var isRecording: Bool { state.withLock { $0 != nil } }

    var operationName: String {
        get { state.withLock { $0?.name ?? "" } }
        set { state.withLock { $0?.name = newValue } }
    }

    var attributes: SpanAttributes {
        get { state.withLock { $0?.attributes ?? [:] } }
        set { state.withLock { $0?.attributes = newValue } }
    }

    func setStatus(_ status: SpanStatus) { state.withLock { $0?.status = status } }

    func addEvent(_ event: SpanEvent) {
        state.withLock { if $0?.events.count ?? 0 < Self.mostEvents { $0?.events.append(event) } }
    }

    func addLink(_ link: SpanLink) {
        state.withLock { if $0?.links.count ?? 0 < Self.mostEvents { $0?.links.append(link) } }
    }

    func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        var all = attributes
        all["exception.type"] = "\(type(of: error))"
        all["exception.message"] = "\(error)"
        addEvent(SpanEvent(name: "exception", at: instant(), attributes: all))
    }

    func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let finished = state.withLock { state in
            defer { state = nil }
            return state
        }
        guard var finished else { return }
        finished.end = max(finished.start, instant().nanosecondsSinceEpoch)
        onEnd(finished)
    }
}
