/// The status of a job. The raw values are those of the gem, on the wire, in the storage and in Lua.
public enum JobStatus: String, Hashable, Sendable, CaseIterable, Codable {
    /// Accepted, not yet stored by a node.
    case new
    /// Waiting on a node for its due time or its turn.
    case queued
    case inProgress = "in progress"
    /// Succeeded; will not run again.
    case complete
    /// A step raised an error, and the errbacks run.
    case error
    /// Failed on its last attempt; will not run again.
    case failed
    case cancelled

    /// Whether the job has ended for good.
    public var isFinished: Bool {
        switch self {
        case .complete, .failed, .cancelled: true
        case .new, .queued, .inProgress, .error: false
        }
    }
}
