private import Dispatch

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// Keeps a steady rate, whatever becomes of what it sends.
enum Pacer {
    /// Nanoseconds of the monotonic clock.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Calls `send` on a thread of its own, again and again, with the times at which something was to be sent since it was
    /// called last, until it has named `count` times.
    static func run(count: Int, perSecond: Double, _ send: @escaping @Sendable ([Int64]) -> Void) async {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "jobreactor.bench.pacer").async {
                let start = now
                var named = 0
                while named < count {
                    let due = min(count, Int(Double(now - start) / 1e9 * perSecond))
                    if due > named {
                        send((named..<due).map { start + Int64(Double($0) / perSecond * 1e9) })
                        named = due
                    }
                    // Short beside what is measured, and long enough to leave the cores to it.
                    usleep(100)
                }
                continuation.resume()
            }
        }
    }
}
