import Foundation
import Testing

/// The command line as a user types it, rightly and wrongly.
@Suite struct CommandLineTests {
    @Test func runRunsOneJobHereAndNow() async throws {
        let folder = try Folder(Installation.scripts)
        let good = try await Programs.run("jobreactor", ["run", "greet", "name=Ada", "--jobs", folder.path])
        #expect(good.status == 0)
        #expect(good.output.contains(#""greeting":"Hello, Ada!""#))
        let bad = try await Programs.run("jobreactor", ["run", "fails", "--jobs", folder.path])
        #expect(bad.status == 1)
        #expect(bad.errors.contains("jobs.lua:3: no disk"))
        let unknown = try await Programs.run("jobreactor", ["run", "gret", "--jobs", folder.path])
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("greet"))
    }

    @Test func runRunsTheJobsThatItEnqueuesAndPerforms() async throws {
        let folder = try Folder([
            "jobs.lua": """
            job('parent', function(args)
              local one, two = spawn(perform, 'child', { n = 1 }), spawn(perform, 'child', { n = 2 })
              args.sum = wait(one).v + wait(two).v
              local good, why = pcall(perform, 'child', { n = 'x' })
              args.why = why
              args.unknown = select(2, pcall(perform, 'chidl'))
              enqueue('child', { n = 3 }, nil, function(child) args.told = child.v end)
              enqueue('says', { text = 'from afar' })
              enqueue('says', { text = 'never' }, { after = 60 })
            end)
            job('child', function(args) sleep(0.01) args.v = args.n * 2 end)
            job('says', function(args) print(args.text) enqueue('says_more') end)
            job('says_more', function() print('more') end)
            job('in_vain', function() enqueue('fails') end)
            job('fails', function() error('no disk') end)
            """
        ])
        let good = try await Programs.run("jobreactor", ["run", "parent", "--jobs", folder.path])
        #expect(good.status == 0, "\(good.errors)")
        let args = try #require(try JSONSerialization.jsonObject(with: Data(good.output.utf8)) as? [String: Any])
        #expect(args["sum"] as? Int == 6 && args["told"] as? Int == 6)
        #expect((args["why"] as? String)?.contains("jobs.lua:11: attempt to ") == true)
        #expect(
            (args["unknown"] as? String)?.contains(
                "perform: no script defines the job 'chidl' (did you mean 'child'?)") == true)
        #expect(good.errors.contains("from afar\n") && good.errors.contains("more\n"))
        #expect(!good.errors.contains("never\n"))
        #expect(good.errors.contains("s; not run here: says {\"text\":\"never\"}\n"))

        let bad = try await Programs.run("jobreactor", ["run", "in_vain", "--jobs", folder.path])
        #expect(bad.status == 1 && bad.output == "{}\n")
        #expect(bad.errors.contains("the enqueued job 'fails' failed: "))
        #expect(bad.errors.contains("jobs.lua:15: no disk"))
    }

    @Test func runWithWatchRunsAgainAtEachChange() async throws {
        let folder = try Folder(["a.lua": "job('greet', function(args) args.greeting = 'Hello' end)"])
        let file = folder.path + "/a.lua"
        func save(_ text: String) throws { try text.write(toFile: file, atomically: true, encoding: .utf8) }
        let program = try RunningProgram("jobreactor", ["run", "greet", "--watch", "--jobs", folder.path])
        defer { program.signal(SIGKILL) }
        try await program.logs("-- waiting for changes in \(folder.path)")
        #expect(program.standardOutput == "{\"greeting\":\"Hello\"}\n")
        #expect(program.standardError.contains("-- succeeded after "))

        try save("job('greet', function(args)")
        try await program.logs("\(file):1: 'end' expected")
        try save("job('greet', function(args) error('no words') end)")
        try await program.logs("\(file):1: no words")
        try await program.logs("-- failed after ")
        // A run that does not end is cut short by the next change.
        try save("job('greet', function(args) print('runs on') while true do end end)")
        try await program.logs("runs on")
        try save("job('greet', function(args) args.greeting = 'Bye' end)")
        try await eventually("the last run") { program.standardOutput.contains("Bye") }
        #expect(program.standardError.contains("-- \(file) is changed\n"))
        #expect(program.standardOutput == "{\"greeting\":\"Hello\"}\n{\"greeting\":\"Bye\"}\n")
        program.signal(SIGINT)
        #expect(try await program.exitStatus() == 128 + SIGINT)
    }

    @Test func checkShowsJobsAndErrorsWithFileAndLine() async throws {
        let good = try Folder(Installation.scripts)
        let fine = try await Programs.run("jobreactor", ["check", good.path])
        #expect(fine.status == 0)
        for name in ["echo", "greet", "fails", "slow"] { #expect(fine.output.contains(name)) }
        let broken = try Folder([
            "reactor_jobs/a.lua": "job('a', function(args)\nend",
            "reactor_jobs/b.lua": "job('b', function() end)\njob_callback('c', function() end)",
        ])
        let bad = try await Programs.run("jobreactor", ["check"], directory: broken.path)
        #expect(bad.status == 1)
        #expect(bad.errors.contains("reactor_jobs/a.lua:2: "))
        #expect(bad.errors.contains("reactor_jobs/b.lua:2: "))
        #expect(bad.output.contains("b"))
        let raises = try Folder(["a.lua": "local function fail() error('no disk') end\nfail()"])
        let oneLine = try await Programs.run("jobreactor", ["check", raises.path])
        #expect(oneLine.errors.contains("/a.lua:1: no disk\n") && !oneLine.errors.contains("traceback"))
    }

    @Test func checkFailsForGlobalsThatNobodyDefines() async throws {
        let folder = try Folder([
            "reactor_jobs/a.lua": "job('a', function(args)\n  pritn(args.x, shared_by_files)\nend)",
            "reactor_jobs/b.lua": "shared_by_files = 1",
            "reactor_jobs/c.lua": "local module = {}",
        ])
        let bad = try await Programs.run("jobreactor", ["check"], directory: folder.path)
        #expect(bad.status == 1)
        #expect(
            bad.errors == """
                reactor_jobs/a.lua:2: undefined global 'pritn' (did you mean 'print'?)
                warning: reactor_jobs/c.lua:1: defines no job and no global, and returns nothing: a module returns its table, \
                and other files belong elsewhere

                """)
        #expect(bad.output.contains("reactor_jobs/a.lua:1"))
    }

    @Test func aNewJobRunsAndPassesItsTests() async throws {
        let folder = try Folder()
        let new = try await Programs.run("jobreactor", ["new", "greet", "--editor"], directory: folder.path)
        #expect(new.status == 0)
        #expect(
            new.output == """
                wrote reactor_jobs/greet.lua
                wrote reactor_jobs/greet_test.lua
                wrote .luarc.json
                wrote reactor_jobs/.definitions/jobreactor.lua
                next:
                    jobreactor run greet name=Ada
                    jobreactor test

                """)
        let check = try await Programs.run("jobreactor", ["check"], directory: folder.path)
        #expect(check.status == 0 && check.errors.isEmpty)
        let row = check.output.split(separator: "\n").last?.split(separator: " ").prefix(4)
        #expect(row == ["greet", "reactor_jobs/greet.lua:4", "1", "1"])
        let run = try await Programs.run("jobreactor", ["run", "greet", "name=Ada"], directory: folder.path)
        #expect(run.output.contains(#""greeting":"Hello, Ada!""#))
        let test = try await Programs.run("jobreactor", ["test"], directory: folder.path)
        #expect(test.status == 0)
        #expect(
            test.output == """
                ok      greet greets by name
                ok      greet is not tried again without a name
                2 passed, 0 failed

                """)
        let settings = try String(contentsOfFile: folder.path + "/.luarc.json", encoding: .utf8)
        #expect(settings.contains(#""workspace.library": ["reactor_jobs/.definitions"]"#))
        let definitions = try await Programs.run("jobreactor", ["definitions"])
        let written = folder.path + "/reactor_jobs/.definitions/jobreactor.lua"
        #expect(definitions.output == (try String(contentsOfFile: written, encoding: .utf8)) + "\n")
    }

    @Test func aNewJobReplacesNothing() async throws {
        let folder = try Folder(["jobs/greet_test.lua": "-- mine"])
        let jobs = folder.path + "/jobs"
        let there = try await Programs.run("jobreactor", ["new", "greet", "--jobs", jobs])
        #expect(there.status == 1)
        #expect(
            there.errors
                == "jobreactor: \(jobs)/greet_test.lua exists already: choose another name, or remove the file first\n"
        )
        #expect(!FileManager.default.fileExists(atPath: jobs + "/greet.lua"))
        for name in ["a/b", "..", "a b", "", "x.lua", "é", "my_test"] {
            let bad = try await Programs.run("jobreactor", ["new", name, "--jobs", jobs])
            #expect(bad.status == 64, "\(name)")
            #expect(bad.errors.split(separator: "\n").count == 1, "\(bad.errors)")
        }
        let other = try await Programs.run("jobreactor", ["new", "other", "--jobs", jobs])
        #expect(
            other.output.hasSuffix(
                "next:\n    jobreactor run other name=Ada --jobs \(jobs)\n    jobreactor test --jobs \(jobs)\n"))
    }

    @Test func testsTellWhatFailsAndWhere() async throws {
        let folder = try Folder([
            "reactor_jobs/add.lua": "job('add', function(args) args.sum = args.a + args.b print('adding') end)",
            "reactor_jobs/add_test.lua": """
            test('adds', function() equal(run('add', { a = 1, b = 2 }).args.sum, 3) end)
            test('adds wrongly', function()
              print('about to')
              equal(run('add', { a = 1, b = 2 }).args, { a = 1, b = 2, sum = 4 })
            end)
            """,
        ])
        let all = try await Programs.run("jobreactor", ["test"], directory: folder.path)
        #expect(all.status == 1)
        #expect(
            all.output == """
                ok      adds
                FAILED  adds wrongly
                    reactor_jobs/add_test.lua:4: not equal: .sum: got 3, expected 4
                    | about to
                1 passed, 1 failed

                """)
        let one = try await Programs.run(
            "jobreactor", ["test", "reactor_jobs", "--filter", "adds wr"], directory: folder.path)
        #expect(one.status == 1 && one.output.hasSuffix("0 passed, 1 failed\n"))
        let none = try await Programs.run("jobreactor", ["test", "--filter", "divides"], directory: folder.path)
        #expect(none.status == 1)
        #expect(none.errors == "jobreactor: no test in reactor_jobs contains 'divides' in its title or file\n")
    }

    @Test func enqueueWaitsForTheOutcome() async throws {
        let installation = try await Installation()
        let node = try await installation.startNode("n1")
        defer { node.signal(SIGTERM) }
        let good = try await installation.jobreactor(["enqueue", "greet", "name=Ada", "--wait"])
        #expect(good.status == 0)
        #expect(good.output.contains(#""greeting":"Hello, Ada!""#))
        let bad = try await installation.jobreactor(["enqueue", "fails", "--wait"])
        #expect(bad.status == 1)
        #expect(bad.errors.contains("jobs.lua:3: no disk"))
        let id = try await installation.jobreactor(["enqueue", "echo", "--args", #"{"a":1}"#])
        #expect(id.status == 0)
        #expect(id.output.trimmingCharacters(in: .newlines).count == 32)
        let nodes = try await installation.jobreactor(["nodes"])
        #expect(nodes.status == 0 && nodes.output.contains("n1"))
        let info = try await installation.jobreactor(["info", "server"])
        #expect(info.status == 0 && info.output.contains("role:distributor"))
    }

    @Test func enqueueSaysAtOnceThatNobodyDefinesTheJob() async throws {
        let installation = try await Installation()
        let node = try await installation.startNode("n1")
        defer { node.signal(SIGTERM) }
        let waiting = try await installation.jobreactor(["enqueue", "gret", "--wait", "--timeout", "5"])
        #expect(waiting.status == 1)
        let reason = "no connected node defines the job 'gret' (did you mean 'greet'?): it is parked until one does"
        #expect(waiting.errors.hasPrefix("jobreactor: \(reason)\njobreactor: no outcome of job "))
    }

    @Test func nodesShowsTheJobsThatWait() async throws {
        let installation = try await Installation()
        let node = try await installation.startNode("n1")
        defer { node.signal(SIGTERM) }
        _ = try await installation.jobreactor(["enqueue", "nobody_defines_it"])
        _ = try await installation.jobreactor(["enqueue", "nobody_defines_it"])
        let nodes = try await installation.jobreactor(["nodes"])
        #expect(nodes.output.contains("nobody_defines_it      2  a node that defines it (parked)"))
        let json = try await installation.jobreactor(["nodes", "--json"])
        #expect(json.output.contains(#""waiting":[{"count":2,"name":"nobody_defines_it","parked":true}]"#))
    }

    @Test func jobsAreShownAndCancelledByTheirIDs() async throws {
        let installation = try await Installation()
        let node = try await installation.startNode("n1")
        defer { node.signal(SIGTERM) }
        let id = try await installation.jobreactor(["enqueue", "echo", "a=1", "--after", "3600"])
            .output.trimmingCharacters(in: .newlines)
        let shown = try await installation.jobreactor(["jobs", "show", id])
        #expect(shown.status == 0)
        #expect(shown.output.contains("echo") && shown.output.contains(#"{"a":1}"#))
        let cancelled = try await installation.jobreactor(["jobs", "cancel", id])
        #expect(cancelled.status == 0)
        #expect(cancelled.output == "cancelled \(id)\n")
        let again = try await installation.jobreactor(["jobs", "cancel", String(repeating: "0", count: 32)])
        #expect(again.status == 1)
        #expect(again.errors.contains("knows no unfinished job"))
        let wrong = try await installation.jobreactor(["jobs", "cancel", "x7"])
        #expect(wrong.status == 64)
    }

    @Test func aMissingServerIsOneLineThatSaysWhatToDo() async throws {
        let port = try Programs.freePort()
        for arguments in [["enqueue", "echo"], ["nodes"], ["info"]] {
            let result = try await Programs.run("jobreactor", arguments + ["--distributor", "localhost:\(port)"])
            #expect(result.status == 1)
            #expect(result.errors.hasPrefix("jobreactor: cannot connect to localhost:\(port): "))
            #expect(result.errors.split(separator: "\n").count == 1)
        }
    }

    @Test(arguments: [
        ["node", "--distributor", "nowhere"], ["node", "--storage", "paper"], ["distributor", "--listen", "5000"],
        ["node", "--max-attempt", "0"], ["enqueue"], ["enqueue", "echo", "--after", "-1"], ["enqueue", "a b"],
        ["enqueue", "echo", "--args", "[1]"], ["node", "--nonsense"], ["distributor", "--config", "/no/such/file"],
    ])
    func wrongUsageIsToldAndExitsWith64(arguments: [String]) async throws {
        let result = try await Programs.run("jobreactor", arguments)
        #expect(result.status == 64, "\(result.errors)")
        #expect(!result.errors.isEmpty)
    }

    @Test func aWrongVariableOrConfigurationKeyIsNamed() async throws {
        let variable = try await Programs.run(
            "jobreactor", ["node"], environment: ["JOBREACTOR_MAX_ATTEMPT": "many"])
        #expect(variable.status == 64)
        #expect(variable.errors.contains("JOBREACTOR_MAX_ATTEMPT"))
        let folder = try Folder(["config.json": #"{"max_atempt": 3}"#])
        let key = try await Programs.run("jobreactor", ["node", "--config", folder.path + "/config.json"])
        #expect(key.status == 64)
        #expect(key.errors.contains("max_atempt") && key.errors.contains("max_attempt"))
    }

    @Test func anUnknownVariableIsWarnedOfByEveryCommand() async throws {
        let folder = try Folder(Installation.scripts)
        for words in [
            ["check", folder.path], ["definitions"], ["user", "list", "--users", "/no/such/file"], ["nodes"],
        ] {
            let ended = try await Programs.run(
                "jobreactor", words,
                environment: ["JOBREACTOR_MAX_ATEMPT": "3", "JOBREACTOR_DISTRIBUTOR": "localhost:1"])
            let warning = "warning: JOBREACTOR_MAX_ATEMPT is not a setting: did you mean JOBREACTOR_MAX_ATTEMPT?\n"
            #expect(ended.errors.hasPrefix(warning), "\(words): \(ended.errors)")
        }
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func completionsAreThereForEachShell(shell: String) async throws {
        let script = try await Programs.run("jobreactor", ["--generate-completion-script", shell])
        #expect(script.status == 0 && script.errors.isEmpty)
        for word in [
            "destroy-all", "in_progress", "max-attempt", "sandbox", "exponential", "allow-host", "shared-limit",
        ] {
            #expect(script.output.contains(word), "\(word)")
        }
        guard shell == "bash" else { return }
        let folder = try Folder(["complete": script.output])
        let checked = try await Programs.run("bash", ["-n", folder.path + "/complete"])
        #expect(checked.status == 0 && checked.errors.isEmpty)
    }

    @Test func listeningBeyondLoopbackNeedsAPasswordOrAWord() async throws {
        let refused = try await Programs.run("jobreactor", ["distributor", "--listen", "0.0.0.0:0"])
        #expect(refused.status == 1 || refused.status == 64)
        #expect(refused.errors.contains("JOBREACTOR_PASSWORD"))
        let insecure = try RunningProgram("jobreactor", ["distributor", "--listen", "0.0.0.0:0", "--insecure"])
        try await insecure.logs("distributor listens")
        insecure.signal(SIGTERM)
        #expect(try await insecure.exitStatus() == 0)
    }
}
