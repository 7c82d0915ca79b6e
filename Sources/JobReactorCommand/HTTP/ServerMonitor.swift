internal import CoreMetrics
private import JobReactor
internal import JobReactorDashboard
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// What `--http` adds to a server: its metrics are kept, and its HTTP port is open for as long as it runs.
struct ServerMonitor {
    private let address: Address
    private let registry: PrometheusRegistry
    private let program: ProgramMetrics

    /// To be made before the server, which asks then for the backend of metrics: that is this one from here on.
    init(on address: Address, role: String, spans: SpanCollector?) {
        self.address = address
        registry = PrometheusRegistry(MetricDescription.helps.merging(ProgramMetrics.helps) { first, _ in first })
        var spansDropped: (@Sendable () -> Int)?
        if let spans { spansDropped = { spans.dropped } }
        program = ProgramMetrics(role: role, version: JobReactorVersion.current, spansDropped: spansDropped)
        MetricsSystem.bootstrap(registry)
    }

    /// Opens the port, also before the server has started: then it says so.
    /// `source` is what a dashboard shows there; nil for none.
    func open(
        for server: WatchedServer, dashboard source: (any DashboardSource)? = nil, _ security: WireSecurity,
        _ logger: Logger
    ) async throws -> HTTPPort {
        do {
            let (registry, program) = (registry, program)
            let http = try await HTTPPort(on: address, security: security, logger: logger) { loop in
                let login = HTTPLogin(security, on: loop)
                let dashboard = source.map { source in
                    DashboardPort(
                        Dashboard(source, LoginGate(login, security, on: loop), isSecure: security.tls != nil), on: loop
                    )
                }
                let pages = OperationsPages(of: server, registry, program, login, dashboard: dashboard, on: loop)
                return { pages.answer($0) }
            }
            var shown = address
            shown.port = http.port
            logger.info("HTTP port listens", metadata: ["address": "\(shown)"])
            return http
        } catch let error as WireError {
            let text = "--\(SettingTable.standard.http.flag): \(error.message)"
            throw error.code == .configuration ? CommandFailure.usage(text) : CommandFailure.failure(text)
        }
    }
}
