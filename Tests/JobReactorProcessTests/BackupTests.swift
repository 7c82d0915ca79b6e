import Foundation
import JobReactorTesting
import Testing

/// The commands of the page on backups, as they stand there, with real storages.
@Suite struct BackupTests {
    private static let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
        .appending(path: "Sources/JobReactor/JobReactor.docc/Operations/BackupAndRestore.md")

    /// The folders of the page, below one of the test.
    private static let places = ["/var/lib/jobreactor", "/var/lib/redis", "/var/backups/jobreactor"]

    private let folder: Folder
    private let redisPort: Int

    init() throws {
        folder = try Folder(["jobs/jobs.lua": "job('note', function(args) args.done = true end)"])
        redisPort = try Programs.freePort()
        for place in Self.places + ["/var/lib/jobreactor/node-worker_1"] {
            try FileManager.default.createDirectory(atPath: folder.path + place, withIntermediateDirectories: true)
        }
        try """
        port \(redisPort)
        bind 127.0.0.1
        dir \(folder.path)/var/lib/redis
        appendonly yes
        save ""
        """.write(toFile: folder.path + "/redis.conf", atomically: true, encoding: .utf8)
    }

    /// What stands for the parts of a machine: the services of ours are the test's, a server of Redis that the test has lost ends by
    /// itself.
    private var machine: String {
        """
        set -euo pipefail
        redis-cli() { command redis-cli -p \(redisPort) "$@"; }
        systemctl() {
            case "$*" in
            *jobreactor*) ;;
            "start redis-server")
                (
                    # Whoever started the shell waits until nobody has its files open any more.
                    for file in /proc/$BASHPID/fd/*; do
                        if [ "${file##*/}" -gt 2 ]; then eval "exec ${file##*/}>&-"; fi
                    done
                    exec timeout 900 redis-server '\(folder.path)/redis.conf'
                ) </dev/null >'\(folder.path)/redis.log' 2>&1 &
                until redis-cli PING 2>/dev/null | grep -q PONG; do sleep 0.1; done
                ;;
            "stop redis-server")
                redis-cli SHUTDOWN || true
                while redis-cli PING >/dev/null 2>&1; do sleep 0.1; done
                ;;
            *) return 1 ;;
            esac
        }

        """
    }

    private func shell(_ script: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        var script = script.replacing("-o jobreactor -g jobreactor ", with: "").replacing(
            "-o redis -g redis ", with: "")
        for place in Self.places { script = script.replacing(place, with: folder.path + place) }
        let ended = try await Programs.run("bash", ["-c", machine + script])
        #expect(ended.status == 0, "\(ended.output)\(ended.errors)", sourceLocation: sourceLocation)
    }

    /// Runs a block of the page.
    private func block(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        let parts = text.components(separatedBy: "<!-- run: \(name) -->\n```sh\n")
        try #require(parts.count == 2, sourceLocation: sourceLocation)
        let script = try #require(parts[1].components(separatedBy: "```\n").first, sourceLocation: sourceLocation)
        try await shell(script, sourceLocation: sourceLocation)
    }

    /// A distributor and its node, as the services of the page.
    private struct Servers {
        let port: Int
        let distributor: RunningProgram
        let node: RunningProgram

        init(_ storage: String, _ folder: Folder, keepsAll: Bool) async throws {
            port = try Programs.freePort()
            distributor = try RunningProgram(
                "jobreactor",
                ["distributor", "--listen", "localhost:\(port)", "--distributor-name", "main"]
                    + (keepsAll ? ["--storage", storage] : []))
            try await distributor.logs("distributor listens")
            node = try RunningProgram(
                "jobreactor",
                [
                    "node", "--name", "worker_1", "--server", "localhost:\(try Programs.freePort())", "--distributor",
                    "localhost:\(port)", "--jobs", folder.path + "/jobs",
                    "--storage", storage,
                ])
            try await node.logs("linked to a distributor")
        }

        func enqueue(_ name: String, _ count: Int) async throws -> Set<String> {
            var ids: Set<String> = []
            for _ in 0..<count {
                let cli = try await Programs.run(
                    "redis-cli", ["-p", "\(port)", "ENQUEUE", name, "{}", "AFTER", "3600"])
                ids.insert(cli.output.trimmingCharacters(in: .newlines))
            }
            return ids
        }

        func stop() async throws {
            for program in [node, distributor] {
                program.signal(SIGTERM)
                #expect(try await program.exitStatus() == 0, "\(program.standardError)")
            }
        }
    }

    private static func ids(in storage: String) async throws -> Set<String> {
        let list = try await Programs.run("jobreactor", ["jobs", "list", "--storage", storage, "--json"])
        return try Set(
            list.output.split(separator: "\n").map { line in
                let job = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                return try #require(job?["id"] as? String)
            })
    }

    private static let kinds = ["sqlite", "rdb", "aof"]

    @Test("no command of the page is forgotten") func allBlocks() throws {
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        let names = text.matches(of: /<!-- run: ([a-z ]+) -->\n```sh/).map { String($0.1) }
        #expect(names == Self.kinds.flatMap { ["\($0) backup", "\($0) restore"] })
        #expect(text.components(separatedBy: "```sh").count == names.count + 1)
    }

    @Test("a storage is copied while it is used, and put back", arguments: kinds)
    func restores(_ kind: String) async throws {
        let isRedis = kind != "sqlite"
        let storage =
            isRedis
            ? "redis://127.0.0.1:\(redisPort)" : "sqlite:\(folder.path)/var/lib/jobreactor/node-worker_1/jobs.sqlite"
        if isRedis { try await shell("systemctl start redis-server") }
        let servers = try await Servers(storage, folder, keepsAll: isRedis)
        // Those of a name that no node has wait at the distributor.
        var before = try await servers.enqueue("note", 5)
        if isRedis { before.formUnion(try await servers.enqueue("nobody", 3)) }
        try await eventually("all are stored") { try await Self.ids(in: storage) == before }
        let load = Task { try await servers.enqueue("note", 20) }
        try await block(kind + " backup")
        let later = try await load.value
        try await eventually("all are stored") { try await Self.ids(in: storage).isSuperset(of: later) }
        try await servers.stop()

        try await block(kind + " restore")
        let restored = try await Self.ids(in: storage)
        #expect(restored.isSuperset(of: before))
        #expect(restored.isSubset(of: before.union(later)))
        let again = try await Servers(storage, folder, keepsAll: isRedis)
        #expect(try await Self.ids(in: storage) == restored)
        let id = try #require(before.first)
        let retried = try await Programs.run("jobreactor", ["jobs", "cancel", id, "--storage", storage])
        #expect(retried.output == "cancelled \(id)\n", "\(retried.errors)")
        let answer = try await Programs.run("redis-cli", ["-p", "\(again.port)", "PERFORM", "note", "{}"])
        #expect(answer.output == "{\"done\":true}\n", "\(answer.errors)")
        try await again.stop()
        if isRedis { try await shell("systemctl stop redis-server") }
    }
}
