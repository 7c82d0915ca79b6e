/// The report of a node to the distributor about one run. The node keeps it until the distributor has it.
public struct JobReport: Hashable, Sendable, Codable {
    /// Identifies a report: the runs of a job are numbered from 1 and never reset.
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
    /// The status of the job after the run; an unfinished job runs again.
    public var status: JobStatus
    /// The number of the run, from 1.
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
