import Foundation
import JobReactor
import Testing

/// Processes that are stopped and killed while jobs are under way.
@Suite struct CrashTests {
    @Test func theJobsOfAKilledNodeRunOnAnother() async throws {
        let installation = try await Installation()
        let doomed = try await installation.startNode("doomed")
        let client = try await JobClient.connect(host: "localhost", port: installation.port)
        let jobs = try (0..<20).map { number in
            let id = try client.enqueue("slow", ["seconds": 0.1, "n": JSONValue(number)])
            return id
        }
        let outcome = Task { try await client.perform("slow", ["seconds": 0.1], timeout: 60) }
        try await doomed.logs("slow begins")
        doomed.signal(SIGKILL)
        #expect(try await doomed.exitStatus() == 128 + SIGKILL)
        let heir = try await installation.startNode("heir")
        #expect(try await outcome.value["done"] == true)
        try await eventually("all jobs done") { try await installation.info("unfinished") == 0 }
        #expect(try await installation.info("succeeded") == jobs.count + 1)
        heir.signal(SIGTERM)
        #expect(try await heir.exitStatus() == 0)
        await client.stop()
    }

    @Test(
        "defect 6: with no free node the distributor does not spin; jobs that wait, for whatever, cost no processor time"
    )
    func waitingIsFree() async throws {
        let installation = try await Installation()
        let node = try await installation.startNode("n1")
        defer { node.signal(SIGTERM) }
        let client = try await JobClient.connect(host: "localhost", port: installation.port)
        let waiting = (0..<500).map { _ in JobSubmission("echo", [:], JobOptions(after: 3600)) }
        _ = try client.enqueue(contentsOf: waiting + (0..<500).map { _ in JobSubmission("nobody_defines_it") })
        #expect(try await client.perform("greet", ["name": "Ada"], timeout: 60)["greeting"] == "Hello, Ada!")
        try await eventually("all are there") { try await installation.info("unfinished") == 1000 }
        let before = (try installation.distributor.processorTicks(), try node.processorTicks())
        try await Task.sleep(for: .seconds(3))
        // One that polled without a pause would have taken 300.
        #expect(try installation.distributor.processorTicks() - before.0 < 20)
        #expect(try node.processorTicks() - before.1 < 20)
        await client.stop()
    }

    /// The TCP sockets that a process has open, by the numbers that the system gives them. (The processes of a test have a
    /// socket of Foundation's, too, which looks for their end.)
    private static func sockets(of process: Int32) throws -> Set<String> {
        let folder = "/proc/\(process)"
        let files = try FileManager.default.contentsOfDirectory(atPath: folder + "/fd")
        let targets = files.compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/fd/\($0)")
        }
        let open = targets.filter { $0.hasPrefix("socket:[") }.map { String($0.dropFirst(8).dropLast()) }
        let tables = try ["tcp", "tcp6"].map { try String(contentsOfFile: "\(folder)/net/\($0)", encoding: .utf8) }
        let tcp = tables.joined().split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst(9).first }
        return Set(open).intersection(tcp.map(String.init))
    }

    @Test("a program that a job started outlives its killed node, and holds up neither its jobs nor its port")
    func programsInheritNoSockets() async throws {
        let server = try Programs.freePort()
        let scripts = [
            "jobs.lua": """
            job('leaves', function(args) os.execute('sleep 120 >/dev/null 2>&1 & echo $! > ' .. args.file) end)
            """
        ]
        let installation = try await Installation(scripts: scripts)
        let options = ["--server", "localhost:\(server)"]
        let node = try await installation.startNode("n1", options)
        let file = installation.folder.path + "/pid"
        let client = try await JobClient.connect(host: "localhost", port: installation.port)
        _ = try await client.perform("leaves", ["file": .string(file)], timeout: 60)
        let left = try #require(Int32(String(contentsOfFile: file, encoding: .utf8).dropLast()))
        defer { kill(left, SIGKILL) }
        // The kernel may leave out some of a long table that changes meanwhile.
        try await eventually("the node has sockets") { try !Self.sockets(of: node.processIdentifier).isEmpty }
        #expect(try Self.sockets(of: left).isEmpty)
        node.signal(SIGKILL)
        // Foundation learns of its end only from the last process that it has started.
        try await eventually("it is dead") {
            try String(contentsOfFile: "/proc/\(node.processIdentifier)/stat", encoding: .utf8).contains(") Z ")
        }
        let again = try await installation.startNode("n1", options)
        #expect(kill(left, 0) == 0)
        #expect(try await client.perform("leaves", ["file": .string(file)], timeout: 60)["file"] != nil)
        kill(try #require(Int32(String(contentsOfFile: file, encoding: .utf8).dropLast())), SIGKILL)
        again.signal(SIGTERM)
        await client.stop()
    }

    @Test(arguments: [SIGTERM, SIGINT]) func aSignalLetsTheRunningJobFinish(signal: Int32) async throws {
        let installation = try await Installation()
        let node = try await installation.startNode("n1", ["--grace", "30"])
        let client = try await JobClient.connect(host: "localhost", port: installation.port)
        let outcome = Task { try await client.perform("slow", ["seconds": 1], timeout: 60) }
        try await node.logs("slow begins")
        // What a script prints goes to the node's log with the job's name and id.
        let line = try #require(node.standardError.split(separator: "\n").first { $0.contains("slow begins") })
        #expect(line.contains("job=slow") && line.contains("id="))
        node.signal(signal)
        #expect(try await outcome.value["done"] == true)
        #expect(try await node.exitStatus() == 0)
        await client.stop()
        installation.distributor.signal(signal)
        #expect(try await installation.distributor.exitStatus() == 0)
    }

    @Test func aJobOutlivesAKilledDistributorAtItsProducer() async throws {
        let installation = try await Installation()
        let client = try await JobClient.connect(host: "localhost", port: installation.port)
        let outcome = Task { try await client.perform("greet", ["name": "Ada"], timeout: 60) }
        try await eventually("the job is there") { try await installation.info("waiting") == 1 }
        installation.distributor.signal(SIGKILL)
        #expect(try await installation.distributor.exitStatus() == 128 + SIGKILL)
        let again = try RunningProgram("jobreactor", ["distributor", "--listen", "localhost:\(installation.port)"])
        try await again.logs("distributor listens")
        let node = try await installation.startNode("n1")
        #expect(try await outcome.value["greeting"] == "Hello, Ada!")
        await client.stop()
        for program in [node, again] { program.signal(SIGTERM) }
    }
}
