private import Histogram
private import JobReactorCore

/// How long things took, by HdrHistogram with three significant digits. From any thread.
final class Latencies: Sendable {
    private let histogram = Locked(Histogram<UInt64>(numberOfSignificantValueDigits: .three))

    func add(nanoseconds: Int64) {
        histogram.withLock { histogram in _ = histogram.record(UInt64(max(0, nanoseconds))) }
    }

    /// In microseconds; `percent` from 0 to 100.
    func percentile(_ percent: Double) -> Double {
        histogram.withLock { Double($0.valueAtPercentile(percent)) / 1000 }
    }

    static let percentiles: [(name: String, percent: Double)] = [("p50", 50), ("p99", 99), ("p999", 99.9)]

    /// A figure for each percentile, with those of another as its limits.
    func figures(
        _ name: String, limit: (latencies: Latencies, name: String)?,
        goals: [String: BenchFigure.Goal] = [:], remark: String = ""
    ) -> [BenchFigure] {
        Self.percentiles.map { key, percent in
            let value = percentile(percent)
            let beside = limit.map { limit in
                let least = limit.latencies.percentile(percent)
                return BenchFigure.Limit(value: least, ratio: value / least, name: limit.name)
            }
            return BenchFigure(
                name: "\(name)_\(key)", value: value, unit: "us", limit: beside, goal: goals[key], remark: remark)
        }
    }
}
