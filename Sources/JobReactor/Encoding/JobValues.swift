internal import JobReactorCore

/// Args written as a literal with variables: `["path": path, "width": width]`.
///
/// All enqueueing methods accept such a literal. Each value must be `Encodable` and `Sendable`, or nil, which becomes
/// null in JSON; the compiler refuses other types. The values are encoded when the job is enqueued, as by
/// `JobArguments.init(encoding:)`. If a key is repeated, the last value counts.
///
/// A nested literal with values of several types needs its type:
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

    /// Encodes the values as an object. Throws the errors of values that cannot be encoded.
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
