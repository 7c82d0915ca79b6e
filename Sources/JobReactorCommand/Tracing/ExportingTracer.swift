internal import Tracing

/// The tracer of a server with `--otlp`: its spans go to a collector, and their contexts are W3C's.
struct ExportingTracer: Tracer {
    private static let parentKey = "traceparent"
    private static let stateKey = "tracestate"

    private let share: Double
    private let onEnd: @Sendable (ExportedSpan.Finished) -> Void
    private let onFlush: @Sendable () -> Void

    /// Of the traces that begin here, `share` are sampled, from 0 to 1; of others their beginning has decided.
    init(
        share: Double, onFlush: @escaping @Sendable () -> Void = {},
        onEnd: @escaping @Sendable (ExportedSpan.Finished) -> Void
    ) {
        self.share = share
        self.onEnd = onEnd
        self.onFlush = onFlush
    }

    func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> ExportedSpan {
        let context = context()
        let parent = context.span
        return ExportedSpan(
            operationName, parent?.child ?? SpanIdentity(share: share), below: parent?.span, in: context, kind,
            at: instant().nanosecondsSinceEpoch, onEnd: onEnd)
    }

    func forceFlush() { onFlush() }

    func inject<Carrier, Inject: Injector>(
        _ context: InstrumentationContext, into carrier: inout Carrier, using injector: Inject
    ) where Carrier == Inject.Carrier {
        guard let span = context.span else { return }
        injector.inject(span.traceparent, forKey: Self.parentKey, into: &carrier)
        if let state = span.state { injector.inject(state, forKey: Self.stateKey, into: &carrier) }
    }

    func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout InstrumentationContext, using extractor: Extract
    ) where Carrier == Extract.Carrier {
        guard let text = extractor.extract(key: Self.parentKey, from: carrier) else { return }
        let state = extractor.extract(key: Self.stateKey, from: carrier)
        if let span = SpanIdentity(traceparent: text, state: state) { context.span = span }
    }
}
