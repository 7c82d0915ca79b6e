public import JobReactorCore

/// The progress that a running job reports with `progress(fraction, text)`, or the message that the job is parked
/// because no connected node defines it.
public struct JobProgress: Hashable, Sendable {
    public let id: JobID
    public let name: String
    /// From 0 to 1; nil if the job reported only a text.
    public let fraction: Double?
    /// Empty if the job reported only a fraction.
    public let text: String
    /// Whether the job waits until a node defines it; the text says so, with the nearest defined name.
    public let isParked: Bool

    public init(id: JobID, name: String, fraction: Double?, text: String, isParked: Bool = false) {
        self.id = id
        self.name = name
        self.fraction = fraction
        self.text = text
        self.isParked = isParked
    }
}
