internal import JobReactorCore

/// Args written as a literal of what an application has at hand: `["path": path, "width": width]`.
///
/// Everything that enqueues takes such a literal as it stands. Each value is of a type that is `Encodable` and `Sendable`, or nil,
/// which is null in JSON; of any other type the compiler refuses it. The values are encoded, as by
/// `JobArguments.init(encoding:)`, when the job is enqueued. Of equal keys the last counts.
///
/// A literal inside it whose own values are of several types says what it is:
///
/// ```swift
/// try distributor.enqueue("resize", ["path": path, "size": ["width": width, "unit": unit] as JobValues])
/// ```
public struct JobValues: Encodable, Sendable, ExpressibleByDictionaryLiteral {
    private let members: [(String, (any Encodable & Sendable)?)]

    /// `["path": path, "width": width]`
    public init(dictionaryLiteral elements: (String, (any Encodable & Sendable)?)...) {
        members = elements
    }

    /// As an object. Throws what the values throw that cannot be encoded.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Name.self)
        for (name, value) in members {
            let key = Name(stringValue: name)
            if let args = value as? JobArguments {
                if let problem = args.problem { throw JobError(.invalidArguments, problem) }
                // As what they are; a record has them as text.
                try container.encode(args.value, forKey: key)
            } else if let value {
                try container.encode(value, forKey: key)
            } else {
                try container.encodeNil(forKey: key)
            }
        }
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
