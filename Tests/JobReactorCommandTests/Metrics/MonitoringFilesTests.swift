import CoreMetrics
import Foundation
import JobReactor
import Testing

@testable import JobReactorCommand

/// The alert rules and the dashboard of `Examples/Monitoring`, held against the metrics that there are.
@Suite struct MonitoringFilesTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Examples/Monitoring")

    private static func text(_ file: String) throws -> String {
        try String(contentsOf: folder.appending(path: file), encoding: .utf8)
    }

    /// The names of all samples that a distributor, a node and their programs can have.
    private static var samples: Set<String> {
        let registry = PrometheusRegistry()
        for metric in MetricDescription.all {
            let labels = metric.labels.map { ($0, "x") }
            switch metric.kind {
            case .counter: Counter(label: metric.name, dimensions: labels, factory: registry).increment()
            case .timer: Timer(label: metric.name, dimensions: labels, factory: registry).recordSeconds(1)
            case .gauge: Gauge(label: metric.name, dimensions: labels, factory: registry).record(1)
            }
        }
        Counter(label: ProgramMetrics.requests, factory: registry).increment()
        var text = PrometheusText()
        registry.write(to: &text)
        ProgramMetrics(role: "node", version: "1").write(to: &text)
        let lines = text.text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        return Set(lines.map { String($0.prefix { $0 != "{" && $0 != " " }) })
    }

    private static func used(in text: String) -> Set<String> {
        Set(text.matches(of: /\b(?:jobreactor|process)_[a-z_]+/).map { String($0.0) })
    }

    private struct Dashboard: Decodable {
        struct Panel: Decodable {
            struct Target: Decodable { var expr: String }
            var id: Int
            var title: String
            var targets: [Target]?
        }
        var title: String
        var panels: [Panel]
    }

    @Test func everyMetricOfTheAlertsAndTheDashboardIsThere() throws {
        let samples = Self.samples
        #expect(samples.contains("jobreactor_node_run_time_seconds_bucket") && samples.count > 80)
        for file in ["alerts.yml", "dashboard.json"] {
            let used = Self.used(in: try Self.text(file))
            #expect(used.count > 15 && used.subtracting(samples).isEmpty, "\(file): \(used.subtracting(samples))")
        }
    }

    @Test func everythingThatPilesUpOrGoesWrongIsOnTheDashboardOrAnAlert() throws {
        let used = Self.used(in: try Self.text("alerts.yml") + Self.text("dashboard.json"))
        let kinds = MetricDescription.all.filter { !$0.name.hasPrefix("jobreactor_client_") }.map { metric in
            switch metric.kind {
            case .counter: PrometheusRegistry.name(metric.name, "_total")
            case .timer: PrometheusRegistry.name(metric.name, "_seconds") + "_bucket"
            case .gauge: metric.name
            }
        }
        // They say what is done, and how it went is told by others.
        let plain = [
            "distributor_enqueued_total", "distributor_parked_total", "distributor_sent_total",
            "distributor_succeeded_total", "distributor_failed_total", "distributor_cancelled_total",
            "distributor_total_time_seconds_bucket", "node_received_total", "node_parked_total", "node_enqueued_total",
            "node_reports_total",
        ].map { "jobreactor_" + $0 }
        #expect(Set(kinds).subtracting(used).subtracting(plain).isEmpty, "\(Set(kinds).subtracting(used))")
    }

    @Test func theDashboardIsOneThatGrafanaCanRead() throws {
        let data = Data(try Self.text("dashboard.json").utf8)
        let dashboard = try JSONDecoder().decode(Dashboard.self, from: data)
        #expect(dashboard.title == "JobReactor" && dashboard.panels.count > 20)
        #expect(Set(dashboard.panels.map(\.id)).count == dashboard.panels.count)
        for panel in dashboard.panels { #expect(!panel.title.isEmpty && panel.targets?.isEmpty != true) }
    }
}
