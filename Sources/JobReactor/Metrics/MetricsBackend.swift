package import CoreMetrics
package import JobReactorCore

/// The metrics backend of a distributor, a node or a client: the one that the program has bootstrapped, or that is
/// bound to the task that makes the object.
package struct MetricsBackend: Sendable {
    private let factory: any MetricsFactory
    /// What all metrics made here have, such as the node's name.
    private let labels: [(String, String)]

    /// Nil without a backend: then nothing is counted.
    package init?(labels: [(String, String)] = []) {
        let factory = MetricsSystem.factory
        if factory is NOOPMetricsHandler { return nil }
        self.factory = factory
        self.labels = labels
    }

    package func counter(_ name: String, _ label: (String, String)? = nil) -> Counter {
        Counter(label: name, dimensions: labels + (label.map { [$0] } ?? []), factory: factory)
    }

    package func timer(_ name: String, _ label: (String, String)? = nil) -> Timer {
        Timer(label: name, dimensions: labels + (label.map { [$0] } ?? []), factory: factory)
    }

    package func gauge(_ name: String, _ label: (String, String)? = nil) -> Gauge {
        Gauge(label: name, dimensions: labels + (label.map { [$0] } ?? []), factory: factory)
    }
}

extension Timer {
    /// Records the time between two moments; nothing if the clock was set back meanwhile.
    package func record(from began: Timestamp, to ended: Timestamp) {
        let time = ended.elapsed(since: began)
        if time >= 0 { recordMicroseconds(time) }
    }
}
