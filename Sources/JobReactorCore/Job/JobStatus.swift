/// Where a job stands; the raw values are those of the gem, on the wire, in storage and in Lua.
public enum JobStatus: String, Hashable, Sendable, CaseIterable, Codable {
    /// Accepted, not yet taken up by a node.
    case new
    /// Waiting on a node for its due time or its turn.
    case queued
    case inProgress = "in progress"
    /// Ran well; will not run again.
    case complete
    /// A step raised, and the errbacks run.
    case error
    /// Raised on its last attempt; will not run again.
    case failed
    case cancelled

    /// Whether the job has come to its end.
    public var isFinished: Bool {
        switch self {
        case .complete, .failed, .cancelled: true
        case .new, .queued, .inProgress, .error: false
        }
    }
}
