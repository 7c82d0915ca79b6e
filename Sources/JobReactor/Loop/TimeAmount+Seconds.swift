package import NIOCore

extension TimeAmount {
    /// A number of seconds from a user, clamped: a negative one becomes 0, a huge one a very long time.
    package static func seconds(clamping seconds: Double) -> TimeAmount {
        .microseconds(Int64(min(max(0, seconds), 1e9) * 1_000_000))
    }
}
