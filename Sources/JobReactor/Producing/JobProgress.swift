public import JobReactorCore

/// How far a running job is, as it says itself with `progress(fraction, text)`; or that it does not run, as no connected node
/// defines it.
public struct JobProgress: Hashable, Sendable {
    public let id: JobID
    public let name: String
    /// From 0 to 1; nil when the job said only a text.
    public let fraction: Double?
    /// Empty when the job said only a fraction.
    public let text: String
    /// The job waits until a node defines it, as the text says, with the nearest name that is defined.
    public let isParked: Bool

    public init(id: JobID, name: String, fraction: Double?, text: String, isParked: Bool = false) {
        self.id = id
        self.name = name
        self.fraction = fraction
        self.text = text
        self.isParked = isParked
    }
}
