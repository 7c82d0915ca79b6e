internal import JobReactorLua
internal import JobReactorWire

/// An answer of Redis as values for a script: a scalar as itself; a list as one string, which the Lua text takes apart, and
/// true after it.
///
/// In that string each value is a letter and what belongs to it: `i` and eight bytes of an integer, `s` a string, `e` the
/// text of an error, `n` nothing, `a` and four bytes of a count that as many values follow.
enum RedisReply {
    static func values(_ reply: RESPValue) throws(ScriptFailure) -> [ScriptValue] {
        switch reply {
        case .simple(let text): return [.string(text)]
        case .bulk(let bytes): return [.string(bytes)]
        case .integer(let value): return [.integer(Int64(value))]
        case .null: return [.nil]
        case .error(let text): throw ScriptFailure("redis: \(text)")
        case .array:
            var packed = PackedStrings()
            pack(reply, into: &packed)
            return [.string(packed.bytes), .bool(true)]
        }
    }

    private static func pack(_ value: RESPValue, into packed: inout PackedStrings) {
        switch value {
        case .simple(let text):
            packed.append(mark: "s")
            packed.append(text.utf8)
        case .bulk(let bytes):
            packed.append(mark: "s")
            packed.append(bytes)
        case .error(let text):
            packed.append(mark: "e")
            packed.append(text.utf8)
        case .integer(let number):
            packed.append(mark: "i")
            packed.append(integer: Int64(number))
        case .null:
            packed.append(mark: "n")
        case .array(let elements):
            packed.append(mark: "a")
            packed.append(length: elements.count)
            for element in elements { pack(element, into: &packed) }
        }
    }
}
