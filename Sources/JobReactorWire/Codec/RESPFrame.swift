/// One complete RESP value, flat: an array's elements follow it.
///
/// A view into its reader: the frame and its bytes are valid until the reader is used again.
package struct RESPFrame {
    package enum Kind: UInt8, Sendable {
        case bulk, simple, error, integer, null, array
    }

    struct Token {
        var kind: Kind
        /// Where the bytes start in the builder's store.
        var offset: Int
        /// Number of bytes, number of elements, or the integer.
        var value: Int
    }

    private let builder: UnsafePointer<FrameBuilder>

    init(_ builder: UnsafePointer<FrameBuilder>) {
        self.builder = builder
    }

    /// The number of values: 1 for a scalar, 1 plus the elements for an array.
    package var tokenCount: Int { builder.pointee.tokens.count }

    /// The bytes of all its strings together.
    var byteCount: Int { builder.pointee.used }

    package func kind(ofToken index: Int) -> Kind { builder.pointee.tokens[index].kind }

    /// The number of elements of an array, or the integer.
    package func value(ofToken index: Int) -> Int { builder.pointee.tokens[index].value }

    /// The bytes of a string or error; empty for other kinds.
    package func bytes(ofToken index: Int) -> UnsafeRawBufferPointer {
        let token = builder.pointee.tokens[index]
        switch token.kind {
        case .bulk, .simple, .error:
            return UnsafeRawBufferPointer(start: builder.pointee.store + token.offset, count: token.value)
        case .integer, .null, .array:
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
    }

    /// The number of words of a command (a non-empty array of strings); nil for other frames.
    package var wordCount: Int? {
        let tokens = builder.pointee.tokens
        guard let first = tokens.first, first.kind == .array, first.value > 0, first.value == tokens.count - 1 else {
            return nil
        }
        for index in 1..<tokens.count where tokens[index].kind != .bulk { return nil }
        return first.value
    }

    /// A word of a command, from 0.
    package func word(_ index: Int) -> UnsafeRawBufferPointer { bytes(ofToken: index + 1) }

    package func text(_ index: Int) -> String { String(decoding: word(index), as: UTF8.self) }
}

/// Collects the parts of a frame as hiredis' reader finds them.
struct FrameBuilder {
    var tokens: ContiguousArray<RESPFrame.Token> = []
    private(set) var store: UnsafeMutableRawPointer
    private(set) var used = 0
    /// Elements that the arrays so far have announced.
    private var announced = 0
    private var capacity: Int
    var limits: RESPLimits
    /// The limit the frame broke.
    var failure: RESPError?

    private static let usualCapacity = 16 << 10

    init(limits: RESPLimits) {
        self.limits = limits
        capacity = Self.usualCapacity
        store = .allocate(byteCount: capacity, alignment: 16)
    }

    func deallocate() { store.deallocate() }

    mutating func reset() {
        tokens.removeAll(keepingCapacity: tokens.count <= 4096)
        used = 0
        announced = 0
        if capacity > Self.usualCapacity {
            store.deallocate()
            capacity = Self.usualCapacity
            store = .allocate(byteCount: capacity, alignment: 16)
        }
    }

    /// Returns false when the frame breaks a limit.
    mutating func append(_ kind: RESPFrame.Kind, _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard used + bytes.count <= limits.frameBytes else {
            failure = .frameTooLarge(limit: limits.frameBytes)
            return false
        }
        if used + bytes.count > capacity { grow(to: used + bytes.count) }
        if let base = bytes.baseAddress { (store + used).copyMemory(from: base, byteCount: bytes.count) }
        tokens.append(RESPFrame.Token(kind: kind, offset: used, value: bytes.count))
        used += bytes.count
        return true
    }

    mutating func append(_ kind: RESPFrame.Kind, value: Int) -> Bool {
        if kind == .array {
            announced += value
            guard announced <= limits.elements else {
                failure = .tooManyElements(limit: limits.elements)
                return false
            }
        }
        tokens.append(RESPFrame.Token(kind: kind, offset: 0, value: value))
        return true
    }

    private mutating func grow(to needed: Int) {
        let larger = max(needed, 2 * capacity)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        moved.copyMemory(from: store, byteCount: used)
        store.deallocate()
        (store, capacity) = (moved, larger)
    }
}
