package import NIOCore

/// A RESP value as a tree, for the few replies of the command line and of tests.
public indirect enum RESPValue: Hashable, Sendable {
    case simple(String)
    case error(String)
    case integer(Int)
    case bulk([UInt8])
    case null
    case array([RESPValue])

    package init(_ frame: RESPFrame) {
        var position = 0
        self = Self.read(frame, &position)
    }

    /// The first reply in these bytes, whatever its size; nil where there is no whole one.
    package init?(reading bytes: ByteBuffer) {
        let stream = RESPStream(side: .client, limits: RESPLimits(frameBytes: 1 << 30))
        var value: RESPValue?
        try? bytes.withUnsafeReadableBytes { bytes in
            try stream.consume(bytes) { frame in
                value = RESPValue(frame)
                return false
            }
        }
        guard let value else { return nil }
        self = value
    }

    private static func read(_ frame: RESPFrame, _ position: inout Int) -> RESPValue {
        let token = position
        position += 1
        switch frame.kind(ofToken: token) {
        case .bulk: return .bulk(Array(frame.bytes(ofToken: token)))
        case .simple: return .simple(String(decoding: frame.bytes(ofToken: token), as: UTF8.self))
        case .error: return .error(String(decoding: frame.bytes(ofToken: token), as: UTF8.self))
        case .integer: return .integer(frame.value(ofToken: token))
        case .null: return .null
        case .array:
            return .array((0..<frame.value(ofToken: token)).map { _ in read(frame, &position) })
        }
    }

    /// The text of a string, status, error or number; nil for arrays and null.
    public var text: String? {
        switch self {
        case .simple(let text), .error(let text): text
        case .bulk(let bytes): String(decoding: bytes, as: UTF8.self)
        case .integer(let value): String(value)
        case .null, .array: nil
        }
    }

    public var integer: Int? { if case .integer(let value) = self { value } else { nil } }

    public var elements: [RESPValue]? { if case .array(let elements) = self { elements } else { nil } }
}
