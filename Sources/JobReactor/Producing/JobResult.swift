public import JobReactorCore

/// The outcome of a successful run, for the success feedback.
public struct JobResult: Hashable, Sendable {
    public let id: JobID
    public let name: String
    /// The args after the job and its callbacks.
    public let args: JobArguments
    /// `complete`, `cancelled`, or `queued` for a periodic job that will run again.
    public let status: JobStatus

    /// One decoded member of ``args``; nil if it is absent.
    public subscript(key: String) -> JSONValue? { args[key] }

    /// Decodes the args into your type. Throws `DecodingError` if they do not fit.
    public func decode<Output: Decodable>(_ type: Output.Type = Output.self) throws -> Output {
        try args.decode(type)
    }
}

/// The end of a job that failed on its last attempt or was cancelled by an errback. The error feedback gets it, and
/// `perform` throws it.
public struct JobFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public let id: JobID
    public let name: String
    /// The args after the errbacks, with `error`, and with `errback_error` if an errback raised an error.
    public let args: JobArguments
    /// `failed` or `cancelled`.
    public let status: JobStatus

    public subscript(key: String) -> JSONValue? { args[key] }

    /// `args.error` as text: `file:line: message`, or the text of a raised table.
    public var message: String {
        switch args["error"] {
        case .string(let text): text
        case .some(let value): value["message"]?.string ?? value.json
        case nil: "the job failed"
        }
    }

    /// The error of a failed errback as text; nil if none failed.
    public var errbackMessage: String? { args["errback_error"].map { $0.string ?? $0.json } }

    public var description: String {
        let errback = errbackMessage.map { "; an errback failed: \($0)" } ?? ""
        return "job \(name) (\(id)) \(status.rawValue): \(message)\(errback)"
    }
}
