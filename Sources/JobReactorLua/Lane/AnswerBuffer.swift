internal import CLuaShim

/// Where what a function of the host answers stands while C reads it: until the next answer.
final class AnswerBuffer {
    private var values: UnsafeMutablePointer<jr_value>?
    private var bytes: UnsafeMutablePointer<CChar>?

    deinit { clear() }

    private func clear() {
        values?.deallocate()
        bytes?.deallocate()
        values = nil
        bytes = nil
    }

    private static func copy(_ from: [UInt8], to place: UnsafeMutablePointer<CChar>) {
        from.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            UnsafeMutableRawPointer(place).copyMemory(from: start, byteCount: bytes.count)
        }
    }

    func fill(_ list: [ScriptValue], _ answer: inout jr_answer) {
        clear()
        answer = jr_answer()
        guard !list.isEmpty else { return }
        let size = list.reduce(0) { $0 + $1.payload.count }
        let bytes = UnsafeMutablePointer<CChar>.allocate(capacity: max(1, size))
        let values = UnsafeMutablePointer<jr_value>.allocate(capacity: list.count)
        var next = bytes
        for (index, value) in list.enumerated() {
            let payload = value.payload
            Self.copy(payload, to: next)
            var made = jr_value()
            made.kind = value.kind
            made.bytes = jr_bytes(bytes: next, length: payload.count)
            switch value {
            case .bool(let flag): made.boolean = flag
            case .integer(let number): made.integer = number
            case .number(let number): made.number = number
            case .nil, .string, .json: break
            }
            (values + index).initialize(to: made)
            next += payload.count
        }
        self.bytes = bytes
        self.values = values
        answer.values = UnsafePointer(values)
        answer.count = list.count
    }

    func fill(_ failure: ScriptFailure, _ answer: inout jr_answer) {
        clear()
        answer = jr_answer()
        let text = Array(failure.message.utf8)
        let bytes = UnsafeMutablePointer<CChar>.allocate(capacity: max(1, text.count))
        Self.copy(text, to: bytes)
        self.bytes = bytes
        answer.error = jr_bytes(bytes: bytes, length: text.count)
    }
}

/// Calls `body` with an answer that is valid for that long.
func withAnswer(_ result: Result<[ScriptValue], ScriptFailure>, _ body: (UnsafePointer<jr_answer>) -> Void) {
    let buffer = AnswerBuffer()
    var answer = jr_answer()
    switch result {
    case .success(let values): buffer.fill(values, &answer)
    case .failure(let failure): buffer.fill(failure, &answer)
    }
    withExtendedLifetime(buffer) { withUnsafePointer(to: &answer, body) }
}

extension ScriptValue {
    fileprivate var kind: jr_value_kind {
        switch self {
        case .nil: JR_NIL
        case .bool: JR_BOOLEAN
        case .integer: JR_INTEGER
        case .number: JR_NUMBER
        case .string: JR_STRING
        case .json: JR_JSON
        }
    }

    fileprivate var payload: [UInt8] {
        switch self {
        case .string(let bytes), .json(let bytes): bytes
        case .nil, .bool, .integer, .number: []
        }
    }

    /// What a script has handed over.
    static func list(_ values: UnsafePointer<jr_value>?, _ count: Int) -> [ScriptValue] {
        UnsafeBufferPointer(start: values, count: values == nil ? 0 : count).map { value in
            switch value.kind {
            case JR_BOOLEAN: .bool(value.boolean)
            case JR_INTEGER: .integer(value.integer)
            case JR_NUMBER: .number(value.number)
            case JR_STRING: .string(value.bytes.array)
            default: .nil
            }
        }
    }
}

/// Texts as C reads them, for as long as this lives.
final class CStrings {
    private let pointers: [UnsafeMutablePointer<CChar>]

    init(_ texts: [String]) {
        pointers = texts.map { text in
            let characters = Array(text.utf8CString)
            let pointer = UnsafeMutablePointer<CChar>.allocate(capacity: characters.count)
            pointer.initialize(from: characters, count: characters.count)
            return pointer
        }
    }

    deinit { for pointer in pointers { pointer.deallocate() } }

    subscript(index: Int) -> UnsafePointer<CChar> { UnsafePointer(pointers[index]) }
}
