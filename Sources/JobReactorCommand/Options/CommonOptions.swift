internal import ArgumentParser
private import Foundation
internal import JobReactorWire
internal import Logging

/// A command whose standard error is the log of a server: what it has to say stands there.
protocol ServerCommand: AsyncParsableCommand {}

/// What every command takes.
struct CommonOptions: ParsableArguments {
    @Option(\.config) var config: String?
    @Option(\.logLevel) var logLevel: String?

    func settings() throws(CommandFailure) -> Settings {
        let settings = try Settings(environment: ProcessInfo.processInfo.environment, configFlag: config)
        SecretVariables.remove()
        // Looked at by every command, also those that log nothing.
        _ = try settings.value(\.logLevel, flag: logLevel)
        return settings
    }

    /// The same for a server, whose reasons to end have the form of its log from here on.
    func settings(_ serving: ServingOptions) throws(CommandFailure) -> Settings {
        // Also when the settings cannot be read.
        if serving.json == true || serving.logFormat?.lowercased() == LogFormat.json.rawValue {
            Terminal.complain(in: .json)
        }
        let settings = try settings()
        Terminal.complain(in: try settings.logStyle(serving))
        return settings
    }

    /// A log on standard error. `level` stands when none was asked for.
    func logger(
        _ settings: Settings, level: Logger.Level = .info, style: TerminalLogHandler.Style = .dated
    ) throws(CommandFailure) -> Logger {
        let asked = try settings.value(\.logLevel, flag: logLevel)
        return Logger(label: "jobreactor") { _ in TerminalLogHandler(style, level: asked ?? level) }
    }

    /// The log of a server, which goes on also when nobody reads it.
    func serverLogger(_ settings: Settings, _ serving: ServingOptions) throws(CommandFailure) -> Logger {
        let style = try settings.logStyle(serving)
        let logger = try logger(settings, style: style)
        Terminal.writeInBackground(style)
        for warning in UnknownVariables.warnings() { logger.warning("\(warning)") }
        return logger
    }
}

/// What every command that connects or listens takes.
struct SecurityOptions: ParsableArguments {
    @Option(\.passwordFile) var passwordFile: String?
    @Option(\.user) var user: String?
    @Flag(\.tls) var tls: Bool?
    @Option(\.tlsCertificate) var tlsCertificate: String?
    @Option(\.tlsKey) var tlsKey: String?
    @Option(\.tlsAuthority) var tlsAuthority: String?
    @Flag(\.tlsRequireClientCertificate) var tlsRequireClientCertificate: Bool?
}

/// What the servers take.
struct ServingOptions: ParsableArguments {
    @Option(\.grace) var grace: String?
    @Option(\.maxConnections) var maxConnections: String?
    @Option(\.frameLimit) var frameLimit: String?
    @Flag(\.insecure) var insecure: Bool?
    @Option(\.users) var users: String?
    @Flag(\.hideArgs) var hideArgs: Bool?
    @Flag(\.logJSON) var json: Bool?
    @Option(\.logFormat) var logFormat: String?
    @Option(\.http) var http: String?
    @Option(\.otlp) var otlp: String?
    @Option(\.otlpShare) var otlpShare: String?

    /// What is to be made before the server, where it has an HTTP port. Throws where that would be open to the network without
    /// a password.
    func monitor(
        _ settings: Settings, _ security: WireSecurity, role: String, spans: SpanCollector?
    ) throws(CommandFailure) -> ServerMonitor? {
        guard let address = try settings.value(\.http, flag: http) else { return nil }
        try Settings.checkListening(on: address, security, else: "see what runs here")
        return ServerMonitor(on: address, role: role, spans: spans)
    }

    /// What is to be made before the server, where its spans are sent.
    func spans(_ settings: Settings, _ logger: Logger, role: String) throws(CommandFailure) -> SpanCollector? {
        let share = try settings.value(\.otlpShare, flag: otlpShare)
        guard let address = try settings.value(\.otlp, flag: otlp) else { return nil }
        return SpanCollector(address, share: share, role: role, logger: logger)
    }
}
