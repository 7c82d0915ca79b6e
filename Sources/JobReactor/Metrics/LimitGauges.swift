internal import CoreMetrics
internal import JobReactorCore

/// What is in use of limits, by their names: of the first 100 apart, and of all others together, as for ``MetricsByName``. A limit that
/// is there no more stands at 0.
final class LimitGauges {
    private struct OfLimit {
        let inUse, waiting, size: Gauge

        init(_ name: String, _ backend: MetricsBackend) {
            func gauge(_ what: String) -> Gauge {
                backend.gauge("jobreactor_distributor_limit_\(what)", ("limit", name))
            }
            inUse = gauge("in_use")
            waiting = gauge("waiting")
            size = gauge("size")
        }
    }

    private struct Values: Equatable {
        var inUse = 0
        var waiting = 0
        var size = 0
    }

    private var limits: MetricsByName<OfLimit>
    private var last: [String: Values] = [:]
    private static let other = "other"

    init(_ backend: MetricsBackend) {
        limits = MetricsByName { OfLimit($0, backend) }
    }

    /// Returns whether one differs from what it was.
    func set(_ totals: [LimitTotal]) -> Bool {
        var values = last.mapValues { _ in Values() }
        for total in totals {
            let isKnown = values[total.limit.name] != nil || values.count < MetricsByName<OfLimit>.most
            let name = isKnown ? total.limit.name : Self.other
            values[name, default: Values()].inUse += total.inUse
            values[name, default: Values()].waiting += total.waiting
            values[name, default: Values()].size += total.limit.concurrency ?? 0
        }
        let changed = values.filter { last[$0.key] != $0.value }
        for (name, value) in changed where name != Self.other { record(value, name) }
        // Last: only when the others have their gauges is it not one of them.
        if let value = changed[Self.other] { record(value, Self.other) }
        last = values
        return !changed.isEmpty
    }

    private func record(_ value: Values, _ name: String) {
        let gauges = limits[name]
        gauges.inUse.record(value.inUse)
        gauges.waiting.record(value.waiting)
        gauges.size.record(value.size)
    }
}
