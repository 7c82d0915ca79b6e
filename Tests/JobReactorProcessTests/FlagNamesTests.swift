import Foundation
import Testing

/// Errors and logs of the libraries call a setting by its flag in the program. Its name in Swift: `SettingNameTests`.
@Suite struct FlagNamesTests {
    @Test func errorsThatScriptsCatchNameFlags() async throws {
        let folder = try Folder([
            "a.lua": """
            job('a', function(args)
              args.memory = select(2, pcall(function()
                local all = {}
                while true do all[#all + 1] = ('x'):rep(100000) .. #all end
              end))
              args.module = select(2, pcall(require, 'no.such'))
              args.host = select(2, pcall(http.get, 'http://127.0.0.1:2/'))
            end)
            """
        ])
        let done = try await Programs.run(
            "jobreactor",
            [
                "run", "a", "--jobs", folder.path, "--memory-limit", "32M", "--sandbox", "strict", "--allow-host",
                "127.0.0.1:1",
            ])
        #expect(done.status == 0, "\(done.errors)")
        let args = try #require(try JSONSerialization.jsonObject(with: Data(done.output.utf8)) as? [String: Any])
        func error(_ key: String) -> String { args[key] as? String ?? "" }
        #expect(error("memory").hasSuffix(" MiB that they may have together (--memory-limit)"), "\(args)")
        #expect(error("module").hasSuffix("no other file is looked for with --sandbox strict"), "\(args)")
        #expect(error("host").hasSuffix("it is not one of the hosts that --allow-host names"), "\(args)")
    }

    @Test func errorsOfJobsAndLogsNameFlags() async throws {
        let installation = try await Installation(scripts: [
            "a.lua": """
            job('shares', { max_attempt = 1 }, function() shared.set('key', ('x'):rep(2000000)) end)
            job('overruns', { max_attempt = 1 }, function() while true do end end)
            """
        ])
        let node = try await installation.startNode(
            "n1",
            [
                "--shared-limit", "1M", "--slice-limit", "0.2", "--server", "localhost:\(try Programs.freePort())",
                "--connect-to", "203.0.113.1:1",
            ])
        defer { node.signal(SIGTERM) }
        let shares = try await installation.jobreactor(["enqueue", "shares", "--wait"])
        #expect(shares.errors.contains("of the 1 MiB that it may use (--shared-limit)"), "\(shares.errors)")
        let overruns = try await installation.jobreactor(["enqueue", "overruns", "--wait"])
        #expect(overruns.errors.contains("enqueue it with defer, or raise --slice-limit"), "\(overruns.errors)")
        try await installation.distributor.logs("check its --connect-to")
        try await installation.distributor.logs("nor in --dial-allow")
    }

    @Test func errorsOfCommandsNameFlags() async throws {
        let folder = try Folder()
        let check = try await Programs.run("jobreactor", ["check", folder.path + "/none"])
        #expect(check.status == 1)
        #expect(check.errors.contains("give the folder of your job scripts with --jobs"), "\(check.errors)")
        let user = try await Programs.run(
            "jobreactor", ["user", "add", "default", "--role", "viewer", "--users", folder.path + "/users"])
        #expect(user.status == 64)
        #expect(user.errors.contains("the password of the installation (--password-file): "), "\(user.errors)")
    }
}
