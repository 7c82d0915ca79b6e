#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// A time of the wall clock: microseconds since 1970-01-01 00:00 UTC. Where stated, a time of a monotonic clock with
/// its own origin.
public struct Timestamp: Hashable, Sendable, Comparable {
    public var microseconds: Int64

    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// Seconds since 1970, rounded to microseconds and clamped to the range. NaN becomes the largest time, so that it
    /// is refused as a job's `run_at`.
    public init(seconds: Double) {
        let scaled = seconds * 1_000_000
        if scaled.isNaN || scaled >= 9.2e18 {
            microseconds = .max
        } else if scaled <= -9.2e18 {
            microseconds = .min
        } else {
            microseconds = Int64(scaled.rounded())
        }
    }

    /// Seconds since 1970.
    public var seconds: Double { Double(microseconds) / 1_000_000 }

    @inlinable public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microseconds < right.microseconds
    }

    /// The time `seconds` later (earlier if negative), clamped to the range; the same time for NaN.
    public func advanced(bySeconds seconds: Double) -> Timestamp {
        seconds.isNaN ? self : advanced(byMicroseconds: Timestamp(seconds: seconds).microseconds)
    }

    /// As ``advanced(bySeconds:)``, exact to the microsecond.
    package func advanced(byMicroseconds delta: Int64) -> Timestamp {
        let (sum, overflow) = microseconds.addingReportingOverflow(delta)
        return Timestamp(microseconds: overflow ? (delta > 0 ? .max : .min) : sum)
    }

    /// Microseconds from the other time to this one, clamped to the range.
    package func elapsed(since other: Timestamp) -> Int64 {
        let (difference, overflow) = microseconds.subtractingReportingOverflow(other.microseconds)
        return overflow ? (self < other ? .min : .max) : difference
    }

    /// The system's wall clock.
    public static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}

/// The source of time of a component. Tests use their own.
public struct WallClock: Sendable {
    private let read: @Sendable () -> Timestamp

    /// `read` may be called on any thread, at any time.
    public init(_ read: @escaping @Sendable () -> Timestamp) {
        self.read = read
    }

    public var now: Timestamp { read() }

    /// The system's clock.
    public static let system = WallClock { .now }
}
