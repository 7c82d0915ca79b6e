public import JobReactorCore

/// The outcome of a run that went well: what the success feedback gets.
public struct JobResult: Hashable, Sendable {
    public let id: JobID
    public let name: String
    /// The args as the job and its callbacks left them.
    public let args: JobArguments
    /// `complete`, `cancelled`, or `queued` for a periodic job that will run again.
    public let status: JobStatus

    /// One member of ``args``, decoded; nil when it is absent.
    public subscript(key: String) -> JSONValue? { args[key] }

    /// The args as a type of yours. Throws `DecodingError` when they do not fit.
    public func decode<Output: Decodable>(_ type: Output.Type = Output.self) throws -> Output {
        try args.decode(type)
    }
}

/// The end of a job that failed on its last attempt, or was cancelled by an errback: what the error feedback gets, and
/// what `perform` throws.
public struct JobFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public let id: JobID
    public let name: String
    /// The args as the errbacks left them, with `error`, and `errback_error` when an errback raised.
    public let args: JobArguments
    /// `failed` or `cancelled`.
    public let status: JobStatus

    public subscript(key: String) -> JSONValue? { args[key] }

    /// `args.error` as text: `file:line: message`, or what the job raised as a table.
    public var message: String {
        switch args["error"] {
        case .string(let text): text
        case .some(let value): value["message"]?.string ?? value.json
        case nil: "the job failed"
        }
    }

    /// Why an errback failed, as text; nil when none did.
    public var errbackMessage: String? { args["errback_error"].map { $0.string ?? $0.json } }

    public var description: String {
        let errback = errbackMessage.map { "; an errback failed: \($0)" } ?? ""
        return "job \(name) (\(id)) \(status.rawValue): \(message)\(errback)"
    }
}
