/// The outcome of one run of a job's steps, before ``JobLifecycle`` decides about it.
public struct RunOutcome: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// The body and all callbacks succeeded.
        case succeeded
        /// Cancelled by the body or a callback.
        case cancelled
        /// A step raised an error; the errbacks or the backoff function have still to run.
        case raised
        /// A step raised an error; the errbacks have run.
        case failed
        /// As `failed`, and an errback cancelled the job.
        case failedCancelled
        /// The node no longer defines the job; nothing ran.
        case undefined
    }

    public var kind: Kind
    /// The current args, without `error`, `errback_error` and `job_itself`.
    public var args: JobArguments
    /// What only runs that raised have, kept apart: the others are handed on with less.
    private var failure: Failure?

    private struct Fields: Hashable, Sendable {
        var error: [UInt8]?
        var errbackError: [UInt8]?
        var message: String?
        var traceback: String?
        var step: String?
        var retryIn: Double?
    }

    private final class Failure: Hashable, Sendable {
        let fields: Fields
        init?(_ fields: Fields) {
            if fields == Fields() { return nil }
            self.fields = fields
        }
        static func == (left: Failure, right: Failure) -> Bool { left.fields == right.fields }
        func hash(into hasher: inout Hasher) { hasher.combine(fields) }
    }

    public init(
        _ kind: Kind, args: JobArguments, error: [UInt8]? = nil, errbackError: [UInt8]? = nil, message: String? = nil,
        traceback: String? = nil, retryIn: Double? = nil
    ) {
        self.kind = kind
        self.args = args
        guard error != nil || errbackError != nil || message != nil || traceback != nil || retryIn != nil else {
            return
        }
        failure = Failure(
            Fields(error: error, errbackError: errbackError, message: message, traceback: traceback, retryIn: retryIn))
    }

    /// Whether there is an error, a text of one or a wait: most runs have none.
    var hasFailure: Bool { failure != nil }

    /// JSON of `args.error`, for `raised`, `failed` and `failedCancelled`.
    public var error: [UInt8]? {
        get { failure?.fields.error }
        set { set(\.error, newValue) }
    }
    /// JSON of `args.errback_error`, if an errback raised an error.
    public var errbackError: [UInt8]? {
        get { failure?.fields.errbackError }
        set { set(\.errbackError, newValue) }
    }
    /// ``errbackError`` as text.
    package var errbackText: String? {
        guard let errbackError else { return nil }
        let value = try? JSONValue(parsing: errbackError)
        return value?.string ?? String(decoding: errbackError, as: UTF8.self)
    }
    /// The error as text.
    public var message: String? {
        get { failure?.fields.message }
        set { set(\.message, newValue) }
    }
    public var traceback: String? {
        get { failure?.fields.traceback }
        set { set(\.traceback, newValue) }
    }
    /// The step that raised the error, such as `callback 'notify'`; nil for the body.
    public var step: String? {
        get { failure?.fields.step }
        set { set(\.step, newValue) }
    }
    /// Seconds to the next attempt, if an errback or the job's backoff function set them.
    public var retryIn: Double? {
        get { failure?.fields.retryIn }
        set { set(\.retryIn, newValue) }
    }

    private mutating func set<Value: Equatable>(_ key: WritableKeyPath<Fields, Value?>, _ value: Value?) {
        if value == nil, failure == nil { return }
        var fields = failure?.fields ?? Fields()
        fields[keyPath: key] = value
        failure = Failure(fields)
    }
}
