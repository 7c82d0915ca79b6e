/// The metrics of the first ``most`` names, and common ones with the name `other` for all further names, because names
/// come from outside and a backend never releases metrics. They are made once and kept.
package struct MetricsByName<Metrics> {
    /// The largest number of separate names.
    package static var most: Int { 100 }
    private static var other: String { "other" }

    private var known: [String: Metrics] = [:]
    private var others: Metrics?
    private let make: (String) -> Metrics

    package init(_ make: @escaping (String) -> Metrics) { self.make = make }

    package subscript(name: String) -> Metrics {
        mutating get {
            if let metrics = known[name] { return metrics }
            guard known.count < Self.most else {
                let metrics = others ?? make(Self.other)
                others = metrics
                return metrics
            }
            let metrics = make(name)
            known[name] = metrics
            return metrics
        }
    }

    /// Makes the metrics of these names now instead of when a job arrives.
    package mutating func prepare(_ names: some Sequence<String>) {
        for name in names {
            guard known.count < Self.most else { return }
            _ = self[name]
        }
    }
}
