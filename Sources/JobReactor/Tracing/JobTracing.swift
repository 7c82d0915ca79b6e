package import JobReactorCore
package import Tracing

/// The spans of jobs for enqueueing, waiting and running. They exist if the program has an instrument, or one is bound
/// to the task, when it makes a distributor, a node or a client.
package struct JobTracing: Sendable {
    private let instrument: any Instrument
    private let tracer: any Tracer

    /// Nil without an instrument: then jobs carry no context.
    package init?() {
        let instrument = InstrumentationSystem.instrument
        if instrument is NoOpInstrument { return nil }
        self.instrument = instrument
        tracer = InstrumentationSystem.tracer
    }

    // MARK: Enqueueing

    /// Begins the span of an enqueue, below the one that the options name, or that of the task. From then on they name this
    /// one. Followed by ``end(_:_:)`` or ``fail(_:_:)``.
    package func begin(_ name: String, _ options: inout JobOptions) -> any Span {
        let parent = options.trace.map { context($0.fields) } ?? InstrumentationContext.current ?? .topLevel
        let span = tracer.startSpan("enqueue \(name)", context: parent, ofKind: .producer)
        describe(span, name, operation: "send")
        options.trace = JobTrace(fields(of: span))
        return span
    }

    package func end(_ span: any Span, _ id: JobID) {
        span.updateAttributes { $0["messaging.message.id"] = id.description }
        span.end()
    }

    package func fail(_ span: any Span, _ error: any Error) {
        span.recordError(error)
        span.setStatus(SpanStatus(code: .error, message: "\(error)"))
        span.end()
    }

    // MARK: Waiting

    /// A job that says where it comes from has waited, for its time or its turn.
    package func waited(_ job: Job, from began: Timestamp, to ended: Timestamp, at place: String) {
        guard let trace = job.trace, began <= ended else { return }
        let span = tracer.startSpan(
            "wait \(job.name)", context: context(trace.fields), ofKind: .internal, at: Self.instant(began))
        describe(span, job.name, operation: nil)
        span.updateAttributes {
            $0["messaging.message.id"] = job.id.description
            $0["jobreactor.place"] = place
        }
        span.end(at: Self.instant(ended))
    }

    // MARK: Running

    /// Begins the span of a run, with a link to the run before, where that failed. To be ended.
    package func run(_ job: Job, onNode node: String) -> any Span {
        let span = tracer.startSpan("run \(job.name)", context: context(job.trace?.fields ?? [:]), ofKind: .consumer)
        describe(span, job.name, operation: "process")
        span.updateAttributes {
            $0["messaging.message.id"] = job.id.description
            $0["jobreactor.attempt"] = Int(job.attempt)
            $0["jobreactor.node"] = node
        }
        if let last = job.trace?.lastRun, !last.isEmpty {
            span.addLink(SpanLink(context: context(last), attributes: SpanAttributes([:])))
        }
        return span
    }

    private func describe(_ span: any Span, _ name: String, operation: String?) {
        span.updateAttributes {
            $0["messaging.system"] = "jobreactor"
            $0["messaging.destination.name"] = name
            if let operation { $0["messaging.operation.type"] = operation }
        }
    }

    private static func instant(_ time: Timestamp) -> DefaultTracerClock.Timestamp {
        let (nanoseconds, overflow) = UInt64(max(0, time.microseconds)).multipliedReportingOverflow(by: 1000)
        return DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: overflow ? .max : nanoseconds)
    }

    // MARK: Contexts

    /// What goes along with what is done within the span.
    package func fields(of span: any Span) -> [String: String] {
        var fields: [String: String] = [:]
        instrument.inject(span.context, into: &fields, using: ByKey())
        return fields
    }

    private func context(_ fields: [String: String]) -> InstrumentationContext {
        var context = InstrumentationContext.topLevel
        if !fields.isEmpty { instrument.extract(fields, into: &context, using: ByKey()) }
        return context
    }

    private struct ByKey: Injector, Extractor {
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
        func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
    }
}
