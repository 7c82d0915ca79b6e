internal import Tracing

/// Which span it is, for all processes that take part, as in W3C's Trace Context.
struct SpanIdentity: Hashable, Sendable {
    /// The two halves of the id of the trace; not both are 0.
    let traceHigh: UInt64
    let traceLow: UInt64
    /// Not 0.
    let span: UInt64
    /// Whether it is sent to a collector, as who began the trace has decided.
    let isSampled: Bool
    /// What others have written, and is passed on as it came: `tracestate`.
    let state: String?

    /// Bytes of `tracestate` that are passed on; a longer one is left out.
    static let stateBytes = 512

    init(traceHigh: UInt64, traceLow: UInt64, span: UInt64, isSampled: Bool, state: String? = nil) {
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.span = span
        self.isSampled = isSampled
        self.state = state
    }

    /// Of a span that begins a trace. `share` of them, from 0 to 1, are sampled.
    init(share: Double) {
        let low = UInt64.random(in: 1...UInt64.max)
        self.init(
            traceHigh: UInt64.random(in: 0...UInt64.max), traceLow: low, span: UInt64.random(in: 1...UInt64.max),
            isSampled: share >= 1 || Double(low) < share * 0x1p64)
    }

    /// Of a span below this one.
    var child: SpanIdentity {
        SpanIdentity(
            traceHigh: traceHigh, traceLow: traceLow, span: UInt64.random(in: 1...UInt64.max), isSampled: isSampled,
            state: state)
    }

    /// Reads `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`; nil for what is none.
    init?(traceparent: String, state: String? = nil) {
        guard traceparent.utf8.count <= 256 else { return nil }
        let parts = traceparent.split(separator: "-", omittingEmptySubsequences: false)
        // Of a later version there may be more.
        guard parts.count >= 4, let version = Self.number(parts[0], digits: 2), version != 0xFF,
            version > 0 || parts.count == 4, parts[1].utf8.count == 32,
            let high = Self.number(parts[1].prefix(16), digits: 16),
            let low = Self.number(parts[1].suffix(16), digits: 16), high != 0 || low != 0,
            let span = Self.number(parts[2], digits: 16), span != 0, let flags = Self.number(parts[3], digits: 2)
        else { return nil }
        let isPassedOn = state.map { !$0.isEmpty && $0.utf8.count <= Self.stateBytes } == true
        self.init(
            traceHigh: high, traceLow: low, span: span, isSampled: flags & 1 == 1, state: isPassedOn ? state : nil)
    }

    var traceparent: String { "00-\(traceID)-\(spanID)-\(isSampled ? "01" : "00")" }
    var traceID: String { Self.text(traceHigh) + Self.text(traceLow) }
    var spanID: String { Self.text(span) }

    static func text(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// So many digits, in small letters.
    private static func number(_ text: Substring, digits: Int) -> UInt64? {
        func isDigit(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
        }
        return text.utf8.count == digits && text.utf8.allSatisfy(isDigit) ? UInt64(text, radix: 16) : nil
    }
}

extension InstrumentationContext {
    private enum Key: InstrumentationContextKey {
        typealias Value = SpanIdentity
    }

    var span: SpanIdentity? {
        get { self[Key.self] }
        set { self[Key.self] = newValue }
    }
}
