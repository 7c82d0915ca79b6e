#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif
public import JobReactorCore

extension JobArguments {
    /// Encodes the value as JSON: dates as seconds since 1970, like `now()` in scripts, and data as Base64. Throws
    /// `JobError.Code.invalidArguments` if it does not encode to an object, or, with the path, for NaN and infinite
    /// numbers, which JSON cannot represent.
    public init(encoding value: some Encodable) throws(JobError) {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .secondsSince1970
        let data: Data
        do { data = try encoder.encode(value) } catch { throw Self.refusal(of: error) }
        guard data.first == UInt8(ascii: "{") else {
            throw JobError(
                .invalidArguments,
                "args must be a JSON object, but \(type(of: value)) encodes to something else:"
                    + " use a struct or a dictionary with string keys")
        }
        // An encoder writes what no reader takes as well, such as a decimal number that is none.
        do throws(JSONError) { try self.init(json: Array(data)) } catch {
            throw JobError(.invalidArguments, "the args cannot be encoded as JSON: \(error)")
        }
    }

    private static func refusal(of error: any Error) -> JobError {
        if let error = error as? JobError { return error }
        guard case EncodingError.invalidValue(let value, let context) = error else {
            return JobError(.invalidArguments, "the args cannot be encoded as JSON: \(error)")
        }
        let steps = context.codingPath.map { key in key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)" }
        let problem = (value as? any FloatingPoint)?.problemInJSON
        return JobError(
            .invalidArguments,
            "args\(steps.joined()): \(problem ?? "\(type(of: value)) cannot be encoded: \(context.debugDescription)")")
    }

    /// Decodes the object into your type; dates are seconds since 1970. Throws `DecodingError` if it does not fit.
    public func decode<Output: Decodable>(_ type: Output.Type = Output.self) throws -> Output {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .secondsSince1970
        return try decoder.decode(type, from: Data(bytes))
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
