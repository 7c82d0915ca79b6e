/// The metrics of each of the first ``most`` names, and those of all others, which have the name `other`: names come from
/// outside, and a backend keeps what it has once been given. They are made once, and kept.
package struct MetricsByName<Metrics> {
    /// How many names are told apart.
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

    /// Makes those of these names now, so that none is made when a job comes.
    package mutating func prepare(_ names: some Sequence<String>) {
        for name in names {
            guard known.count < Self.most else { return }
            _ = self[name]
        }
    }
}
