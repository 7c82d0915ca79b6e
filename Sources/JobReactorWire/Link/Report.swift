package import JobReactorCore

/// What a node tells the distributor about one run, until the distributor has it.
package struct Report: Hashable, Sendable {
    package var id: JobID
    /// The job's name, for handlers that are registered by it.
    package var name: String
    package var feedback: Feedback
    /// Where the run left the job; not finished means that it runs again.
    package var status: JobStatus
    /// Which run of the job it was, from 1.
    package var run: Int32

    package init(id: JobID, name: String, feedback: Feedback, status: JobStatus, run: Int32) {
        self.id = id
        self.name = name
        self.feedback = feedback
        self.status = status
        self.run = run
    }
}

/// What a running job says of how far it is. Only the last one counts, so it may get lost.
package struct Progress: Hashable, Sendable {
    package var id: JobID
    /// Which run of the job it is, from 1.
    package var run: Int32
    /// From 0 to 1; nil when the job says only where it is.
    package var fraction: Double?
    package var text: String

    package init(id: JobID, run: Int32, fraction: Double?, text: String) {
        self.id = id
        self.run = run
        self.fraction = fraction
        self.text = text
    }
}
