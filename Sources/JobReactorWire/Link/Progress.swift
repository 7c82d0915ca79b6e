package import JobReactorCore

/// What a running job says of how far it is. Only the last one counts, so it may get lost.
package struct Progress: Hashable, Sendable {
    package var id: JobID
    /// Which run of the job it is, from 1; 0 of a job that waits as no connected node defines it, which the text says.
    package var run: Int32
    /// From 0 to 1; nil when the job says only where it is.
    package var fraction: Double?
    package var text: String

    /// A fraction beyond 0 and 1 becomes the nearer of them, NaN nil; a text beyond ``JobLimits/progressBytes`` is cut.
    package init(id: JobID, run: Int32, fraction: Double?, text: String) {
        self.id = id
        self.run = run
        self.fraction = fraction.flatMap { $0.isNaN ? nil : min(max($0, 0), 1) }
        self.text = text.utf8.count > JobLimits.progressBytes ? text.cut(toBytes: JobLimits.progressBytes) : text
    }
}
