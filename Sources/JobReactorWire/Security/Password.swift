/// The password of an installation, the same for all its ports.
///
/// Its text is never shown: not by `description`, not in a log, not by `INFO`.
public struct Password: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let bytes: [UInt8]

    /// Nil for an empty text.
    public init?(_ text: String) {
        guard !text.isEmpty else { return nil }
        bytes = Array(text.utf8)
    }

    public var description: String { "(hidden)" }
    public var debugDescription: String { "(hidden)" }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// Compares in a time that depends on the length of `candidate` alone.
    package func matches(_ candidate: UnsafeRawBufferPointer) -> Bool {
        var difference = UInt8(bytes.count == candidate.count ? 0 : 1)
        for (index, byte) in candidate.enumerated() {
            difference |= byte ^ bytes[index % bytes.count]
        }
        return difference == 0
    }

    /// The text, only for sending `AUTH` to a peer.
    package var text: String { String(decoding: bytes, as: UTF8.self) }
}
