import JobReactor
import JobReactorNode
import JobReactorRedis
import JobReactorSQLite
import JobReactorTesting
import Testing

/// Durations wherever seconds are said.
@Suite("Settings that are durations") struct DurationSettingsTests {
    private static let distributor = Address(host: "localhost", port: 0)

    @Test("mean the same as seconds")
    func configurations() {
        let distributor = DistributorConfiguration(
            port: 0, grace: .milliseconds(1500), takeoverTime: .seconds(5), reportTTL: .seconds(60))
        #expect(distributor.grace == 1.5 && distributor.takeoverTime == 5 && distributor.reportTTL == 60)
        #expect(
            DistributorConfiguration(port: 0, grace: .seconds(1)).takeoverTime
                == DistributorConfiguration().takeoverTime)
        #expect(DistributorConfiguration(grace: .seconds(1)).reportTTL == DistributorConfiguration().reportTTL)
        let node = NodeConfiguration(
            name: "n", distributors: [Self.distributor], sliceWarning: .milliseconds(100), sliceLimit: .seconds(2),
            grace: .seconds(3), reportTTL: .seconds(4))
        #expect(node.sliceWarning == 0.1 && node.sliceLimit == 2 && node.grace == 3 && node.reportTTL == 4)
        let (few, usual) = (
            NodeConfiguration(name: "n", distributors: [Self.distributor], grace: .seconds(1)),
            NodeConfiguration(name: "n", distributors: [Self.distributor])
        )
        #expect(few.sliceWarning == usual.sliceWarning && few.sliceLimit == usual.sliceLimit)
        #expect(few.reportTTL == usual.reportTTL && few.window == usual.window && few.deferLanes == usual.deferLanes)
        #expect(few.memoryLimit == usual.memoryLimit && few.sharedLimit == usual.sharedLimit)
        #expect(few.maxSuspended == usual.maxSuspended && few.maximumConnections == usual.maximumConnections)
        let limits = RESPLimits(authenticationTime: .milliseconds(1001), messageTime: .seconds(7))
        #expect(limits == RESPLimits(authenticationTime: 2, messageTime: 7))
        #expect(RedisStorage.Options(lease: .seconds(20)).lease == 20)
        #expect(RedisStorage.Options(lease: .seconds(20)).patience == .infinity)
        #expect(RedisStorage.Options(patience: .seconds(2)).patience == 2)
        _ = SQLiteStorage(file: "/nowhere", maximumFinishedAge: .seconds(60))
    }

    private static func refusal(_ body: () async throws -> Void) async throws -> WireError {
        do { try await body() } catch { return try #require(error as? WireError) }
        throw WireError(.listen, "nothing was refused")
    }

    @Test(
        "that are negative, or longer than any clock measures, are refused at the start",
        arguments: [-1, .nan, .infinity, 1e18] as [Double])
    func refused(_ seconds: Double) async throws {
        typealias Distributors = (inout DistributorConfiguration) -> Void
        let ofDistributors: [(String, Distributors)] = [
            ("grace", { $0.grace = seconds }), ("takeoverTime", { $0.takeoverTime = seconds }),
            ("reportTTL", { $0.reportTTL = seconds }),
        ]
        for (name, change) in ofDistributors {
            var configuration = DistributorConfiguration(port: 0)
            change(&configuration)
            let wrong = configuration
            let error = try await Self.refusal { try await Distributor(wrong).start() }
            #expect(error.code == .configuration)
            #expect(error.message == "\(name) takes seconds from 0 to 3155760000, not \(seconds)")
        }
        typealias Nodes = (inout NodeConfiguration) -> Void
        let ofNodes: [(String, Nodes)] = [
            ("grace", { $0.grace = seconds }), ("reportTTL", { $0.reportTTL = seconds }),
            ("policy.retryMultiplier", { $0.policy.retryMultiplier = seconds }),
            ("policy.maxRetryDelay", { $0.policy.maxRetryDelay = seconds }),
        ]
        for (name, change) in ofNodes {
            var configuration = NodeConfiguration(name: "n", distributors: [Self.distributor])
            change(&configuration)
            let wrong = configuration
            let error = try await Self.refusal { try await Node(wrong).start() }
            #expect(error.code == .configuration)
            #expect(error.message == "\(name) takes seconds from 0 to 3155760000, not \(seconds)")
        }
    }

    @Test("of limits are refused as well", arguments: [Duration.seconds(-1), .seconds(Int64.max), .seconds(1e20)])
    func limits(_ time: Duration) async throws {
        for limits in [
            RESPLimits(authenticationTime: time), RESPLimits(silenceTime: time), RESPLimits(messageTime: time),
        ] {
            let wrong = DistributorConfiguration(port: 0, limits: limits)
            let error = try await Self.refusal { try await Distributor(wrong).start() }
            #expect(error.code == .configuration)
            #expect(error.message.contains(" of the limits takes whole seconds from 0 to 1000000000, not "))
        }
    }

    @Test("say how long to wait for an outcome")
    func outcomes() async throws {
        let producer = RecordingProducer()
        let (path, width) = ("cat.png", 200)
        struct Size: Codable {
            var width: Int
        }
        _ = try await producer.perform("j", timeout: .seconds(20))
        _ = try await producer.perform("j", ["width": width, "path": path], timeout: .milliseconds(20_000)) { _ in }
        _ = try await producer.perform("j", Size(width: 1), timeout: .seconds(20))
        let sizes = [
            try await producer.perform("j", ["width": 200], timeout: .seconds(20), returning: Size.self),
            try await producer.perform(
                "j", ["width": width, "path": path], timeout: .seconds(20), returning: Size.self),
            try await producer.perform("j", Size(width: 200), timeout: .seconds(20), returning: Size.self),
        ]
        #expect(sizes.map(\.width) == [200, 200, 200])
        for timeout in [Duration.seconds(-1), .seconds(Int64.max)] {
            let error = await #expect(throws: JobError.self) { try await producer.perform("j", timeout: timeout) }
            #expect(error?.code == .invalidOption)
        }
        #expect(producer.args.count == 6)
    }

    @Test("say how long a stop waits")
    func stops() async throws {
        let distributor = try await Distributor.start(port: 0)
        let client = try await JobClient.connect(port: try #require(distributor.port))
        await client.stop(grace: .seconds(1))
        await distributor.stop(grace: .zero)
        #expect(distributor.port == nil)
    }
}
