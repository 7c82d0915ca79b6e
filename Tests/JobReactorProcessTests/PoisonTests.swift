import Foundation
import JobReactor
import Testing

/// A job that ends the process of every node that runs it.
@Suite struct PoisonTests {
    private static let scripts = [
        "jobs.lua": """
        job('poison', { max_attempt = 3 }, function(args)
          if args.pause then sleep(args.pause) end
          os.execute('kill -9 $PPID')
          while true do end
        end)
        job('innocent', function(args)
          if args.pause then sleep(args.pause) end
          args.done = true
        end)
        """
    ]

    /// Starts a node again whenever it has been killed; counts how often that was.
    private static func keepAlive(
        _ name: String, _ options: [String], at installation: Installation, _ deaths: Locked<Int>
    ) async throws {
        while true {
            let node = try installation.launchNode(name, options)
            defer { node.signal(SIGKILL) }
            guard try await node.exitStatus(seconds: 600) == 128 + SIGKILL else { return }
            deaths.withLock { $0 += 1 }
        }
    }

    @Test(
        "fails after its attempts, having ended no more processes than those and three; all others run",
        arguments: [nil, 0.3])
    func poison(pause: Double?) async throws {
        let installation = try await Installation(scripts: Self.scripts)
        let deaths = Locked(0)
        let port = try Programs.freePort()
        let nodes = Task {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (name, options) in [("n1", []), ("n2", ["--server", "localhost:\(port)"]), ("n3", [])] {
                    group.addTask { try await Self.keepAlive(name, options, at: installation, deaths) }
                }
                try await group.waitForAll()
            }
        }
        defer { nodes.cancel() }
        let client = try await JobClient.connect(host: "localhost", port: installation.port)
        let id = try #require(JobID("0000000000000000000000000000beef"))
        let args: JobArguments = pause.map { ["pause": .number($0)] } ?? [:]
        let poison = Task {
            try await client.perform("poison", args, JobOptions(id: id), timeout: 120)
        }
        let innocents = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let args: JobArguments = number % 2 == 0 ? ["pause": 0.05] : [:]
                    return try await client.perform("innocent", args, timeout: 120)["done"] == true
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(innocents == 200)
        let failure = await #expect(throws: JobFailure.self) { try await poison.value }
        #expect(failure?.message.hasSuffix("ended during attempt 3") == true)
        try await eventually("the last death is seen") { deaths.withLock { $0 } >= 3 }
        #expect(deaths.withLock { $0 } <= 6)

        let shown = try await installation.redis(["JOB", "\(id)"]).split(separator: "\n").map(String.init)
        #expect(shown.contains("failed"))
        #expect(shown.contains { $0.hasSuffix("ended during attempt 3") })
        #expect(try await installation.info("kept_failed") == 1)

        let before = deaths.withLock { $0 }
        #expect(try await installation.redis(["RETRY", "\(id)"]) == "1")
        try await eventually("it has failed again", seconds: 120) {
            try await installation.info("kept_failed") == 1
        }
        try await eventually("the last death is seen") { deaths.withLock { $0 } >= before + 3 }
        #expect(deaths.withLock { $0 } <= before + 6)
        #expect(try await installation.redis(["DESTROY", "\(id)"]) == "1")
        #expect(try await installation.redis(["JOB", "\(id)"]).isEmpty)
        #expect(try await installation.redis(["RETRY", "\(id)"]).contains("no job with that id has failed here"))
        // The nodes go on.
        #expect(try await client.perform("innocent", timeout: 60)["done"] == true)
        await client.stop()
    }
}
