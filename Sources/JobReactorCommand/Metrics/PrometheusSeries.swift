internal import CoreMetrics
internal import JobReactorCore
private import Synchronization

/// What the registry keeps of one name and one set of labels. Any thread may count while another reads.
protocol PrometheusSeries: AnyObject, Sendable {
    func write(_ name: String, _ labels: String, to text: inout PrometheusText)
}

final class PrometheusCounter: PrometheusSeries, CounterHandler {
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) { value.wrappingAdd(max(0, amount), ordering: .relaxed) }

    func reset() { value.store(0, ordering: .relaxed) }

    func write(_ name: String, _ labels: String, to text: inout PrometheusText) {
        text.add(name, labels, value.load(ordering: .relaxed))
    }
}

final class PrometheusGauge: PrometheusSeries, RecorderHandler {
    private let bits = Atomic<UInt64>(0)

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func write(_ name: String, _ labels: String, to text: inout PrometheusText) {
        text.add(name, labels, Double(bitPattern: bits.load(ordering: .relaxed)))
    }
}

/// Times, counted by how long they are.
final class PrometheusHistogram: PrometheusSeries, TimerHandler, RecorderHandler {
    /// The upper bounds of what is counted apart, in nanoseconds: from one millisecond to one hour.
    static let bounds: [Int64] = [
        1_000_000, 5_000_000, 25_000_000, 100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000,
        10_000_000_000, 60_000_000_000, 300_000_000_000, 3_600_000_000_000,
    ]
    private static let boundTexts = bounds.map { PrometheusText.number(seconds($0)) } + ["+Inf"]

    private struct State {
        /// One more than there are bounds.
        var counts = [Int64](repeating: 0, count: PrometheusHistogram.bounds.count + 1)
        var sum: Int64 = 0
    }

    private let state = Locked(State())

    func recordNanoseconds(_ duration: Int64) {
        let bucket = Self.bounds.firstIndex { duration <= $0 } ?? Self.bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum &+= max(0, duration)
        }
    }

    /// Seconds.
    func record(_ value: Double) {
        recordNanoseconds(Int64(max(0, min(value, 1e9)) * 1e9))
    }

    func record(_ value: Int64) { record(Double(value)) }

    func write(_ name: String, _ labels: String, to text: inout PrometheusText) {
        let (counts, sum) = state.withLock { ($0.counts, $0.sum) }
        let before = labels.isEmpty ? "" : labels + ","
        var total: Int64 = 0
        for (bound, count) in zip(Self.boundTexts, counts) {
            total += count
            text.add("\(name)_bucket", "\(before)le=\"\(bound)\"", total)
        }
        text.add("\(name)_sum", labels, Self.seconds(sum))
        text.add("\(name)_count", labels, total)
    }

    private static func seconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds) / 1e9 }
}
