/// What a node tells the distributor about one run, until the distributor has it.
public struct JobReport: Hashable, Sendable, Codable {
    /// Tells a report from all others: the runs of a job are numbered from 1 and never set back.
    public struct Key: Hashable, Sendable, Comparable, Codable {
        public var id: JobID
        public var run: Int32

        public init(id: JobID, run: Int32) {
            self.id = id
            self.run = run
        }

        public static func < (left: Key, right: Key) -> Bool { (left.id, left.run) < (right.id, right.run) }
    }

    public var id: JobID
    /// The job's name, for handlers that are registered by it.
    public var name: String
    public var feedback: Feedback
    /// Where the run left the job; not finished means that it runs again.
    public var status: JobStatus
    /// Which run of the job it was, from 1.
    public var run: Int32

    public init(id: JobID, name: String, feedback: Feedback, status: JobStatus, run: Int32) {
        self.id = id
        self.name = name
        self.feedback = feedback
        self.status = status
        self.run = run
    }

    public var key: Key { Key(id: id, run: run) }
}
