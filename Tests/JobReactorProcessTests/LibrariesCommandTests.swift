import Foundation
import Testing

/// What `http`, `exec` and `redis` may take of the process around them.
@Suite struct LibrariesCommandTests {
    /// The args that a run of a job leaves, in a process that may have so many files open.
    private func run(_ script: String, files: Int, _ options: String = "") async throws -> [String: Any] {
        let folder = try Folder(["a.lua": "job('a', function(args)\n\(script)\nend)"])
        let done = try await Programs.run(
            "sh", ["-c", "ulimit -n \(files) && exec jobreactor run a --jobs '\(folder.path)' \(options)"])
        #expect(done.status == 0, "\(done.errors)")
        let value = try JSONSerialization.jsonObject(with: Data(done.output.utf8))
        return try #require(value as? [String: Any])
    }

    @Test(arguments: [(programs: 1000, files: 1024), (programs: 200, files: 256)])
    func moreProgramsThanTheFilesAllowWaitForTheirTurn(programs: Int, files: Int) async throws {
        let args = try await run(
            """
            local tasks, good = {}, 0
            for i = 1, \(programs) do tasks[i] = spawn(exec, 'sleep', '0.2') end
            for i = 1, \(programs) do if wait(tasks[i]).status == 0 then good = good + 1 end end
            args.good = good
            """, files: files)
        #expect(args["good"] as? Int == programs)
    }

    @Test func aScriptThatHasAllFilesOpenGetsErrors() async throws {
        let args = try await run(
            """
            local open = {}
            for i = 1, 1000 do
              open[i] = io.open('/dev/null')
              if not open[i] then break end
            end
            args.exec = select(2, pcall(exec, 'true'))
            args.http = select(2, pcall(http.get, 'http://127.0.0.1:1/'))
            args.redis = select(2, pcall(function() return redis.connect('redis://127.0.0.1:1'):call('PING') end))
            for _, file in ipairs(open) do file:close() end
            args.status = exec('true').status
            """, files: 256)
        let problem = args["exec"] as? String ?? ""
        #expect(problem.contains("exec: cannot run true: this process has too many open files"), "\(problem)")
        #expect((args["http"] as? String ?? "").contains("http: cannot connect to 127.0.0.1:1: "), "\(args)")
        #expect(
            (args["redis"] as? String ?? "").contains("redis: cannot connect to redis://127.0.0.1:1/0: "), "\(args)")
        #expect(args["status"] as? Int == 0)
    }

    @Test(arguments: [
        "--allow-host 127.0.0.1:1 --allow-host '*.example.org'", "--allow-host '127.0.0.1:1,*.example.org'",
    ])
    func scriptsConnectToAllowedServersOnly(_ options: String) async throws {
        let args = try await run(
            """
            args.good = select(2, pcall(http.get, 'http://127.0.0.1:1/'))
            args.http = select(2, pcall(http.get, 'http://127.0.0.1:2/'))
            args.redis = select(2, pcall(redis.connect, 'redis://localhost:1'))
            """, files: 256, options)
        #expect((args["good"] as? String ?? "").contains("connection refused"), "\(args)")
        #expect((args["http"] as? String ?? "").contains("http: a request must not go to 127.0.0.1:2: "), "\(args)")
        let redis = args["redis"] as? String ?? ""
        #expect(redis.contains("redis.connect: a connection must not go to localhost:1: "), "\(args)")
    }
}
