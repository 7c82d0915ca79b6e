import JobReactor
import JobReactorNode
import JobReactorRedis
import JobReactorTesting
import JobReactorWire
import Testing

/// Numbers of ports that are none: an error wherever they come, and never the end of the process.
@Suite("A port below 0 or above 65535") struct PortTests {
    static let ports = [-1, 65_536, 70_000, Int.max, Int.min]

    private static func problem(_ port: Int, _ host: String = "localhost") -> String {
        "\(host):\(port): \(port) is not a port: ports are 0 to 65535"
    }

    private static func refusal(_ body: () async throws -> Void) async throws -> WireError {
        do { try await body() } catch { return try #require(error as? WireError) }
        throw WireError(.listen, "nothing was refused")
    }

    @Test("is refused by whoever listens or connects", arguments: ports)
    func everywhere(_ port: Int) async throws {
        let address = Address(host: "localhost", port: port)
        let errors = [
            try await Self.refusal { try address.validate() },
            try await Self.refusal { _ = try await Distributor.start(port: port) },
            try await Self.refusal { _ = try await JobClient.connect(port: port) },
            try await Self.refusal { _ = try await JobClient.connect(to: address) },
            try await Self.refusal { _ = try await RESPClient.connect(to: address) },
            try await Self.refusal { _ = try await Node.start(NodeConfiguration(name: "n", distributors: [address])) },
            try await Self.refusal {
                _ = try await Node.start(NodeConfiguration(name: "n", distributors: [], server: address))
            },
            try await Self.refusal {
                let good = Address(host: "localhost", port: 0)
                _ = try await Node.start(
                    NodeConfiguration(name: "n", distributors: [], server: good, connectTo: address))
            },
        ]
        for error in errors {
            #expect(error.code == .configuration)
            #expect(error.message == Self.problem(port))
        }
    }

    @Test("is refused by who asks a node, and by a storage", arguments: ports)
    func storages(_ port: Int) async throws {
        let address = Address(host: "127.0.0.1", port: port)
        let asked = await #expect(throws: StorageError.self) { try await JobMonitor(node: address).jobs() }
        #expect(asked?.description.contains(Self.problem(port, "127.0.0.1")) == true)
        let opened = await #expect(throws: StorageError.self) {
            try await RedisStorage(RedisLocation(address: address)).open(StorageOwner(role: .node, name: "n"))
        }
        #expect(opened?.code == .unusable)
        #expect(opened?.description.contains(Self.problem(port, "127.0.0.1")) == true)
        #expect(RedisLocation("redis://127.0.0.1:\(port)") == nil)
        #expect(throws: WireError.self) {
            try NodeConfiguration(name: "n", distributors: ["localhost:\(port)"])
        }
    }

    @Test("0 is one", arguments: [0, 65_535])
    func good(_ port: Int) throws {
        try Address(host: "localhost", port: port).validate()
    }
}
