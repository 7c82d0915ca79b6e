internal import JobReactorCore

/// How many jobs came and ended in each of the last 60 minutes, as far as this process has looked. Any thread may use it.
final class Throughput: Sendable {
    struct Counts: Hashable, Sendable {
        var enqueued = 0
        var succeeded = 0
        var failed = 0
    }

    private struct State {
        var minutes: [Int64: Counts] = [:]
        /// What the counters were last.
        var last: Counts?
        var since: Timestamp?
    }

    static let minutes = 60
    private let state = Locked(State())

    init() {}

    /// The counters of `INFO jobs` are so now.
    func note(_ counts: Counts, at time: Timestamp) {
        state.withLock { state in
            let minute = Self.minute(time)
            if let last = state.last {
                var sum = state.minutes[minute] ?? Counts()
                sum.enqueued += max(0, counts.enqueued - last.enqueued)
                sum.succeeded += max(0, counts.succeeded - last.succeeded)
                sum.failed += max(0, counts.failed - last.failed)
                state.minutes[minute] = sum
            } else {
                state.since = time
            }
            state.last = counts
            if state.minutes.count > Self.minutes + 1 {
                state.minutes = state.minutes.filter { $0.key > minute - Int64(Self.minutes) && $0.key <= minute }
            }
        }
    }

    private static func minute(_ time: Timestamp) -> Int64 { Int64((time.seconds / 60).rounded(.down)) }

    /// Those of the last 60 minutes, the oldest first, and from when on there are any.
    func read(at now: Timestamp) -> (minutes: [(start: Timestamp, counts: Counts)], since: Timestamp?) {
        state.withLock { state in
            let last = Self.minute(now)
            let minutes = (0..<Int64(Self.minutes)).map { index in
                let minute = last - Int64(Self.minutes) + 1 + index
                return (Timestamp(seconds: Double(minute) * 60), state.minutes[minute] ?? Counts())
            }
            return (minutes, state.since)
        }
    }
}
