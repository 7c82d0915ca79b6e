import Foundation
import JobReactor
import JobReactorCore
import JobReactorNode
import JobReactorTesting
import JobReactorWire
import Logging
import Testing

/// What keeps one job from the others' time and memory.
@Suite("Guards") struct GuardTests {
    @Test("a job that runs on without a pause is told of, with its place, and then interrupted")
    func slices() async throws {
        let log = LogRecorder()
        try await withNode(
            """
            job('busy', { max_attempt = 1 }, function(args)
              while true do
                pcall(function() while true do end end)
              end
            end)
            job('next', function(args) args.ran = true end)
            """,
            {
                $0.logger = log.logger
                $0.sliceWarning = 0.1
                $0.sliceLimit = 0.5
            }
        ) { distributor in
            let outcome = try await distributor.outcome("busy")
            #expect(!outcome.isSuccess)
            let message = outcome.args["error"]?.string ?? ""
            #expect(message.contains("jobs.lua:3: the job ran too long without suspension"), "\(message)")
            #expect(message.hasSuffix("enqueue it with defer, or raise sliceLimit"), "\(message)")
            let warning = log.lines.elements.first { $0.text.contains("without suspension and blocks the others") }
            #expect(warning?.text.contains("jobs.lua:3: ") == true && warning?.metadata["job"] == "busy")
            let next = try await distributor.outcome("next")
            #expect(next.args["ran"] == true)
        }
    }

    @Test(
        "what a script has called while its error is handled is interrupted as well",
        arguments: ["text", "close", "gc"])
    func errorHandling(kind: String) async throws {
        try await withNode(
            """
            local function hang() while true do pcall(function() while true do end end) end end
            job('text', { max_attempt = 1 }, function() error(setmetatable({ f = print }, { __tostring = hang })) end)
            job('close', { max_attempt = 1 }, function()
              local x <close> = setmetatable({}, { __close = hang })
              error('x')
            end)
            job('gc', { max_attempt = 1 }, function()
              local m = { __gc = true }
              setmetatable({}, m)
              m.__gc = hang
              collectgarbage()
              error('x')
            end)
            job('next', function(args) args.ran = true end)
            """, { $0.sliceLimit = 0.3 }
        ) { distributor in
            let outcome = try await distributor.outcome(kind)
            #expect(!outcome.isSuccess && outcome.args["error"] != nil)
            let next = try await distributor.outcome("next")
            #expect(next.args["ran"] == true)
        }
    }

    @Test("a job that pauses may take as long as it likes, and so may one with defer")
    func pausesAreNoSlice() async throws {
        try await withNode(
            """
            job('pauses', { max_attempt = 1 }, function(args) for _ = 1, 30 do sleep(0.02) end args.done = true end)
            job('heavy', { max_attempt = 1 }, function(args)
              local until_then = now() + 0.6
              while now() < until_then do end
              args.done = true
            end)
            """, { $0.sliceLimit = 0.3 }
        ) { distributor in
            let pauses = try await distributor.outcome("pauses")
            let deferred = try await distributor.outcome("heavy", [:], JobOptions(isDeferred: true))
            let heavy = try await distributor.outcome("heavy")
            #expect(pauses.args["done"] == true && deferred.args["done"] == true && !heavy.isSuccess)
        }
    }

