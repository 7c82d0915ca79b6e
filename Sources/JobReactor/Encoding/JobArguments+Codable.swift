#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif
public import JobReactorCore

extension JobArguments {
    /// The value as JSON. Throws ``JobError`` when it does not encode to an object.
    public init(encoding value: some Encodable) throws(JobError) {
        let data: Data
        do { data = try JSONEncoder().encode(value) } catch {
            throw JobError(.invalidArguments, "the args cannot be encoded as JSON: \(error)")
        }
        guard data.first == UInt8(ascii: "{") else {
            throw JobError(
                .invalidArguments,
                "args must be a JSON object, but \(type(of: value)) encodes to something else:"
                    + " use a struct or a dictionary with string keys")
        }
        self.init(unchecked: Array(data))
    }

    /// The object as a type of yours. Throws `DecodingError` when it does not fit.
    public func decode<Output: Decodable>(_ type: Output.Type = Output.self) throws -> Output {
        try JSONDecoder().decode(type, from: Data(bytes))
    }
}

extension Timestamp {
    /// The moment of a Foundation date.
    public init(_ date: Date) {
        self.init(seconds: date.timeIntervalSince1970)
    }

    /// As a Foundation date.
    public var date: Date { Date(timeIntervalSince1970: seconds) }
}
