package import ServiceLifecycle

extension Service {
    /// Starts, serves until a graceful shutdown or the cancellation of the task, and stops. A shutdown that comes during
    /// the start ends the start, and is no error.
    package func serve(
        start: @escaping @Sendable () async throws -> Void, stop: () async -> Void
    ) async throws {
        do {
            try await cancelWhenGracefulShutdown(start)
        } catch {
            await stop()
            if error is CancellationError, Task.isShuttingDownGracefully { return }
            throw error
        }
        // Ends by returning on a graceful shutdown and by throwing on cancellation: both mean the same here.
        try? await gracefulShutdown()
        await stop()
    }
}
