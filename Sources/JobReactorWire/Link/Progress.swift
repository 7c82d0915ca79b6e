package import JobReactorCore

/// The progress of a running job. Only the latest counts, so a message may get lost.
package struct Progress: Hashable, Sendable {
    package var id: JobID
    /// The number of the run, from 1; 0 for a parked job, as the text says.
    package var run: Int32
    /// From 0 to 1; nil if the job reports only a text.
    package var fraction: Double?
    package var text: String

    /// Clamps the fraction to 0 to 1, and NaN to nil; cuts a text beyond ``JobLimits/progressBytes``.
    package init(id: JobID, run: Int32, fraction: Double?, text: String) {
        self.id = id
        self.run = run
        self.fraction = fraction.flatMap { $0.isNaN ? nil : min(max($0, 0), 1) }
        self.text = text.utf8.count > JobLimits.progressBytes ? text.cut(toBytes: JobLimits.progressBytes) : text
    }
}
