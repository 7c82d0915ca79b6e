import Foundation
import JobReactorTesting
import Testing

/// `jobreactor jobs` as an operator types it, for nodes that run and nodes that do not.
@Suite struct JobsCommandTests {
    /// The ids in a table or in lines of JSON.
    private static func ids(_ text: String) -> [String] {
        text.matches(of: /\b[0-9a-f]{32}\b/).map { String($0.output) }
    }

    @Test("jobs in memory: their node is asked at its server")
    func memory() async throws {
        let installation = try await Installation()
        let port = try Programs.freePort()
        let node = try await installation.startNode("n1", ["--server", "localhost:\(port)", "--max-attempt", "1"])
        defer { node.signal(SIGTERM) }
        let at = ["--server", "localhost:\(port)"]
        let late = try await installation.jobreactor(["enqueue", "greet", "name=Ada", "--after", "3600"])
        let other = try await installation.jobreactor(["enqueue", "echo", "--after", "3600"])
        _ = try await installation.jobreactor(["enqueue", "fails", "--wait"])
        let (lateID, otherID) = (try #require(Self.ids(late.output).first), try #require(Self.ids(other.output).first))
        try await eventually("all are listed") {
            Self.ids(try await installation.jobreactor(["jobs", "list"] + at).output).count == 3
        }
        let table = try await installation.jobreactor(["jobs", "list"] + at).output
        #expect(table.contains(/not before [0-9- :]+[+-]\d\d:\d\d \(in (59|60) min\)/))
        let failed = try await installation.jobreactor(["jobs", "list", "--status", "failed", "--json"] + at)
        let record = try JSONSerialization.jsonObject(with: Data(failed.output.utf8)) as? [String: Any]
        #expect(record?["name"] as? String == "fails")
        #expect((record?["last_error"] as? String)?.contains("no disk") == true)
        #expect(record?["on_node"] as? String == "n1")
        #expect(record?["attempt"] as? Int == 1)

        let failedID = try #require(record?["id"] as? String)
        let same = try await installation.jobreactor(["jobs", "show", failedID, "--json"] + at)
        #expect(same.output == failed.output)
        let shown = try await installation.jobreactor(["jobs", "show", lateID] + at)
        #expect(shown.output.contains(#"{"name":"Ada"}"#))
        let retried = try await installation.jobreactor(["jobs", "retry", lateID] + at)
        #expect(retried.status == 0 && retried.output == "runs again: \(lateID)\n")
        try await eventually("it ran and is gone") {
            try await installation.jobreactor(["jobs", "show", lateID] + at).status == 1
        }
        let twice = try await installation.jobreactor(["jobs", "retry", lateID] + at)
        #expect(twice.status == 1 && twice.errors.contains("no job \(lateID) that could be run again"))
        let destroyed = try await installation.jobreactor(["jobs", "destroy", otherID] + at)
        #expect(destroyed.status == 0)
        let destroyAll = ["jobs", "destroy-all", "--node", "n1"] + at
        let unsaid = try await installation.jobreactor(destroyAll)
        #expect(unsaid.status == 64)
        let advice = "1 job of n1 would be destroyed: give --yes, because there is no terminal to ask on"
        #expect(unsaid.errors.contains(advice), "\(unsaid.errors)")
        let dry = try await installation.jobreactor(destroyAll + ["--dry-run"])
        #expect(dry.status == 0 && dry.output == "1 job of n1 would be destroyed\n")
        let rest = try await installation.jobreactor(destroyAll + ["--yes"])
        #expect(rest.output == "destroyed 1 job of n1\n")
        let end = try await installation.jobreactor(["jobs", "list"] + at)
        #expect(end.status == 0 && Self.ids(end.output).isEmpty)

        // A distributor has what has failed there; a Redis server has nothing of ours.
        let atDistributor = ["--server", "localhost:\(installation.port)"]
        let kept = try await installation.jobreactor(["jobs", "list"] + atDistributor)
        #expect(kept.status == 0 && Self.ids(kept.output).isEmpty)
        let redis = try await RedisServer.start()
        let wrong = try await installation.jobreactor(["jobs", "list", "--server", "localhost:\(redis.port)"])
        #expect(wrong.status == 1)
        #expect(wrong.errors.contains("is neither a node nor a distributor: give the address of one"))
        await redis.kill()
    }

    @Test("a job within C is listed with its place, and what is behind it as waiting")
    func withinC() async throws {
        let installation = try await Installation()
        let port = try Programs.freePort()
        let node = try await installation.startNode(
            "n1", ["--server", "localhost:\(port)", "--slice-warning", "0.2"])
        defer { node.signal(SIGKILL) }
        let slow = try await installation.jobreactor(["enqueue", "slow", "seconds=20"])
        try await node.logs("slow begins")
        let next = try await installation.jobreactor(["enqueue", "echo"])
        let (slowID, nextID) = (try #require(Self.ids(slow.output).first), try #require(Self.ids(next.output).first))
        var table = ""
        try await eventually("both are listed") {
            table = try await installation.jobreactor(["jobs", "list", "--server", "localhost:\(port)"]).output
            return table.contains("waiting behind slow \(slowID)")
        }
        #expect(table.contains(/running for \d+\.\d s, \S*jobs\.lua:6 in file:close/), "\(table)")
        let row = table.split(separator: "\n").first { $0.hasPrefix(nextID) }
        #expect(row?.contains("  waiting  ") == true, "\(table)")
        try await node.logs("in C, where it cannot be interrupted")
    }

    @Test("stored jobs: with their node running, and without it", arguments: Place.Kind.allCases)
    func stored(_ kind: Place.Kind) async throws {
        let place = try await Place(kind)
        let installation = try await Installation()
        let port = try Programs.freePort()
        let node = try await installation.startNode("n1", place.option("n1") + ["--server", "localhost:\(port)"])
        for name in ["greet", "echo", "greet", "echo"] {
            _ = try await installation.jobreactor(["enqueue", name, "--after", "3600"])
        }
        try await eventually("all are listed") {
            Self.ids(try await installation.jobreactor(["jobs", "list"] + place.option("n1")).output).count == 4
        }
        let greets = Self.ids(
            try await installation.jobreactor(["jobs", "list", "--name", "greet"] + place.option("n1")).output)
        try #require(greets.count == 2)
        let cancelled = try await installation.jobreactor(["jobs", "cancel", greets[0]] + place.option("n1"))
        #expect(cancelled.status == 0 && cancelled.output == "cancelled \(greets[0])\n")
        try await eventually("the node has cancelled it") {
            Self.ids(try await installation.jobreactor(["jobs", "list"] + place.option("n1")).output).count == 3
        }
        node.signal(SIGTERM)
        #expect(try await node.exitStatus() == 0)
        let shown = try await installation.jobreactor(["jobs", "show", greets[1], "--json"] + place.option("n1"))
        #expect(shown.status == 0 && shown.output.contains(#""on_node":"n1""#))
        let destroyed = try await installation.jobreactor(["jobs", "destroy", greets[1]] + place.option("n1"))
        #expect(destroyed.status == 0)
        let again = try await installation.jobreactor(["jobs", "destroy", greets[1]] + place.option("n1"))
        #expect(again.status == 1 && again.errors.contains("there is no job \(greets[1]) there"))
        let all = try await installation.jobreactor(
            ["jobs", "destroy-all", "--node", "n1", "--yes"] + place.option("n1"))
        #expect(all.output == "destroyed 2 jobs of n1\n")
    }

    @Test(
        "what cannot work says what to do",
        arguments: [
            (["jobs", "list", "--distributor", "localhost:1"], 1, "cannot ask localhost:1: connection refused"),
            (
                ["jobs", "destroy-all", "--node", "n"], 64,
                "--storage sqlite:FILE or redis://…, or the --server of a node"
            ),
            (["jobs", "retry"], 64, "name the job to retry by its id, or several jobs by --name"),
            (["jobs", "cancel", "--all", "--name", "x"], 64, "--all means every job"),
            (["jobs", "destroy", "0a", "--name", "x"], 64, "an id names one job"),
            (["jobs", "list", "--since", "soon"], 64, "--since takes a time such as 90s"),
            (["jobs", "list", "--error", ""], 64, "--error takes a text of 1 to 1024 bytes"),
            (["jobs", "list", "--server", "localhost:1"], 1, "cannot ask localhost:1: connection refused"),
            (["jobs", "list", "--storage", "sqlite:/no/such/file"], 1, "/no/such/file"),
            (
                ["jobs", "list", "--storage", "redis://localhost:1"], 1,
                "cannot reach redis://localhost:1/0: connection refused: start a Redis server there"
            ),
            (["jobs", "list", "--storage", "postgres://x"], 64, "postgres://x"),
            (["jobs", "list", "--server", "localhost:1", "--status", "done"], 64, "--status takes one of new, queued"),
            (["jobs", "list", "--server", "localhost:1", "--limit", "0"], 64, "--limit takes a number of jobs from 1"),
            (["jobs", "show", "1g", "--server", "localhost:1"], 64, "'1g' is not a job id"),
            (["jobs", "retry", String(repeating: "0", count: 32), "--distributor", "localhost:1"], 1, "localhost:1"),
        ] as [([String], Int32, String)])
    func wrong(_ words: [String], status: Int32, text: String) async throws {
        let ended = try await Programs.run("jobreactor", words)
        #expect(ended.status == status)
        #expect(ended.errors.contains(text), "\(ended.errors)")
        #expect(ended.output.isEmpty)
    }

    @Test("many jobs: how many is said first, and nothing is changed without a word for it")
    func many() async throws {
        let installation = try await Installation()
        let port = try Programs.freePort()
        let node = try await installation.startNode("n1", ["--server", "localhost:\(port)"])
        defer { node.signal(SIGTERM) }
        let at = ["--server", "localhost:\(port)"]
        var ids: [String] = []
        for name in ["greet", "echo", "greet"] {
            ids += Self.ids(try await installation.jobreactor(["enqueue", name, "--after", "3600"]).output)
        }
        _ = try await installation.jobreactor(["enqueue", "fails", "--wait"])
        try await eventually("all are listed") {
            Self.ids(try await installation.jobreactor(["jobs", "list"] + at).output).count == 4
        }
        // The newest first.
        let waiting = Self.ids(try await installation.jobreactor(["jobs", "list", "--status", "queued"] + at).output)
        #expect(waiting == ids.reversed())
        let failed = try await installation.jobreactor(["jobs", "list", "--error", "NO DISK", "--since", "1h"] + at)
        #expect(Self.ids(failed.output).count == 1)
        #expect(failed.output.contains(/ERROR\n.* [^ \/]*\/?jobs\.lua:3: no disk\n/))
        #expect(failed.output.contains(#/ \d\d:\d\d:\d\d [+-]\d\d:\d\d /#))

        let unsaid = try await installation.jobreactor(["jobs", "cancel", "--name", "greet"] + at)
        #expect(unsaid.status == 64)
        #expect(unsaid.errors.contains("2 jobs would be cancelled: give --yes, because there is no terminal to ask on"))
        let dry = try await installation.jobreactor(["jobs", "cancel", "--name", "greet", "--dry-run"] + at)
        #expect(dry.status == 0 && dry.output == "2 jobs would be cancelled\n")
        let done = try await installation.jobreactor(["jobs", "cancel", "--name", "greet", "--yes"] + at)
        #expect(done.status == 0 && done.output == "cancelled 2 jobs\n")
        let again = try await installation.jobreactor(["jobs", "retry", "--status", "failed", "--yes"] + at)
        #expect(again.status == 0 && again.output == "retried 1 job\n")
        try await eventually("it has failed again") {
            try await installation.jobreactor(["jobs", "retry", "--all", "--dry-run"] + at).output
                == "1 job would be retried\n"
        }
        // The beginning of an id is enough.
        let prefix = String(ids[1].prefix(24))
        let shown = try await installation.jobreactor(["jobs", "show", prefix] + at)
        #expect(shown.status == 0 && shown.output.contains(ids[1]))
        let ambiguous = try await installation.jobreactor(["jobs", "destroy", String(ids[1].prefix(2))] + at)
        #expect(ambiguous.status == 1)
        #expect(
            ambiguous.errors.contains("is a prefix of several ids") && ambiguous.errors.contains("(echo, queued)"))
        let none = try await installation.jobreactor(["jobs", "destroy", "ffffffff"] + at)
        #expect(none.status == 1 && none.errors.contains("there is no job whose id begins with ffffffff"))
        let all = try await installation.jobreactor(["jobs", "destroy", "--all", "--yes"] + at)
        #expect(all.status == 0 && all.output == "destroyed 2 jobs\n")
        let empty = try await installation.jobreactor(["jobs", "destroy", "--all", "--yes"] + at)
        #expect(empty.status == 0 && empty.output == "0 jobs would be destroyed\n")
    }

    @Test("a terminal is asked, and says no unless it says yes")
    func asked() async throws {
        let installation = try await Installation()
        _ = try await installation.jobreactor(["enqueue", "absent"])
        // A terminal of its own, as `script` makes one.
        func ask(_ answer: String) async throws -> Finished {
            try await Programs.run(
                "python3",
                [
                    "-c",
                    """
                    import os, pty, sys
                    pid, terminal = pty.fork()
                    if pid == 0:
                        os.execvp('jobreactor', ['jobreactor', 'jobs', 'cancel', '--name', 'absent'])
                    seen = b''
                    while b'[y/N]' not in seen: seen += os.read(terminal, 1000)
                    os.write(terminal, sys.argv[1].encode() + b'\\n')
                    try:
                        while True:
                            piece = os.read(terminal, 1000)
                            if not piece: break
                            seen += piece
                    except OSError: pass
                    print(seen.decode())
                    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
                    """, answer,
                ], environment: ["JOBREACTOR_DISTRIBUTOR": "localhost:\(installation.port)"])
        }
        let no = try await ask("no")
        #expect(no.status == 1 && no.output.contains("1 job: cancel? [y/N]"))
        #expect(no.output.contains("nothing has changed"))
        let yes = try await ask("y")
        #expect(yes.status == 0 && yes.output.contains("cancelled 1 job"))
    }

    @Test("jobs that wait at the distributor are listed there with what they wait for, and changed there")
    func atDistributor() async throws {
        let installation = try await Installation()
        let node = try await installation.startNode("n1")
        defer { node.signal(SIGTERM) }
        let id = try #require(Self.ids(try await installation.jobreactor(["enqueue", "gret"]).output).first)
        _ = try await installation.jobreactor(["enqueue", "nobody"])
        try await eventually("the node has said what it defines") {
            try await installation.jobreactor(["jobs", "list"]).output
                .contains("no node defines it: did you mean 'greet'?")
        }
        let list = try await installation.jobreactor(["jobs", "list"])
        #expect(list.status == 0)
        #expect(list.errors.contains("these are the jobs of the distributor at localhost:\(installation.port): "))
        let shown = try await installation.jobreactor(["jobs", "show", id])
        #expect(shown.output.contains(/waits_for +no node defines it: did you mean 'greet'\?/))
        let cancelled = try await installation.jobreactor(["jobs", "cancel", id])
        #expect(cancelled.status == 0 && cancelled.output == "cancelled \(id)\n")
        let destroyed = try await installation.jobreactor(["jobs", "destroy", "--all", "--yes", "--json"])
        #expect(destroyed.output == #"{"change":"destroy","count":1,"dry_run":false}"# + "\n")
        let rest = try await installation.jobreactor(["jobs", "list"])
        #expect(Self.ids(rest.output).isEmpty)
    }
}
