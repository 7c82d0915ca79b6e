internal import JobReactorCore
internal import Tracing

/// Spans as OTLP has them in JSON: one request to a collector.
enum SpanText {
    /// Bytes of a text in a span; a longer one is cut.
    static let textBytes = 4096
    /// Attributes of a span, and of what it has.
    static let mostAttributes = 64

    /// `resource` tells which process they are of.
    static func json(_ spans: [ExportedSpan.Finished], of resource: [String: String], version: String) -> String {
        let scope = JSONValue.object(["name": .string("jobreactor"), "version": .string(version)])
        let attributes = SpanAttributes(resource.mapValues { .string($0) })
        return JSONValue.object([
            "resourceSpans": .array([
                .object([
                    "resource": .object(["attributes": list(attributes)]),
                    "scopeSpans": .array([.object(["scope": scope, "spans": .array(spans.map(value))])]),
                ])
            ])
        ]).json
    }

    private static func value(_ span: ExportedSpan.Finished) -> JSONValue {
        var members: [String: JSONValue] = [
            "traceId": .string(span.identity.traceID), "spanId": .string(span.identity.spanID),
            "name": text(span.name), "kind": .integer(number(of: span.kind)),
            // As texts, as they have more digits than numbers of JSON are sure to have.
            "startTimeUnixNano": .string("\(span.start)"), "endTimeUnixNano": .string("\(span.end)"),
            "attributes": list(span.attributes),
        ]
        if let parent = span.parent { members["parentSpanId"] = .string(SpanIdentity.text(parent)) }
        if let state = span.identity.state { members["traceState"] = .string(state) }
        if !span.events.isEmpty { members["events"] = .array(span.events.map(value)) }
        let links = span.links.compactMap(value)
        if !links.isEmpty { members["links"] = .array(links) }
        if let status = span.status { members["status"] = value(status) }
        return .object(members)
    }

    private static func value(_ event: SpanEvent) -> JSONValue {
        .object([
            "timeUnixNano": .string("\(event.nanosecondsSinceEpoch)"), "name": text(event.name),
            "attributes": list(event.attributes),
        ])
    }

    private static func value(_ link: SpanLink) -> JSONValue? {
        guard let identity = link.context.span else { return nil }
        return .object([
            "traceId": .string(identity.traceID), "spanId": .string(identity.spanID),
            "attributes": list(link.attributes),
        ])
    }

    private static func value(_ status: SpanStatus) -> JSONValue {
        var members: [String: JSONValue] = ["code": .integer(status.code == .ok ? 1 : 2)]
        if let message = status.message { members["message"] = text(message) }
        return .object(members)
    }

    private static func number(of kind: SpanKind) -> Int64 {
        switch kind {
        case .internal: 1
        case .server: 2
        case .client: 3
        case .producer: 4
        case .consumer: 5
        }
    }

    private static func list(_ attributes: SpanAttributes) -> JSONValue {
        var pairs: [(key: String, value: SpanAttribute)] = []
        attributes.forEach { pairs.append(($0, $1)) }
        return .array(
            pairs.sorted { $0.key < $1.key }.prefix(mostAttributes).map {
                .object(["key": text($0.key), "value": value($0.value)])
            })
    }

    private static func value(_ attribute: SpanAttribute) -> JSONValue {
        switch attribute {
        case .string(let text): .object(["stringValue": Self.text(text)])
        case .int32(let number): .object(["intValue": .string("\(number)")])
        case .int64(let number): .object(["intValue": .string("\(number)")])
        case .bool(let flag): .object(["boolValue": .bool(flag)])
        case .double(let number) where number.isFinite: .object(["doubleValue": .number(number)])
        case .stringConvertible(let other): .object(["stringValue": text("\(other)")])
        default: .object(["stringValue": text("\(attribute)")])
        }
    }

    private static func text(_ text: String) -> JSONValue { .string(text.cut(toBytes: textBytes)) }
}
