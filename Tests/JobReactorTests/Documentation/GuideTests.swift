import Foundation
import JobReactor
import JobReactorLibraries
import JobReactorLua
import JobReactorNode
import JobReactorTesting
import JobReactorWire
import Logging
import NIOPosix
import ServiceLifecycle
import Testing

/// What applications do, as the pages show it: they have parts of this file word for word, which ``SnippetTests`` makes sure of.
@Suite struct GuideTests {
    static let lua = [
        "resize.lua": """
        job('resize', function(args) args.result = 'Yay!' end)
        """
    ]

    struct Picture: Codable {
        var path: String
        var width: Int
    }

    @Test func theDistributorStartsInThreeWays() async throws {
        let logger = Logger(label: "guide")
        let own = try await Distributor.start(host: "localhost", port: 0)
        let shared = try await Distributor.start(host: "localhost", port: 0, on: MultiThreadedEventLoopGroup.singleton)
        let service = Distributor(DistributorConfiguration(host: "localhost", port: 0))
        let group = ServiceGroup(services: [service], logger: logger)  // or: try await service.runAsProgram()
        async let run: Void = group.run()
        try await eventually("the service listens") { service.port != nil }
        #expect(Set([own.port, shared.port, service.port]).count == 3)
        await group.triggerGracefulShutdown()
        try await run
        await shared.stop()
        await own.stop()
    }

    @Test func aClusterRunsInATest() async throws {
        let scripts = ["hello.lua": "job('hello', function(args) args.result = 'Hi' end)"]
        try await Cluster.run(scripts: scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            let result = try await distributor.perform("hello", timeout: 60)
            #expect(result["result"] == "Hi")
        }
    }

    @Test func anApplicationEnqueuesAndPerforms() async throws {
        try await Cluster.run(scripts: Self.lua) { cluster in
            let distributor = try await cluster.startDistributor()
            let port = try #require(distributor.port)
            let directory = cluster.jobDirectory
            let client = try await JobClient.connect(host: "localhost", port: port)
            let node = try await Node.start(
                NodeConfiguration(name: "worker_1", distributors: ["localhost:\(port)"], jobDirectory: directory))
            try distributor.enqueue("resize", ["path": "cat.png", "width": 200], JobOptions(after: 0.5)) { result in
                print(result.args)
            } onError: { failure in
                print(failure.message)
            }
            let resized = try await distributor.perform(
                "resize", Picture(path: "cat.png", width: 200), returning: Picture.self)
            let small = try await distributor.perform("resize", ["path": resized.path, "width": resized.width / 2])
            #expect(resized.width == 200 && small["width"] == 100)
            let job = try distributor.follow("resize", ["path": "cat.png", "width": 200])
            for await event in job.events {
                switch event {
                case .progress(let progress): print(progress.fraction ?? 0, progress.text)
                case .success(let result): print(result.args)
                case .failure(let failure): print(failure.message)
                }
            }
            #expect(try await client.perform("resize", timeout: 20)["result"] == "Yay!")
            await node.stop()
            await client.stop()
        }
    }

    @Test func aNodeInTheProcessHasTheLibraries() async throws {
        let scripts = [
            "sign.lua": """
            job('sign', function(args)
              args.signature = hash.sha256(exec('echo', args.text).stdout)
              args.libraries = { type(http.get), type(redis.connect) }
            end)
            """
        ]
        try await Cluster.run(scripts: scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            let port = try #require(distributor.port)
            let directory = cluster.jobDirectory
            let node = try await Node.start(
                NodeConfiguration(
                    name: "worker_1", distributors: ["localhost:\(port)"], jobDirectory: directory,
                    libraries: ScriptLibraries.all))
            let signed = try await distributor.perform("sign", ["text": "abc"])
            #expect(signed["signature"] == "edeaaff3f1774ad2888673770c6d64097e391bc362d7d6fb34982ddf0efd18cb")
            #expect(signed["libraries"] == ["function", "function"])
            await node.stop()
        }
    }

    @Test func anApplicationWatchesCancelsAndHandlesByName() async throws {
        try await Cluster.run(scripts: Self.lua) { cluster in
            let logger = Logger(label: "guide")
            let distributor = try await cluster.startDistributor()
            distributor.onSuccess("resize") { result in logger.debug("resized \(result.args)") }
            let failures = distributor.onError("resize") { failure in logger.debug("\(failure.message)") }
            failures.remove()  // it is not called any more
            let ids = try distributor.enqueue(contentsOf: [
                JobSubmission("resize", ["path": "cat.png"]), JobSubmission("resize", ["path": "dog.png"]),
            ])
            let record = try await distributor.job(ids[0])  // its status, attempt, node, last error …
            let isCancelled = try await distributor.cancel(ids[1])
            try await cluster.startNode("n1", for: [distributor])
            let shown = try await distributor.perform("resize", onProgress: { print($0.fraction ?? 0, $0.text) })
            #expect(record?.status == .new)
            #expect(isCancelled)
            #expect(shown["result"] == "Yay!")
        }
    }
}
