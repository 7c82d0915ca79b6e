import Foundation
import Testing

/// What a process keeps from scripts, from their programs, and from who looks at it; and what a strange signal does not end.
@Suite("Secrets, and servers as a machine has them") struct SecretsTests {
    @Test("the password is in no environment that a script, or a program that it starts, can see")
    func environment() async throws {
        let folder = try Folder([
            "reactor_jobs/jobs.lua": """
            job('looks', function(args)
              args.own = os.getenv('JOBREACTOR_PASSWORD') or 'nothing'
              args.storage = os.getenv('JOBREACTOR_STORAGE') or 'nothing'
              args.harmless = os.getenv('HARMLESS')
              local file = io.open('/proc/self/environ', 'rb')
              args.seen = file:read('a'):find('sesame', 1, true) ~= nil
              file:close()
              local pipe = io.popen('env')
              args.program = pipe:read('a'):find('sesame', 1, true) ~= nil
              pipe:close()
            end)
            """
        ])
        let run = try await Programs.run(
            "jobreactor", ["run", "looks", "--jobs", folder.path + "/reactor_jobs"],
            environment: [
                "JOBREACTOR_PASSWORD": "sesame", "JOBREACTOR_STORAGE": "redis://:sesame@localhost:1", "HARMLESS": "yes",
            ])
        #expect(run.status == 0, "\(run.errors)")
        for text in [
            #""own":"nothing""#, #""storage":"nothing""#, #""harmless":"yes""#, #""seen":false"#, #""program":false"#,
        ] {
            #expect(run.output.contains(text), "\(text) in \(run.output)")
        }
    }

    @Test("args are in the log of a failure only when that is asked for", arguments: [false, true])
    func args(isAsked: Bool) async throws {
        let installation = try await Installation()
        let node = try await installation.startNode("n1", isAsked ? ["--log-args"] : [])
        let answer = try await installation.redis(["PERFORM", "fails", #"{"token":"sesame"}"#])
        #expect(answer.contains("no disk"))
        try await node.logs("no disk")
        #expect(node.standardError.contains("sesame") == isAsked)
        node.signal(SIGTERM)
    }

    @Test("SIGHUP ends neither a distributor nor a node")
    func hangUp() async throws {
        let installation = try await Installation()
        let node = try await installation.startNode("n1")
        for _ in 0..<3 {
            installation.distributor.signal(SIGHUP)
            node.signal(SIGHUP)
            #expect(try await installation.redis(["PERFORM", "greet", #"{"name":"Ada"}"#]).contains("Hello, Ada!"))
        }
        for program in [node, installation.distributor] {
            program.signal(SIGTERM)
            #expect(try await program.exitStatus() == 0)
        }
    }

    @Test("localhost is listened on at each of its addresses")
    func addresses() async throws {
        let installation = try await Installation()
        for host in ["127.0.0.1", "localhost"] {
            let cli = try await Programs.run("redis-cli", ["-h", host, "-p", "\(installation.port)", "PING"])
            #expect(cli.output == "PONG\n", "\(host): \(cli.errors)")
        }
    }

    @Test("without files left for connections a distributor pauses, says so once, and goes on when there are some")
    func openFiles() async throws {
        let port = try Programs.freePort()
        // The soft limit is the hard one: nothing can be raised.
        let script = "ulimit -n 64; exec jobreactor distributor --listen 127.0.0.1:\(port)"
        let distributor = try RunningProgram("sh", ["-c", script])
        try await distributor.logs("distributor listens")
        var peers: [Int32] = []
        defer { for peer in peers { close(peer) } }
        for _ in 0..<100 { peers.append(try Programs.connect(port)) }
        try await distributor.logs("cannot accept connections")
        let before = try distributor.processorTicks()
        try await Task.sleep(for: .seconds(2))
        // One that tried without a pause would have taken 200.
        #expect(try distributor.processorTicks() - before < 40)
        for peer in peers { close(peer) }
        peers = []
        try await distributor.logs("connections are accepted again")
        let cli = try await Programs.run("redis-cli", ["-p", "\(port)", "PING"])
        #expect(cli.output == "PONG\n")
        let lines = distributor.standardError.components(separatedBy: "cannot accept connections").count - 1
        #expect(lines <= 2)
        distributor.signal(SIGTERM)
        #expect(try await distributor.exitStatus() == 0)
    }
}
