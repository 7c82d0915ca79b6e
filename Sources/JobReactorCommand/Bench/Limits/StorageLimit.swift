private import NIOCore

/// What jobs kept in a storage are measured against: the least that the same storage has to do for as many; for memory, the
/// least that the network has to do.
///
/// Not `Sendable`: it belongs to the task that made it.
final class StorageLimit {
    let name: String
    private let measure: (Int) async throws -> Double
    private let end: () -> Void

    /// With `jobsAreKept` they are only written: else they are replaced by their outcomes, and these removed.
    static func start(_ storage: BenchStorage, jobsAreKept: Bool, inFlight: Int) async throws -> StorageLimit {
        let args = JobFlow.usualArgs
        switch storage.kind {
        case .memory:
            let (echo, address) = try await EchoCommand.start()
            let client = try await RawClient.connect(to: address)
            let message = jobsAreKept ? RawMessages.enqueue(args) : RawMessages.job(args)
            return StorageLimit(jobsAreKept ? "raw RESP echo" : "raw RESP echo, same hops") { jobs in
                try await client.rate(message, count: jobs, inFlight: inFlight)
            } stop: {
                echo.stop()
            }
        case .sqlite:
            let plain = try PlainSQLite(in: storage.folder, args)
            let name = jobsAreKept ? "plain inserts" : "plain inserts and deletes"
            return StorageLimit("\(name) in transactions of \(inFlight)") { jobs in
                try plain.rate(jobs: jobs, batch: inFlight, isKept: jobsAreKept)
            } stop: {
            }
        case .redis:
            guard let address = storage.address else { throw CommandFailure.failure("there is no Redis server") }
            let client = try await RawClient.connect(to: address)
            let (message, commands) = RawMessages.redis(args, isKept: jobsAreKept)
            return StorageLimit(jobsAreKept ? "RPUSH, pipelined" : "SET, DEL, SET, DEL, pipelined") { jobs in
                try await client.rate(message, answers: commands, count: jobs, inFlight: inFlight)
            } stop: {
            }
        }
    }

    private init(
        _ name: String, measure: @escaping (Int) async throws -> Double, stop: @escaping () -> Void
    ) {
        self.name = name
        self.measure = measure
        end = stop
    }

    func rate(jobs: Int) async throws -> Double { try await measure(jobs) }

    func stop() { end() }
}
