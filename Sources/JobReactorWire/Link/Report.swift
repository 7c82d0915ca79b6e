package import JobReactorCore

/// What a node tells the distributor about one run, until the distributor has it.
package struct Report: Hashable, Sendable {
    package var id: JobID
    package var feedback: Feedback
    /// Where the run left the job; not finished means that it runs again.
    package var status: JobStatus
    /// Which run of the job it was, from 1.
    package var run: Int32

    package init(id: JobID, feedback: Feedback, status: JobStatus, run: Int32) {
        self.id = id
        self.feedback = feedback
        self.status = status
        self.run = run
    }
}
