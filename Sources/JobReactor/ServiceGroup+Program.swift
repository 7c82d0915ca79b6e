package import Logging
package import ServiceLifecycle
private import UnixSignals

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
        try await ServiceGroup(configuration: configuration).run()
    }
}
