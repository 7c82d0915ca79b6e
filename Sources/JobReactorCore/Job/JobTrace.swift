/// The trace context of a job: the fields that an instrument injects for the span that enqueued it, such as
/// `traceparent` and `tracestate`. It travels with the job to its node, and with requests that the job makes.
///
/// Its JSON is an object of strings, `{"traceparent":"00-4bf9…-01"}`, of at most ``JobLimits/traceBytes``. A retried
/// job also has the context of its previous run, as the object `last_run`.
public final class JobTrace: Hashable, Sendable {
    public let fields: [String: String]
    /// The context of the run that failed before this attempt; empty for none.
    public let lastRun: [String: String]

    private static let lastRunKey = "last_run"

    /// Keeps as many fields as fit, those of W3C Trace Context first, and the fields of the last run if all of them
    /// fit; nil if nothing fits.
    public init?(_ fields: [String: String], lastRun: [String: String] = [:]) {
        var room = JobLimits.traceBytes - "{}".utf8.count
        func take(_ size: Int) -> Bool {
            guard size <= room else { return false }
            room -= size
            return true
        }
        var taken: [String: String] = [:]
        for (key, value) in fields.sorted(by: Self.isBefore) where key != Self.lastRunKey {
            if take(Self.size(key, value)) { taken[key] = value }
        }
        let size = lastRun.reduce(Self.size(Self.lastRunKey, "")) { $0 + Self.size($1.key, $1.value) }
        self.fields = taken
        self.lastRun = !lastRun.isEmpty && take(size) ? lastRun : [:]
        if taken.isEmpty, self.lastRun.isEmpty { return nil }
    }

    /// Reads its JSON; nil if it is invalid or too long. Other members are ignored.
    public convenience init?(json: some Collection<UInt8>) {
        guard json.count <= JobLimits.traceBytes, let members = try? JSONValue(parsing: json).object else { return nil }
        let lastRun = members[Self.lastRunKey]?.object ?? [:]
        self.init(members.compactMapValues(\.string), lastRun: lastRun.compactMapValues(\.string))
    }

    /// As JSON; keys are sorted.
    public var json: String {
        var members = fields.mapValues { JSONValue.string($0) }
        if !lastRun.isEmpty { members[Self.lastRunKey] = .object(lastRun.mapValues { .string($0) }) }
        return JSONValue.object(members).json
    }

    /// Bytes of a member, with what stands around it.
    private static func size(_ key: String, _ value: String) -> Int {
        JSONValue.object([key: .string(value)]).json.utf8.count
    }

    private static func isBefore(_ left: (key: String, value: String), _ right: (key: String, value: String)) -> Bool {
        func rank(_ key: String) -> Int { ["traceparent": 0, "tracestate": 1][key.lowercased()] ?? 2 }
        return (rank(left.key), left.key) < (rank(right.key), right.key)
    }

    public static func == (left: JobTrace, right: JobTrace) -> Bool {
        left.fields == right.fields && left.lastRun == right.lastRun
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(fields)
        hasher.combine(lastRun)
    }
}
