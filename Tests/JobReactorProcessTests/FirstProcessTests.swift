import Foundation
import Testing

/// Containers, as far as they matter: a space of processes with a first one. They need root.
@Suite("A node that is process 1 of a container") struct FirstProcessTests {
    private static let scripts = [
        "jobs.lua": """
        job('leaves', function(args)
          os.execute('(sleep 0.1 >/dev/null 2>&1 &)')
          io.popen('(sleep 0.1 >/dev/null 2>&1 &)'):close()
          exec('sh', '-c', '(sleep 0.1 >/dev/null 2>&1 &)')
          args.statuses = { (select(3, os.execute('exit 3'))), (select(3, io.popen('exit 4'):close())) }
          args.statuses[3] = exec('sh', '-c', 'exit 5').status
        end)
        job('looks', function(args)
          local file = io.open('/proc/1/environ', 'rb')
          args.seen = file:read('a'):find('sesame', 1, true) ~= nil
          file:close()
        end)
        """
    ]

    private static let unshare = ["--pid", "--fork", "--kill-child", "--mount-proc", "jobreactor", "node"]

    private struct Process {
        var number: Int32
        var parent: Int32
    }

    /// Zombies are among them; what a sanitizer starts to name functions in its reports is not.
    private static func processes() throws -> [Process] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { name in
            // One may have ended meanwhile.
            guard let number = Int32(name),
                let text = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8),
                !text.contains("(llvm-symbolizer)")
            else { return nil }
            // After the name in parentheses come the state and the parent.
            let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
            guard fields.count > 2, let parent = Int32(fields[2]) else { return nil }
            return Process(number: number, parent: parent)
        }
    }

    private static func descendants(of number: Int32) throws -> [Int32] {
        let all = try processes()
        var found: [Int32] = []
        var parents = [number]
        while let parent = parents.popLast() {
            let children = all.filter { $0.parent == parent }.map(\.number)
            found += children
            parents += children
        }
        return found
    }

    @Test("waits for what the programs of its jobs leave behind, and takes no status from who waits for it")
    func reaps() async throws {
        let installation = try await Installation(scripts: Self.scripts)
        let node = try RunningProgram(
            "unshare",
            Self.unshare + ["--distributor", "localhost:\(installation.port)", "--jobs", installation.folder.path],
            environment: ["JOBREACTOR_REDIS_URL": "redis://:sesame@localhost:1"])
        try await node.logs("linked to a distributor")
        let first = try #require(try Self.processes().first { $0.parent == node.processIdentifier }?.number)
        for _ in 0..<22 {
            let answer = try await installation.redis(["PERFORM", "leaves"])
            #expect(answer == #"{"statuses":[3,4,5]}"#)
        }
        // The node alone.
        try await eventually("what is left to be waited for") { try Self.descendants(of: first).count == 1 }
        // What the first process of a container is called does not change.
        #expect(try await installation.redis(["NODES"]).contains("\(ProcessInfo.processInfo.hostName)-1\n"))
        #expect(try await installation.redis(["PERFORM", "looks"]) == #"{"seen":false}"#)

        kill(first, SIGHUP)
        try await node.logs("job scripts loaded")
        kill(first, SIGTERM)
        #expect(try await node.exitStatus() == 0)
        #expect(!node.standardError.contains("as process 1"))
    }

    @Test("ends as the node does")
    func status() async throws {
        let wrong = try await Programs.run("unshare", Self.unshare + ["--max-attempt", "0"])
        #expect(wrong.status == 64, "\(wrong.errors)")
        #expect(wrong.errors.contains("--max-attempt"))
    }
}
