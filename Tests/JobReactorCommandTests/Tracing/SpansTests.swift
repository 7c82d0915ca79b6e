import JobReactorCore
import Testing
import Tracing

@testable import JobReactorCommand

/// Spans as they are named, begun, carried and written for a collector.
@Suite struct SpansTests {
    private static let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    private struct ByKey: Injector, Extractor {
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
        func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
    }

    private static func context(_ fields: [String: String], _ tracer: ExportingTracer) -> InstrumentationContext {
        var context = InstrumentationContext.topLevel
        tracer.extract(fields, into: &context, using: ByKey())
        return context
    }

    private static func fields(_ context: InstrumentationContext, _ tracer: ExportingTracer) -> [String: String] {
        var fields: [String: String] = [:]
        tracer.inject(context, into: &fields, using: ByKey())
        return fields
    }

    @Test(
        "a traceparent is read as it is written, and what is none is none",
        arguments: [
            (parent, true), ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", true),
            ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later", true),
            (parent + "-more", false), ("ff" + parent.dropFirst(2), false), (parent.uppercased(), false),
            ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01", false), ("", false), ("00-+1-2-01", false),
            ("00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
            (String(repeating: "0-", count: 10_000), false),
        ])
    func parents(_ text: String, isGood: Bool) {
        let identity = SpanIdentity(traceparent: text)
        #expect((identity != nil) == isGood)
        guard let identity else { return }
        #expect(identity.traceID == "4bf92f3577b34da6a3ce929d0e0e4736" && identity.spanID == "00f067aa0ba902b7")
        #expect(identity.isSampled == !text.hasSuffix("-00"))
        #expect(SpanIdentity(traceparent: identity.traceparent) == identity)
    }

    @Test func aSpanIsBelowTheOneThatCameAndPassesOnWhatIsNotItsOwn() throws {
        let ended = Locked<[ExportedSpan.Finished]>([])
        let tracer = ExportingTracer(share: 0) { span in ended.withLock { $0.append(span) } }
        let context = Self.context(["traceparent": Self.parent, "tracestate": "a=b"], tracer)
        let span = tracer.startSpan("run", context: context, ofKind: .consumer)
        let fields = Self.fields(span.context, tracer)
        #expect(fields["tracestate"] == "a=b" && fields["traceparent"] != Self.parent)
        #expect(fields["traceparent"]?.hasPrefix("00-4bf92f3577b34da6a3ce929d0e0e4736-") == true)
        #expect(fields["traceparent"]?.hasSuffix("-01") == true && span.isRecording)
        span.end()
        span.end()
        #expect(!span.isRecording)
        let finished = ended.withLock { $0 }
        #expect(finished.count == 1 && finished[0].parent == 0x00F0_67AA_0BA9_02B7)
        #expect(finished[0].identity.traceparent == fields["traceparent"])
        let long = Self.context(
            ["traceparent": Self.parent, "tracestate": String(repeating: "x", count: 513)], tracer)
        #expect(Self.fields(long, tracer) == ["traceparent": Self.parent])
        #expect(Self.fields(Self.context(["traceparent": "nonsense"], tracer), tracer).isEmpty)
    }

    @Test func theShareDecidesOfTracesThatBeginHereAndOthersAreFollowed() {
        let ended = Locked(0)
        func count(_ share: Double, below fields: [String: String] = [:]) -> Int {
            ended.withLock { $0 = 0 }
            let tracer = ExportingTracer(share: share) { _ in ended.withLock { $0 += 1 } }
            for _ in 0..<1000 {
                let span = tracer.startSpan("run", context: Self.context(fields, tracer), ofKind: .internal)
                span.attributes = ["a": 1]
                let child = tracer.startSpan("child", context: span.context, ofKind: .internal)
                #expect(child.isRecording == span.isRecording)
                span.end()
            }
            return ended.withLock { $0 }
        }
        #expect(count(1) == 1000 && count(0) == 0)
        #expect((300..<700).contains(count(0.5)))
        #expect(count(0, below: ["traceparent": Self.parent]) == 1000)
        let unsampled = Self.parent.dropLast() + "0"
        #expect(count(1, below: ["traceparent": String(unsampled)]) == 0)
    }

    @Test func aSpanIsWrittenAsOTLPHasItInJSON() throws {
        struct Wrong: Error {}
        let ended = Locked<[ExportedSpan.Finished]>([])
        let tracer = ExportingTracer(share: 1) { span in ended.withLock { $0.append(span) } }
        let context = Self.context(["traceparent": Self.parent, "tracestate": "a=b"], tracer)
        func at(_ nanoseconds: UInt64) -> DefaultTracerClock.Timestamp {
            DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: nanoseconds)
        }
        let span = tracer.startSpan(
            "run resize", context: context, ofKind: .consumer, at: at(1_700_000_000_000_000_001))
        span.attributes = [
            "text": "a\"b", "int": 7, "flag": true, "half": 0.5, "long": .string(String(repeating: "x", count: 10_000)),
        ]
        span.addLink(SpanLink(context: context, attributes: [:]))
        span.recordError(Wrong(), attributes: ["why": "no"], at: at(5))
        span.setStatus(SpanStatus(code: .error, message: "no disk"))
        span.end(at: at(1_700_000_000_000_000_009))
        let finished = ended.withLock { $0 }
        let text = SpanText.json(finished, of: ["service.name": "jobreactor-node"], version: "1.2.3")
        let resource = try #require(try JSONValue(parsing: text.utf8).object?["resourceSpans"]?.array?.first?.object)
        #expect(
            resource["resource"]?.json
                == #"{"attributes":[{"key":"service.name","value":{"stringValue":"jobreactor-node"}}]}"#)
        let scope = try #require(resource["scopeSpans"]?.array?.first?.object)
        #expect(scope["scope"]?.json == #"{"name":"jobreactor","version":"1.2.3"}"#)
        var members = try #require(scope["spans"]?.array?.first?.object)
        #expect(members["spanId"]?.string == finished.first?.identity.spanID)
        members["spanId"] = nil
        let attributes = try #require(members.removeValue(forKey: "attributes")?.array)
        #expect(
            attributes.map(\.json).sorted().prefix(3) == [
                #"{"key":"flag","value":{"boolValue":true}}"#, #"{"key":"half","value":{"doubleValue":0.5}}"#,
                #"{"key":"int","value":{"intValue":"7"}}"#,
            ])
        #expect(attributes.last?.json == #"{"key":"text","value":{"stringValue":"a\"b"}}"#)
        #expect(attributes.count == 5 && text.contains("(cut: the text has 10000 bytes, the limit is 4096)"))
        #expect(
            JSONValue.object(members).json
                == #"{"endTimeUnixNano":"1700000000000000009","events":[{"attributes":["#
                + #"{"key":"exception.message","value":{"stringValue":"Wrong()"}},"#
                + #"{"key":"exception.type","value":{"stringValue":"Wrong"}},{"key":"why","value":{"stringValue":"no"}}],"#
                + #""name":"exception","timeUnixNano":"5"}],"kind":5,"links":[{"attributes":[],"#
                + #""spanId":"00f067aa0ba902b7","traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}],"name":"run resize","#
                + #""parentSpanId":"00f067aa0ba902b7","startTimeUnixNano":"1700000000000000001","#
                + #""status":{"code":2,"message":"no disk"},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","#
                + #""traceState":"a=b"}"#)
    }

    @Test func eventsAndLinksOfASpanAreBounded() {
        let ended = Locked<[ExportedSpan.Finished]>([])
        let tracer = ExportingTracer(share: 1) { span in ended.withLock { $0.append(span) } }
        let span = tracer.startSpan("run", context: .topLevel, ofKind: .internal)
        for number in 0..<1000 {
            span.addEvent(SpanEvent(name: "\(number)"))
            span.addLink(SpanLink(context: span.context, attributes: [:]))
        }
        span.end()
        let finished = ended.withLock { $0 }
        #expect(finished.first?.events.count == ExportedSpan.mostEvents)
        #expect(finished.first?.links.count == ExportedSpan.mostEvents)
    }

    @Test(
        "where a collector is",
        arguments: [
            ("http://localhost:4318", "http://localhost:4318/v1/traces"),
            ("https://otel.example.org/", "https://otel.example.org/v1/traces"),
            ("http://[::1]:4318/a/b", "http://[::1]:4318/a/b"), ("localhost:4318", nil), ("ftp://a", nil),
            ("http://", nil), ("http://ann:secret@a", nil), ("http://a/?token=secret", nil), ("", nil),
        ] as [(String, String?)])
    func addresses(_ text: String, _ url: String?) {
        #expect(CollectorAddress(text)?.url == url)
    }
}