    @Test("a hang within C makes the node unhealthy: its jobs go elsewhere, and it comes back")
    func hang() async throws {
        let log = LogRecorder()
        try await Cluster.run(
            scripts: [
                // A pattern that takes some seconds, all of them within one call of Lua's C code.
                "jobs.lua": """
                job('hangs', { max_attempt = 1 }, function(args)
                  local text = ('a'):rep(args.n)
                  string.find(text, ('a*'):rep(args.depth) .. 'b')
                end)
                job('plain', function(args) args.ran = true end)
                """
            ], logger: log.logger
        ) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor]) {
                $0.sliceWarning = 0.05
                $0.sliceLimit = 0.1
            }
            try await waitForNodes(["n1"], at: distributor)
            let (hung, plain) = (Outcomes(), Outcomes())
            try distributor.enqueue("hangs", ["n": 80, "depth": 5], JobOptions(), feedback: hung.feedback)
            for _ in 0..<10 { try distributor.enqueue("plain", feedback: plain.feedback) }
            try await eventually("the node to be unhealthy") {
                log.lines.elements.contains { $0.text.hasPrefix("a job hangs in C and cannot be interrupted") }
            }
            try await cluster.startNode("n2", for: [distributor])
            let all = try await plain.wait(for: 10)
            #expect(all.allSatisfy { $0.args["ran"] == true })
            // It was not the end of the hang that let them run.
            #expect(hung.all.isEmpty)
            _ = try await hung.wait(for: 1, seconds: 300)
            try await eventually("the node to be back") {
                try await distributor.nodes().first { $0.name == "n1" }?.jobs.count == 2
            }
        }
    }

    @Test(
        "a job within C is told of at once, with its place, and so is what waits behind it",
        arguments: ["io.open(args.pipe)", "os.execute(': < ' .. args.pipe)"])
    func withinC(call: String) async throws {
        let (log, pipe) = (LogRecorder(), try NamedPipe())
        try await Cluster.run(
            scripts: [
                "jobs.lua": """
                job('hangs', { max_attempt = 1 }, function(args)
                  \(call)
                end)
                job('next', function(args) args.ran = true end)
                job('sleeps', function() sleep(0.001) repeat sleep(1) until shared.get('stop') end)
                job('stop', function() shared.set('stop', true) end)
                """
            ], logger: log.logger
        ) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.server = Address(host: "localhost", port: 0)
                $0.sliceWarning = 0.2
            }
            try await waitForNodes(["n1"], at: distributor)
            let (outcomes, sleeping) = (Outcomes(), Outcomes())
            let sleeper = try distributor.enqueue("sleeps", feedback: sleeping.feedback)
            try await eventually("it pauses") { try await distributor.nodes().first?.load == 0 }
            let hung = try distributor.enqueue(
                "hangs", ["pipe": .string(pipe.path)], JobOptions(), feedback: outcomes.feedback)
            try await eventually("the node to have it") { try await distributor.nodes().first?.load == 1 }
            let next = try distributor.enqueue("next", feedback: outcomes.feedback)
            let name = String(call.prefix { $0 != "(" })
            let text = "a job blocks the others of its lane in C, where it cannot be interrupted"
            try await eventually("the log to say so") { log.lines.elements.contains { $0.text == text } }
            let line = try #require(log.lines.elements.first { $0.text == text })
            #expect(line.metadata["job"] == "hangs" && line.metadata["at"]?.hasSuffix("jobs.lua:2 in \(name)") == true)

            let port = try #require(try await node.port())
            let monitor = JobMonitor(node: Address(host: "localhost", port: port))
            var doing: [JobID: String] = [:]
            try await eventually("the next to be there") {
                for job in try await monitor.jobs(for: "n1") { doing[job.id] = job.doing }
                return doing[next] != nil
            }
            let (isRunning, isWaiting) = (doing[hung] ?? "", doing[next] ?? "")
            #expect(isRunning.hasPrefix("running for ") && isRunning.hasSuffix("jobs.lua:2 in \(name)"))
            #expect(isWaiting == "waiting behind hangs \(hung)" && doing[sleeper] == "paused")
            let client = try await RESPClient.connect(to: Address(host: "localhost", port: port))
            let info = try #require(try await client.send(["INFO", "busy"]).text)
            #expect(info.contains("busy0:job hangs \(hung), ") && info.contains("jobs.lua:2 in \(name)\r\n"))
            let record = try #require(try await client.send(["JOB", next.description]).elements?.map { $0.text })
            #expect(record.contains("doing"))
            await client.close()

            pipe.open()
            #expect(try await outcomes.wait(for: 2).allSatisfy { $0.isSuccess })
            _ = try await distributor.perform("stop", timeout: 60)
            _ = try await sleeping.wait(for: 1)
        }
    }

    @Test("a script that hangs within C while it is loaded is told of, and left out: the node starts, and loads again")
    func hangingScript() async throws {
        let (log, pipe) = (LogRecorder(), try NamedPipe())
        try await Cluster.run(
            scripts: [
                "a.lua": "job('a', function(args) args.ran = true end)",
                "hangs.lua": "job('b', function() end)\nio.open('\(pipe.path)')",
            ], logger: log.logger
        ) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.server = Address(host: "localhost", port: 0)
                $0.sliceWarning = 0.1
                $0.loadingSeconds = 0.5
            }
            try await waitForNodes(["n1"], at: distributor)
            #expect(try await distributor.perform("a", timeout: 60)["ran"] == true)
            let lines = log.lines.elements
            let warning = lines.first { $0.text == "scripts take long while they are loaded" }
            #expect(warning?.metadata["at"]?.hasSuffix("hangs.lua:2 in io.open") == true)
            #expect(lines.contains { $0.level == .critical && $0.text.contains("it is skipped until it is changed") })

            let port = try #require(try await node.port())
            let client = try await RESPClient.connect(to: Address(host: "localhost", port: port))
            let info = try #require(try await client.send(["INFO"]).text)
            #expect(info.contains("busy0:left out \(cluster.jobDirectory)/hangs.lua, "), "\(info)")
            #expect(info.contains("broken0:not in use: \(cluster.jobDirectory)/hangs.lua: hangs, "), "\(info)")
            // Once is enough.
            #expect(try await client.send(["RELOAD"]).text == "generation 2: 2 files, 1 jobs, 1 problems")
            #expect(try await distributor.perform("a", timeout: 60)["ran"] == true)
            await client.close()
            pipe.open()
        }
    }

    @Test("all states of a node have a limit together, and a run that meets it fails with an error that names it")
    func memory() async throws {
        try await withNode(
            """
            job('greedy', { max_attempt = 1 }, function(args)
              local all = {}
              while true do all[#all + 1] = ('x'):rep(100000) .. #all end
            end)
            job('hoards', function() hoard = {} for i = 1, 150 do hoard[i] = ('x'):rep(100000) .. i end end)
            job('releases', function() hoard = nil collectgarbage() end)
            job('shares', { max_attempt = 1 }, function(args) shared.set('key', ('x'):rep(args.n)) args.kept = true end)
            job('stops', function() collectgarbage('stop') end)
            job('asks', function(args) args.running = collectgarbage('isrunning') end)
            """,
            {
                ($0.memoryLimit, $0.sharedLimit, $0.deferLanes) = (24 << 20, 1 << 20, 1)
                $0.server = Address(host: "localhost", port: 0)
            }
        ) { distributor in
            let words = "all Lua states and shared have the 24 MiB that they may have together (memoryLimit)"
            let greedy = try await distributor.outcome("greedy")
            #expect(!greedy.isSuccess && greedy.args["error"]?.string == "not enough memory: " + words)
            // What one lane has the other cannot have.
            _ = try await distributor.perform("hoards", timeout: 60)
            let other = try await distributor.outcome("hoards", [:], JobOptions(isDeferred: true, maxAttempt: 1))
            #expect(!other.isSuccess && other.args["error"]?.string?.contains(words) == true, "\(other.args)")
            _ = try await distributor.perform("releases", timeout: 60)
            _ = try await distributor.perform("hoards", [:], JobOptions(isDeferred: true), timeout: 60)

            let full = try await distributor.outcome("shares", ["n": 2_000_000])
            let text = "shared.set: no room: shared uses 0 bytes of the 1 MiB that it may use (sharedLimit)"
            #expect(full.args["error"]?.string?.hasSuffix(text) == true, "\(full.args)")
            #expect(try await distributor.perform("shares", ["n": 1000], timeout: 60)["kept"] == true)
            _ = try await distributor.perform("stops", timeout: 60)
            #expect(try await distributor.perform("asks", timeout: 60)["running"] == true)
        }
    }

    /// Each is a way out of a sandbox: the job gets the names of those that led to anything but an error or nothing.
    private static let waysOut = """
        local main, first_cpath = coroutine.running(), package.cpath
        local ways = {
          path = function(dir) package.path = dir .. '/?.lua' return require('secret') end,
          cpath = function(dir) package.cpath = dir .. '/?.so' return require('secret') end,
          absolute = function(dir) return require(dir .. '/secret') end,
          relative = function() return require('../secret') end,
          usual = function() return require('lpeg') end,
          searchers = function(dir)
            package.path = dir .. '/?.lua'
            for _, search in ipairs(package.searchers) do
              for _, name in ipairs { 'secret', dir .. '/secret', dir .. '/secret.lua' } do
                local loader, extra = search(name)
                local good, module = pcall(loader, name, extra)
                if good and type(loader) == 'function' and module then return module end
              end
            end
          end,
          searchpath = function(dir) return package.searchpath('secret', dir .. '/?.lua') end,
          loadlib = function(dir) return package.loadlib(dir .. '/secret.so', '*') end,
          cpaths = function() return first_cpath end,
          open = function(dir) return io.open(dir .. '/secret.lua') end,
          popen = function() return io.popen('true') end,
          lines = function(dir) return io.lines(dir .. '/secret.lua') end,
          io = function() return require('io') end,
          loaded_io = function() return package.loaded.io or package.loaded._G.io end,
          dofile = function(dir) return dofile(dir .. '/secret.lua') end,
          loadfile = function(dir) return loadfile(dir .. '/secret.lua') end,
          bytecode = function() return load('\\27Lua', 'x', 'b') end,
          dump = function() return string.dump(function() end) end,
          execute = function() return os.execute('true') end,
          remove = function(dir) return os.remove(dir .. '/secret.lua') end,
          rename = function(dir) return os.rename(dir .. '/secret.lua', dir .. '/other.lua') end,
          tmpname = function() return os.tmpname() end,
          getenv = function() return os.getenv('PATH') end,
          setlocale = function() return os.setlocale('C') end,
          exit = function() return os.exit() end,
          env = function() return env.PATH or env('PATH') end,
          registry = function() return debug.getregistry() end,
          set_metatable = function() return debug.setmetatable('', {}) end,
          set_hook = function() return debug.sethook(function() end, '', 1) or true end,
          set_local = function() return debug.setlocal(1, 1, 1) end,
          debugger = function() return debug.debug() end,
          main_stack = function()
            for level = 0, 20 do
              for index = -20, 40 do
                local good, _, value = pcall(debug.getlocal, main, level, index)
                if good and type(value) == 'table' and (value.popen or value.execute or value.loadlib) then return value end
              end
            end
          end,
        }
        job('looks', function(args)
          args.found = {}
          if not args.all then ways.remove, ways.rename = nil, nil end
          for name, way in pairs(ways) do
            local good, value = pcall(way, args.dir)
            if good and value then table.insert(args.found, name) end
          end
          table.sort(args.found)
          args.error = select(2, pcall(require, 'secret'))
          args.module, args.json = require('lib.inner').value, require('json') == json
          args.time, args.loaded = os.time() > 0, load('return 7')()
        end)
        """

    @Test("the strict sandbox has no way to files, processes, the environment, C modules and what guards it")
    func sandbox() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "jr-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("return 'secret'".utf8).write(to: folder.appending(path: "secret.lua"))
        let inner = ["lib/inner.lua": "return { value = 'inner' }"]
        let args: JobArguments = ["dir": .string(folder.path), "all": true]
        try await withNode(Self.waysOut, files: inner, { $0.isSandboxed = true }) { distributor in
            let outcome = try await distributor.outcome("looks", args)
            let found = outcome.args["found"]
            #expect(outcome.isSuccess && (found == .object([:]) || found == .array([])), "\(outcome.args)")
            let error = outcome.args["error"]?.string ?? ""
            #expect(error.hasSuffix("no other file is looked for with isSandboxed"), "\(error)")
            #expect(outcome.args["module"] == "inner" && outcome.args["json"] == true)
            #expect(outcome.args["time"] == true && outcome.args["loaded"] == 7)
        }
        // They do lead somewhere without it.
        try await withNode(Self.waysOut, files: inner) { distributor in
            let outcome = try await distributor.outcome("looks", ["dir": .string(folder.path)])
            let found = outcome.args["found"]?.array?.compactMap(\.string) ?? []
            #expect(Set(found).isSuperset(of: ["path", "searchers", "open", "loadfile", "execute", "env"]), "\(found)")
        }
    }
}
