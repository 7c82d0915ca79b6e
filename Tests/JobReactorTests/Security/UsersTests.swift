import Foundation
import JobReactor
import JobReactorCore
import JobReactorNode
import JobReactorTesting
import JobReactorWire
import Logging
import Testing

@testable import JobReactorUsers

/// Users of a distributor and of nodes, over real sockets.
@Suite("Users of an installation", .timeLimit(.minutes(5))) struct UsersTests {
    /// A users file in which everybody's password is `secret`, cheap to check.
    private final class People: Sendable {
        let path: String

        init(_ lines: [String]) throws {
            path = FileManager.default.temporaryDirectory.appending(path: "users-\(UUID().uuidString)").path
            try write(lines)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ lines: [String]) throws {
            let hash = try #require(PasswordHash(of: Array("secret".utf8), rounds: 4))
            let text = lines.map { line in
                let words = line.split(separator: " ")
                return (words.prefix(2) + ["\(hash)"] + words.dropFirst(2)).joined(separator: " ") + "\n"
            }
            try text.joined().write(toFile: path, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        }

        /// What a server has.
        func security(hidesArgs: Bool = false) throws -> WireSecurity {
            let users = try UsersFile(path, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            return WireSecurity(password: Password("sesame"), users: users, hidesArgs: hidesArgs)
        }
    }

    private static func security(_ user: String, _ password: String = "secret") -> WireSecurity {
        WireSecurity(password: Password(password), user: user)
    }

    private static func address(_ distributor: Distributor) throws -> Address {
        Address(host: "localhost", port: try #require(distributor.port))
    }

    private static func client(_ user: String, _ distributor: Distributor) async throws -> RESPClient {
        try await RESPClient.connect(to: try address(distributor), security: security(user))
    }

    @Test("who fills the memory with jobs that nobody runs does not keep out another user, by command or as a producer")
    func shares() async throws {
        let people = try People(["n1 node", "greedy producer", "app producer"])
        let security = try people.security()
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor {
                $0.security = security
                $0.maxMemory = 1_000_000
            }
            try await cluster.startNode("n1", for: [distributor]) { $0.security = Self.security("n1") }
            try await waitForNodes(["n1"], at: distributor)
            let greedy = try await Self.client("greedy", distributor)
            let text = JobArguments([("text", .string(String(repeating: "x", count: 10_000)))]).description
            var (count, answer) = (0, "")
            repeat {
                answer = try await greedy.send(["ENQUEUE", "nobody-runs-it", text]).text ?? ""
                count += 1
            } while JobID(answer) != nil && count < 1000
            #expect(
                answer.hasPrefix("BUSY ")
                    && answer.hasSuffix("the last tenth is reserved for producers with few jobs here"))
            #expect((80...90).contains(count))
            // One after the other, more than there is room for at once.
            let client = try await Self.client("app", distributor)
            for _ in 0..<20 {
                let reply = try await client.send(["PERFORM", "who", text])
                #expect(reply.text?.contains(#""done":true"#) == true, "\(String(describing: reply))")
            }
            await client.close()
            let application = try await JobClient.connect(
                to: try Self.address(distributor), security: Self.security("app"))
            for _ in 0..<20 { #expect(try await application.perform("who", timeout: 60)["done"] == true) }
            await application.stop()
            let refused = try await greedy.send(["PERFORM", "who"])
            #expect(refused.text?.hasPrefix("BUSY ") == true)
            await greedy.close()
        }
    }

    private static let scripts = ["jobs.lua": "job('who', function(args) args.done = true end)"]

    @Test("a node, an application and an operator each do their part, and nobody another's")
    func parts() async throws {
        let people = try People(["n1 node", "app producer", "ops operator", "eye viewer"])
        let security = try people.security()
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor { $0.security = security }
            // It listens, and is dialled.
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.security = Self.security("n1")
                $0.server = Address(host: "localhost", port: 0)
            }
            try await waitForNodes(["n1"], at: distributor)
            let application = try await JobClient.connect(
                to: try Self.address(distributor), security: Self.security("app"))
            #expect(try await application.perform("who", timeout: 30)["done"] == true)
            for (user, words) in [
                ("ops", ["ENQUEUE", "who"]), ("eye", ["ENQUEUE", "who"]), ("n1", ["INFO"]), ("app", ["NODES"]),
            ] {
                let client = try await Self.client(user, distributor)
                #expect(try await client.send(words).text?.hasPrefix("NOPERM this needs the role ") == true)
                await client.close()
            }
            let eye = try await Self.client("eye", distributor)
            #expect(try await eye.send(["INFO"]).text?.contains("role:distributor") == true)
            #expect(try await eye.send(["WHOAMI"]).elements?.compactMap(\.text) == ["user", "eye", "roles", "viewer"])
            await eye.close()
            // The node's own port: who has its password may do everything there.
            let port = try #require(try await node.port())
            let own = try await RESPClient.connect(
                to: Address(host: "localhost", port: port), security: Self.security("n1"))
            #expect(try await own.send(["JOBS"]).elements?.count == 1)
            await own.close()
            await application.stop()
        }
    }

    @Test("wrong passwords and unknown users get nowhere, over links too")
    func wrong() async throws {
        let security = try People(["app producer"]).security()
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor { $0.security = security }
            for (user, password) in [("app", "sesame"), ("nobody", "secret"), ("default", "secret")] {
                let error = await #expect(throws: WireError.self) {
                    try await JobClient.connect(
                        to: try Self.address(distributor), security: Self.security(user, password))
                }
                #expect(error?.code == .connect)
            }
        }
    }

    @Test("a node is let in under its user's names alone, and told what to do")
    func nodeNames() async throws {
        let people = try People(["n1 node nodes=web-*", "app producer"])
        let (security, log) = (try people.security(), LogRecorder())
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor { $0.security = security }
            for (name, user) in [("n2", "n1"), ("app", "app"), ("web-1", "n1"), ("n1", "n1")] {
                try await cluster.startNode(name, for: [distributor]) {
                    $0.security = Self.security(user)
                    $0.logger = log.logger
                }
            }
            try await waitForNodes(["n1", "web-1"], at: distributor)
            try await eventually("both refusals are in the log") {
                let reasons = log.lines.elements.compactMap { $0.metadata["reason"] }
                return reasons.contains(
                    "NOPERM the user n1 may not be the node n2: add nodes=n2 to its line of the users file")
                    && reasons.contains("NOPERM this needs the role node")
            }
        }
    }

    @Test("who enqueues looks at and cancels what is its own, and nothing else")
    func own() async throws {
        let people = try People(["ann producer", "bob producer", "ops operator", "eye viewer"])
        let security = try people.security()
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor { $0.security = security }
            let ann = try await Self.client("ann", distributor)
            let bob = try await Self.client("bob", distributor)
            func enqueue() async throws -> String {
                try #require(try await ann.send(["ENQUEUE", "who", "{}", "AFTER", "3600"]).text)
            }
            let id = try await enqueue()
            #expect(try await ann.send(["JOB", id]).elements?.isEmpty == false)
            #expect(
                try await bob.send(["JOB", id]).text
                    == "NOPERM this needs the role viewer: bob has not recently enqueued this job here")
            // The same id once more is the same job, for who has enqueued it.
            #expect(try await ann.send(["ENQUEUE", "who", "{}", "ID", id]).text == id)
            #expect(try await bob.send(["ENQUEUE", "who", "{}", "ID", id]).text?.hasPrefix("NOPERM ") == true)
            #expect(
                try await bob.send(["CANCEL", id]).text
                    == "NOPERM this needs the role operator: bob has not recently enqueued this job here")
            #expect(try await ann.send(["CANCEL", id]) == .integer(1))
            let ops = try await Self.client("ops", distributor)
            #expect(try await ops.send(["CANCEL", try await enqueue()]) == .integer(1))
            let eye = try await Self.client("eye", distributor)
            #expect(try await eye.send(["JOB", try await enqueue()]).elements?.isEmpty == false)
            for client in [ann, bob, ops, eye] { await client.close() }
        }
    }

    @Test("two applications of one id are two, and one does not cancel what the other has enqueued")
    func producers() async throws {
        let security = try People(["ann producer", "bob producer"]).security()
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor { $0.security = security }
            let address = try Self.address(distributor)
            let ann = try await ScriptedProducer.connect(to: address, login: ["AUTH", "ann", "secret"])
            let bob = try await ScriptedProducer.connect(to: address, login: ["AUTH", "bob", "secret"])
            try await bob.hear("CREDIT")
            try await ann.hear("CREDIT")
            try await ann.sendJobs(1...2, named: "who")
            try await ann.hear("SAVED")
            let (first, second) = (JobID(high: 5, low: 1), JobID(high: 5, low: 2))
            let (hers, his) = (try await Self.client("ann", distributor), try await Self.client("bob", distributor))
            #expect(try await hers.send(["JOB", first.description]).elements?.isEmpty == false)
            #expect(try await his.send(["JOB", first.description]).text?.hasPrefix("NOPERM") == true)
            for client in [hers, his] { await client.close() }
            try await bob.cancel(first)
            try await ann.cancel(second)
            try await ann.hear("cancelled")
            #expect(try await distributor.waitingJobs().map(\.count) == [1])
            try await cluster.startNode("n1", for: [distributor]) { $0.security.password = Password("sesame") }
            try await ann.hear("complete")
            #expect(ann.said.contains("RESULT") && !bob.said.contains("RESULT"))
            await ann.close()
            await bob.close()
        }
    }

    @Test("who chooses the id of another's job gets neither its record nor its outcome, nor cancels it")
    func anothersID() async throws {
        let security = try People(["ann producer", "bob producer", "n1 node"]).security()
        let place = try await SharedRedis.location()
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor { $0.security = security }
            try await cluster.startNode("n1", for: [distributor]) {
                $0.security = Self.security("n1")
                $0.storage = place.storage()
            }
            try await waitForNodes(["n1"], at: distributor)
            let (ann, bob) = (try await Self.client("ann", distributor), try await Self.client("bob", distributor))
            let link = try await ScriptedProducer.connect(
                to: try Self.address(distributor), login: ["AUTH", "bob", "secret"])
            try await link.hear("CREDIT")
            // One that the node has, and one that waits here: its number is that of the link's first.
            let owned = try #require(try await ann.send(["ENQUEUE", "who", #"{"s":1}"#, "AFTER", "3600"]).text)
            let waiting = JobID(high: 5, low: 1).description
            _ = try await ann.send(["ENQUEUE", "nobody", #"{"s":1}"#, "ID", waiting])
            let ownedIsThere = { () async throws -> Bool in
                try await ann.send(["JOB", owned]).elements?.contains { $0.text == "on_node" } == true
            }
            try await eventually("the node has it") { try await ownedIsThere() }
            for id in [owned, waiting] {
                for words in [["ENQUEUE", "who", "{}", "ID", id], ["PERFORM", "who", "{}", "ID", id]] {
                    let answer = try await bob.send(words).text
                    #expect(answer == "NOPERM the id \(id) belongs to a job of another user: choose another id")
                }
                for verb in ["JOB", "CANCEL"] {
                    #expect(try await bob.send([verb, id]).text?.hasPrefix("NOPERM ") == true)
                }
            }
            try await link.sendJobs(1...1, named: "who")
            try await link.cancel(JobID(high: 5, low: 1))
            try await link.hear("REFUSED")
            #expect(!link.said.contains("RESULT"))
            #expect(try await ann.send(["ENQUEUE", "nobody", #"{"s":1}"#, "ID", waiting]).text == waiting)
            for id in [owned, waiting] { #expect(try await ann.send(["CANCEL", id]) == .integer(1)) }
            await ann.close()
            await bob.close()
            await link.close()
        }
    }

    @Test("on a node's own port with a users file its own password is that of its user, and no more")
    func ownPort() async throws {
        let people = try People(["n1 node", "eye viewer"])
        let security = try people.security()
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor { $0.security = security }
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.security = Self.security("n1")
                $0.security.users = security.users
                $0.server = Address(host: "localhost", port: 0)
            }
            try await waitForNodes(["n1"], at: distributor)
            let address = Address(host: "localhost", port: try #require(try await node.port()))
            let own = try await RESPClient.connect(to: address, security: Self.security("n1"))
            #expect(try await own.send(["WHOAMI"]).elements?.compactMap(\.text) == ["user", "n1", "roles", "node"])
            #expect(try await own.send(["RELOAD"]).text == "NOPERM this needs the role author")
            await own.close()
            await #expect(throws: WireError.self) {
                try await RESPClient.connect(to: address, security: WireSecurity(password: Password("secret")))
            }
        }
    }

    @Test("args are hidden from those who only look")
    func hidden() async throws {
        let people = try People(["eye viewer", "ops viewer,operator", "app producer,viewer"])
        let security = try people.security(hidesArgs: true)
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor { $0.security = security }
            let app = try await Self.client("app", distributor)
            let id = try #require(try await app.send(["ENQUEUE", "who", #"{"card":4711}"#, "AFTER", "3600"]).text)
            for (user, isShown) in [("eye", false), ("app", false), ("ops", true)] {
                let client = try await Self.client(user, distributor)
                let words = try #require(try await client.send(["JOB", id]).elements).compactMap(\.text)
                #expect(words.contains(#"{"card":4711}"#) == isShown)
                #expect(words.contains(#"{"(hidden)":true}"#) == !isShown)
                #expect(words.contains(id))
                await client.close()
            }
            await app.close()
        }
    }

    @Test("who is taken from the file loses its connections, and links with them; who is added gets in")
    func changed() async throws {
        let people = try People(["n1 node", "ann viewer"])
        let security = try people.security()
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor { $0.security = security }
            try await cluster.startNode("n1", for: [distributor]) { $0.security = Self.security("n1") }
            try await waitForNodes(["n1"], at: distributor)
            let ann = try await Self.client("ann", distributor)
            #expect(try await ann.send(["PING"]) == .simple("PONG"))
            try people.write(["bob viewer"])
            try await eventually("the node is gone") { try await distributor.nodes().isEmpty }
            try await eventually("so is she") { (try? await ann.send(["PING"])) == nil }
            let bob = try await Self.client("bob", distributor)
            #expect(try await bob.send(["NODES"]).elements?.isEmpty == true)
            await bob.close()
            await ann.close()
        }
    }

    @Test("a distributor that dials back says no password, and a node elsewhere is not dialled")
    func dialling() async throws {
        let (listener, log) = (try await ScriptedDistributor.start(), LogRecorder())
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor {
                $0.security = WireSecurity(password: Password("sesame"))
                $0.limits.authenticationTime = 1
                $0.logger = log.logger
            }
            try await cluster.startNode("n1", for: [distributor]) {
                $0.security = WireSecurity(password: Password("sesame"))
                $0.server = Address(host: "localhost", port: 0)
                $0.connectTo = listener.address
            }
            try await listener.hear("LINK")
            #expect(!listener.heard.elements.joined().contains("sesame"))
            // An address of documentation, which no machine has.
            try await cluster.startNode("n2", for: [distributor]) {
                $0.security = WireSecurity(password: Password("sesame"))
                $0.server = Address(host: "localhost", port: 0)
                $0.connectTo = Address(host: "203.0.113.1", port: 1)
            }
            try await waitForNodes(["n1", "n2"], at: distributor)
            #expect(
                log.lines.elements.contains {
                    $0.metadata["node"] == "n2"
                        && $0.metadata["reason"]?.description.contains("nor in dialAllow") == true
                })
        }
        try await listener.stop()
    }
}
