/// The maximum number of runs, at once and within a time.
public struct Limit: Hashable, Sendable {
    /// What happens to a job that may not run yet.
    public enum WhenFull: String, Hashable, Sendable, CaseIterable, Codable {
        case wait
        /// It ends as cancelled.
        case discard
    }

    /// The unique name of the limit; a limit that a job defines for itself has the job's name.
    public var name: String
    /// Runs at once, from 1 to ``most``; nil for any number. Suspended runs count.
    public var concurrency: Int?
    /// Runs that begin within any ``per`` seconds, from 1 to ``most``; nil for any number.
    public var rate: Int?
    /// Above 0, to ``JobLimits/seconds``.
    public var per: Double
    /// The member of args whose values are counted separately; nil to count all jobs together.
    public var key: String?
    public var whenFull: WhenFull

    /// The largest concurrency and rate. For a rate, up to this many times are kept for each key.
    public static let most = 1_000_000

    public init(
        name: String, concurrency: Int? = nil, rate: Int? = nil, per: Double = 1, key: String? = nil,
        whenFull: WhenFull = .wait
    ) {
        self.name = name
        self.concurrency = concurrency
        self.rate = rate
        self.per = per
        self.key = key
        self.whenFull = whenFull
    }

    /// Checks the values. The error says what is allowed.
    public func validate() throws(JobError) {
        if let problem = Name.problem(in: name) { throw JobError(.invalidName, "the limit's name \(problem)") }
        for (option, number) in [("concurrency", concurrency), ("rate", rate)] {
            if let number, number < 1 || number > Self.most {
                throw JobError(
                    .invalidOption, "\(option) takes a whole number from 1 to \(Self.most), not \(number)")
            }
        }
        guard concurrency != nil || rate != nil else {
            throw JobError(.invalidOption, "the limit '\(name)' limits nothing: give it a concurrency or a rate")
        }
        guard per > 0, per <= JobLimits.seconds else {
            throw JobError(.invalidOption, "per takes seconds above 0 up to \(Int(JobLimits.seconds)), not \(per)")
        }
        if let key, key.isEmpty || key.utf8.count > JobLimits.nameBytes {
            throw JobError(
                .invalidOption, "key takes the name of a member of args, of 1 to \(JobLimits.nameBytes) bytes")
        }
    }

    /// The part of the limit that a job with these args needs.
    public func need(of args: JobArguments) -> LimitNeed {
        LimitNeed(limit: name, key: key.map { (args[$0] ?? .null).keyText })
    }
}

/// The part of a limit that a job needs to run, for one value of the key if the limit has one.
public struct LimitNeed: Hashable, Sendable, Comparable {
    public let limit: String
    /// The value of the limit's key in the job's args, as JSON; nil if all jobs count together.
    public let key: String?

    public init(limit: String, key: String? = nil) {
        self.limit = limit
        self.key = key
    }

    public static func < (left: LimitNeed, right: LimitNeed) -> Bool {
        left.limit == right.limit ? (left.key ?? "") < (right.key ?? "") : left.limit < right.limit
    }
}

extension JSONValue {
    /// The value as a key: its JSON, where that is short, else a digest of it. Keys of objects are sorted, so equal values have
    /// equal keys, and others have others.
    var keyText: String {
        var bytes: [UInt8] = []
        JSONWriter.write(self, into: &bytes)
        return bytes.count <= 128 ? String(decoding: bytes, as: UTF8.self) : "sha256:\(SHA256.hexadecimal(bytes))"
    }
}

/// What is in use of a limit, and what waits for it, of all its keys together.
package struct LimitTotal: Hashable, Sendable {
    package let limit: Limit
    /// Runs under way.
    package let inUse: Int
    /// Jobs that wait and need it, for whatever reason.
    package let waiting: Int

    package init(limit: Limit, inUse: Int, waiting: Int) {
        self.limit = limit
        self.inUse = inUse
        self.waiting = waiting
    }
}
