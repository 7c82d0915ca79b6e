package import Logging
package import ServiceLifecycle
private import UnixSignals

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// A service that is what its function does.
package struct ServingFunction: Service {
    private let body: @Sendable () async throws -> Void

    package init(_ body: @escaping @Sendable () async throws -> Void) { self.body = body }

    package func run() async throws { try await body() }
}

extension ServiceGroup {
    /// Runs services as a whole program: SIGINT and SIGTERM stop them gracefully, a second one at once.
    package static func runProgram(_ services: [any Service], logger: Logger) async throws {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .error)
        var configuration = ServiceGroupConfiguration(
            services: services.map {
                ServiceGroupConfiguration.ServiceConfiguration(
                    service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .cancelGroup)
            },
            gracefulShutdownSignals: [.sigint, .sigterm], logger: quiet)
        configuration.maximumCancellationDuration = .seconds(5)
        // The group looks at the first signal alone.
        let impatience = Task {
            var isSecond = false
            for await signal in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
                if isSecond { _exit(signal == .sigint ? 128 + SIGINT : 128 + SIGTERM) }
                isSecond = true
            }
        }
        defer { impatience.cancel() }
        try await ServiceGroup(configuration: configuration).run()
    }
}
