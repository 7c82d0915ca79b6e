internal import AsyncHTTPClient
private import Foundation
internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore
private import NIOHTTP1
private import NIOPosix
internal import Tracing

/// Where a collector takes spans: OTLP over HTTP.
struct CollectorAddress: Hashable, Sendable, CustomStringConvertible {
    /// With its path.
    let url: String
    /// Without it, for the log.
    let description: String

    /// Reads `http://localhost:4318`, to which the usual path is added, or a URL with a path. Nil for another.
    init?(_ text: String) {
        guard var parts = URLComponents(string: text), ["http", "https"].contains(parts.scheme?.lowercased() ?? ""),
            let host = parts.host, !host.isEmpty, parts.user == nil, parts.password == nil, parts.query == nil,
            parts.fragment == nil
        else { return nil }
        if parts.path.isEmpty || parts.path == "/" { parts.path = "/v1/traces" }
        guard let url = parts.string else { return nil }
        self.url = url
        description = parts.port.map { "\(host):\($0)" } ?? host
    }
}

/// What `--otlp` adds to a server: spans of its jobs, for a collector.
struct SpanCollector: Sendable {
    private let client: HTTPClient
    private let export: SpanExport

    /// To be made before the server, which asks then for the instrument: that is this one's from here on. `share` of the traces
    /// that begin here are sent.
    init(_ address: CollectorAddress, share: Double, role: String, logger: Logger) {
        let client = HTTPClient(
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: Self.configuration)
        self.client = client
        let resource = [
            "service.name": "jobreactor-\(role)", "service.version": JobReactorVersion.current,
            "service.instance.id": "\(Transport.hostName):\(FirstProcess.number)",
        ]
        var logger = logger
        logger[metadataKey: "collector"] = "\(address)"
        let export = SpanExport(on: MultiThreadedEventLoopGroup.singleton.next(), logger: logger) { spans in
            let text = SpanText.json(spans, of: resource, version: JobReactorVersion.current)
            return await Self.post(text, to: address, client)
        }
        self.export = export
        InstrumentationSystem.bootstrap(
            ExportingTracer(share: share, onFlush: { export.flush() }, onEnd: { export.add($0) }))
    }

    /// Spans that were dropped.
    var dropped: Int { export.dropped }

    /// Sends what there is, for at most two seconds.
    func finish() async {
        await export.finish(within: .seconds(2))
        try? await client.shutdown()
    }

    private static func post(
        _ text: String, to address: CollectorAddress, _ client: HTTPClient
    ) async -> SpanExport.Outcome {
        var request = HTTPClientRequest(url: address.url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "User-Agent", value: "jobreactor/\(JobReactorVersion.current)")
        request.body = .bytes(ByteBuffer(string: text))
        do {
            let response = try await client.execute(request, timeout: .seconds(10))
            _ = try? await response.body.collect(upTo: 64 << 10)
            return switch response.status.code {
            case 200..<300: .taken
            case 408, 429, 502, 503, 504: .deferred("it answers \(response.status)")
            default: .refused("it answers \(response.status)")
            }
        } catch {
            return .deferred(Transport.describe(error))
        }
    }

    private static var configuration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5)))
        // A span for each request that sends spans would never end.
        configuration.tracing.tracer = nil
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.http1_1ConnectionDebugInitializer = { channel in
            channel.eventLoop.makeCompletedFuture { try Transport.closeOnExec(channel) }
        }
        return configuration
    }
}
