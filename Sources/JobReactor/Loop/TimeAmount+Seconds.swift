package import NIOCore

extension TimeAmount {
    /// A number of seconds that somebody chose: what is negative is none, and what is beyond all times a very long one.
    package static func seconds(clamping seconds: Double) -> TimeAmount {
        .microseconds(Int64(min(max(0, seconds), 1e9) * 1_000_000))
    }
}
