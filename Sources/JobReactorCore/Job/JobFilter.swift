/// A filter for jobs by the fields of their records; nil matches all.
public struct JobFilter: Hashable, Sendable {
    public var name: String?
    public var status: JobStatus?
    /// Jobs that were made, have begun to run or have failed at this time or later.
    public var since: Timestamp?
    /// Jobs whose last error contains this text, ignoring case.
    public var error: String?

    public init(name: String? = nil, status: JobStatus? = nil, since: Timestamp? = nil, error: String? = nil) {
        self.name = name
        self.status = status
        self.since = since
        self.error = error
    }

    /// The largest number of bytes of ``error``.
    package static let errorBytes = 1024

    /// Whether the filter matches every job.
    public var isEmpty: Bool { self == JobFilter() }

    /// Whether the filter matches the job. Takes time proportional to the length of its error.
    public func matches(_ job: Job) -> Bool {
        if let name, job.name != name { return false }
        if let status, job.status != status { return false }
        if let since, job.lastSeen.map({ $0 < since }) ?? true { return false }
        guard let error, !error.isEmpty else { return true }
        return job.lastError.map { TextSearch(error).isFound(in: $0) } ?? false
    }
}

extension JobFilter: CustomStringConvertible {
    /// As in the audit log: `name greet, status failed`.
    public var description: String {
        let parts = [
            name.map { "name \($0)" }, status.map { "status \($0.rawValue)" },
            error.map { "'\($0)' in the error" }, since.map { "since \($0.seconds)" },
        ]
        return isEmpty ? "all" : parts.compactMap(\.self).joined(separator: ", ")
    }
}

extension Job {
    /// The time at which the job was made, if known: from its id, or, before its first run, from its due time.
    public var madeAt: Timestamp? {
        if let time = id.madeAt() { return time }
        return runs == 0 && attempt == 0 ? dueAt.advanced(bySeconds: -(makeAfter ?? 0)) : nil
    }

    /// When it was last made, begun or failed; nil when none of it is known.
    var lastSeen: Timestamp? { [madeAt, runAt, failedAt].compactMap(\.self).max() }
}

/// Looks for one text in others, small and capital letters alike. A text of ASCII is compared byte by byte; any other as the
/// small letters of both. Its time is in proportion to the length of both, whatever is in them.
struct TextSearch {
    private let text: [UInt8]
    private let isASCII: Bool
    /// How many bytes of the text match again behind a mismatch after so many.
    private let restart: [Int]

    init(_ text: String) {
        isASCII = text.utf8.allSatisfy { $0 < 0x80 }
        let text = (isASCII ? text : text.lowercased()).utf8.map(Self.capital)
        var restart = [Int](repeating: 0, count: text.count)
        var matched = 0
        for index in text.indices.dropFirst() {
            while matched > 0, text[index] != text[matched] { matched = restart[matched - 1] }
            if text[index] == text[matched] { matched += 1 }
            restart[index] = matched
        }
        (self.text, self.restart) = (text, restart)
    }

    func isFound(in other: String) -> Bool {
        isFound(in: isASCII ? other.utf8 : other.lowercased().utf8)
    }

    private func isFound(in other: String.UTF8View) -> Bool {
        if text.isEmpty { return true }
        var matched = 0
        for byte in other {
            let byte = Self.capital(byte)
            while matched > 0, byte != text[matched] { matched = restart[matched - 1] }
            if byte == text[matched] { matched += 1 }
            if matched == text.count { return true }
        }
        return false
    }

    private static func capital(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") ? byte &- 32 : byte
    }
}
