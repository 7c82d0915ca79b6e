public import JobReactorCore

/// How far a running job is, as it says itself with `progress(fraction, text)`.
public struct JobProgress: Hashable, Sendable {
    public let id: JobID
    public let name: String
    /// From 0 to 1; nil when the job said only a text.
    public let fraction: Double?
    /// Empty when the job said only a fraction.
    public let text: String

    public init(id: JobID, name: String, fraction: Double?, text: String) {
        self.id = id
        self.name = name
        self.fraction = fraction
        self.text = text
    }
}
