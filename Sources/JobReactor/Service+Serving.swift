package import ServiceLifecycle

/// How far a service is that is a whole program.
package enum ProgramPhase: Sendable {
    /// It serves.
    case started
    /// Its stop begins, also where its start has failed.
    case stopping
}

extension Service {
    /// Starts, serves until a graceful shutdown or the cancellation of the task, and stops. A shutdown that comes during
    /// the start ends the start, and is no error. `failure` returns when the service cannot go on, with the reason, which
    /// is thrown after the stop; it returns nil when its task is cancelled.
    package func serve(
        start: @escaping @Sendable () async throws -> Void,
        failure: (@Sendable () async -> (any Error)?)? = nil, stop: () async -> Void
    ) async throws {
        do {
            try await cancelWhenGracefulShutdown(start)
        } catch {
            await stop()
            if error is CancellationError, Task.isShuttingDownGracefully { return }
            throw error
        }
        let reason = await end(failure)
        await stop()
        if let reason { throw reason }
    }

    /// Returns when the service is to end, with the reason when that is a failure.
    private func end(_ failure: (@Sendable () async -> (any Error)?)?) async -> (any Error)? {
        await withTaskGroup(of: (any Error)?.self) { group in
            group.addTask {
                // Ends by returning on a graceful shutdown and by throwing on cancellation: both mean the same here.
                try? await gracefulShutdown()
                return nil
            }
            if let failure { group.addTask { await failure() } }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }
}
