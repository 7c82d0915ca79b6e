internal import CoreMetrics
internal import JobReactorCore

/// The backend for metrics of a server with `--http`: keeps what is counted, and writes it as Prometheus reads it.
///
/// A counter `x` is `x_total` there, a timer the histogram `x_seconds`, a gauge `x`. The labels `job` and `instance`, which
/// Prometheus gives by itself to all that it reads, are `job_name` and `instance_name`. Names and labels come from outside:
/// of each name there are at most ``mostSeries``, and what comes then is counted as one whose labels are all `other`.
final class PrometheusRegistry: MetricsFactory {
    /// More than ``MetricsByName`` tells apart of jobs, for one node.
    static let mostSeries = 1000
    /// Names of metrics. Beyond it nothing is kept.
    static let mostFamilies = 1000

    private struct Family {
        let kind: PrometheusText.Kind
        let help: String
        /// By their labels, as they are written.
        var series: [String: any PrometheusSeries] = [:]
    }

    private let families = Locked<[String: Family]>([:])
    private let helps: [String: String]

    /// `helps` has the texts that go with names.
    init(_ helps: [String: String] = [:]) { self.helps = helps }

    /// Writes all of it, by name.
    func write(to text: inout PrometheusText) {
        let families = families.withLock { $0 }
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            text.begin(name, family.kind, help: family.help)
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                series.write(name, labels, to: &text)
            }
        }
    }

    /// What is counted under that name and those labels, which `make` makes when it is new. Nil where the name is of another
    /// kind, or one too many.
    private func series<Series: PrometheusSeries>(
        _ label: String, _ suffix: String, _ kind: PrometheusText.Kind, _ dimensions: [(String, String)],
        _ make: () -> Series
    ) -> Series? {
        let name = Self.name(label, suffix)
        let help = helps[label].map { $0 + "." } ?? "Counted by a library under the name \(label)."
        let known: (any PrometheusSeries)? = families.withLock { families in
            if families[name] == nil {
                guard families.count < Self.mostFamilies else { return nil }
                families[name] = Family(kind: kind, help: help)
            }
            guard families[name]?.kind == kind else { return nil }
            var labels = PrometheusText.labels(dimensions.map { (Self.label($0.0), $0.1) })
            if let known = families[name]?.series[labels] { return known }
            if families[name]?.series.count ?? 0 >= Self.mostSeries {
                labels = PrometheusText.labels(dimensions.map { (Self.label($0.0), "other") })
                if let known = families[name]?.series[labels] { return known }
            }
            let new = make()
            families[name]?.series[labels] = new
            return new
        }
        return known as? Series
    }

    /// The name with the ending that its kind has.
    static func name(_ label: String, _ suffix: String) -> String {
        let name = PrometheusText.name(label)
        return name.hasSuffix(suffix) ? name : name + suffix
    }

    private static func label(_ name: String) -> String {
        name == "job" || name == "instance" ? name + "_name" : name
    }

    // MARK: Handlers

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, "_total", .counter, dimensions) { PrometheusCounter() } ?? NOOPMetricsHandler.instance
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        if aggregate {
            return series(label, "", .histogram, dimensions) { PrometheusHistogram() } ?? NOOPMetricsHandler.instance
        }
        return series(label, "", .gauge, dimensions) { PrometheusGauge() } ?? NOOPMetricsHandler.instance
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, "_seconds", .histogram, dimensions) { PrometheusHistogram() } ?? NOOPMetricsHandler.instance
    }

    func destroyCounter(_ handler: any CounterHandler) { destroy(handler) }
    func destroyRecorder(_ handler: any RecorderHandler) { destroy(handler) }
    func destroyTimer(_ handler: any TimerHandler) { destroy(handler) }

    private func destroy(_ handler: AnyObject) {
        families.withLock { families in
            for (name, family) in families {
                guard let labels = family.series.first(where: { $0.value === handler })?.key else { continue }
                families[name]?.series[labels] = nil
                if families[name]?.series.isEmpty == true { families[name] = nil }
                return
            }
        }
    }
}
