internal import JobReactorWire

/// A distributor in a process of its own, without nodes.
///
/// Not `Sendable`: it belongs to the task that started it.
final class BenchDistributor {
    let address: Address
    let processID: Int32
    private let process: BenchProcess

    /// Starts `jobreactor distributor` and waits until it answers.
    static func start(storage: String) async throws -> BenchDistributor {
        let address = Address(host: "127.0.0.1", port: try await BenchProcess.freePort())
        let process = try BenchProcess.jobreactor(
            "the distributor",
            ["distributor", "--listen", address.description, "--storage", storage, "--log-level", "error"])
        _ = try await process.wait(for: "opened its port") {
            try await Query.send(["PING"], to: address, security: WireSecurity())
        }
        return BenchDistributor(process, address)
    }

    private init(_ process: BenchProcess, _ address: Address) {
        self.process = process
        self.address = address
        processID = process.processID
    }

    func stop() { process.stop() }
}
