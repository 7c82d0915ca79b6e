internal import JobReactorLua

/// Many strings in one, as `string.pack('<s4…')` writes them: lists pass between a script and the host so, whatever bytes
/// are in them.
struct PackedStrings {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ string: some Collection<UInt8>) {
        append(length: string.count)
        bytes.append(contentsOf: string)
    }

    /// Four bytes, the lowest first.
    mutating func append(length: Int) {
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: length).littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Eight bytes, the lowest first.
    mutating func append(integer: Int64) {
        withUnsafeBytes(of: integer.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func append(mark: Unicode.Scalar) { bytes.append(UInt8(ascii: mark)) }

    /// The strings in what a script packed.
    static func unpack(_ packed: [UInt8]) throws(ScriptFailure) -> [[UInt8]] {
        var strings: [[UInt8]] = []
        var rest = packed[...]
        while !rest.isEmpty {
            guard rest.count >= 4 else { throw ScriptFailure("a list of strings is cut short") }
            let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard length <= rest.count else { throw ScriptFailure("a list of strings is cut short") }
            strings.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return strings
    }
}
