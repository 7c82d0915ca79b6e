/// The args of a job: one JSON object, kept as its original bytes.
///
/// The same bytes travel from the producer over the wire and the storage into Lua, and back in a feedback. Only Lua
/// decodes them, and your code when it reads them: ``subscript(_:)`` for one member, `decode(_:)` (of the module
/// `JobReactor`) for your own type. Each access decodes again; keep the result.
public struct JobArguments: Hashable, Sendable, CustomStringConvertible {
    /// The JSON text in UTF-8. For args with NaN or an infinite number, which JSON cannot represent, it is an
    /// exclamation mark and the problem instead. Every entrance refuses such args: ``JobLimits/check(_:_:_:)``.
    public let bytes: [UInt8]

    /// No arguments: `{}`.
    public init() {
        bytes = Self.emptyBytes
    }

    /// Checks that the bytes are one JSON object.
    public init(json bytes: [UInt8]) throws(JSONError) {
        if !bytes.withUnsafeBytes(PlainJSON.isObject) {
            try JSONScanner.scan(bytes) { scanner throws(JSONError) in try scanner.checkObject() }
        }
        self.bytes = bytes
    }

    /// Checks that the text is one JSON object.
    public init(json text: String) throws(JSONError) {
        try self.init(json: Array(text.utf8))
    }

    /// The members in the given order. Enqueueing a job with NaN or an infinite number, which JSON cannot represent,
    /// throws ``JobError/Code/invalidArguments`` with the path of that number.
    public init(_ members: some Sequence<(String, JSONValue)>) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64)
        if JSONWriter.write(members, into: &bytes) {
            self.bytes = bytes
        } else {
            let problem = JSONWriter.problem(in: members) ?? ": a number that is not finite cannot be stored as JSON"
            self.bytes = [Self.problemMark] + Array("args\(problem)".utf8)
        }
    }

    /// Takes bytes that are known to be one JSON object, from an encoder or a peer that has checked them.
    package init(unchecked bytes: [UInt8]) {
        self.bytes = bytes
    }

    private static let emptyBytes = Array("{}".utf8)

    /// No JSON begins with it.
    private static let problemMark = UInt8(ascii: "!")

    /// The reason and the path why these args are not JSON; nil for valid args.
    package var problem: String? {
        guard bytes.first == Self.problemMark else { return nil }
        return String(decoding: bytes.dropFirst(), as: UTF8.self)
    }

    /// One member of the object, decoded; nil when it is absent.
    public subscript(key: String) -> JSONValue? {
        var found: [UInt8]?
        try? visitMembers { name, value in
            if name == key { found = Array(value) }
        }
        return found.flatMap { try? JSONValue(parsing: $0) }
    }

    /// The whole object, decoded.
    public var value: JSONValue { (try? JSONValue(parsing: bytes)) ?? .object([:]) }

    /// The JSON text.
    public var description: String { String(decoding: bytes, as: UTF8.self) }

    /// The JSON text for people, cut if it is longer than 200 bytes.
    package var shortened: String {
        guard bytes.count > 200 else { return description }
        return String(decoding: bytes.prefix(197), as: UTF8.self) + "…"
    }

    /// The object with these members set; members with the same name are replaced. Values are JSON text.
    package func setting(_ members: [(key: String, json: [UInt8])]) -> JobArguments {
        var kept: [(String, [UInt8])] = []
        try? visitMembers { name, value in
            if !members.contains(where: { $0.key == name }) { kept.append((name, Array(value))) }
        }
        var result: [UInt8] = [UInt8(ascii: "{")]
        for (index, member) in (kept + members.map { ($0.key, $0.json) }).enumerated() {
            if index > 0 { result.append(UInt8(ascii: ",")) }
            JSONWriter.write(member.0, into: &result)
            result.append(UInt8(ascii: ":"))
            result += member.1
        }
        result.append(UInt8(ascii: "}"))
        return JobArguments(unchecked: result)
    }

    private func visitMembers(_ visit: (String, UnsafeRawBufferPointer) -> Void) throws(JSONError) {
        try JSONScanner.scan(bytes) { scanner throws(JSONError) in try scanner.visitMembers(visit) }
    }
}

extension JobArguments: ExpressibleByDictionaryLiteral {
    /// `["path": "cat.png", "width": 200]`
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements)
    }
}
