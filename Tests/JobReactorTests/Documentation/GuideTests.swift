import Foundation
import JobReactor
import JobReactorLibraries
import JobReactorLua
import JobReactorNode
import JobReactorTesting
import JobReactorWire
import Logging
import NIOPosix
import ServiceLifecycle
import Testing

/// The Swift of the README, which shows parts of this file and of the examples word for word, and its Lua.
@Suite struct ReadmeTests {
    static let lua = [
        "resize.lua": """
        job('resize', function(args) args.result = 'Yay!' end)
        """
    ]

    struct Picture: Codable {
        var path: String
        var width: Int
    }

    @Test func theDistributorStartsInThreeWays() async throws {
        let logger = Logger(label: "readme")
        let own = try await Distributor.start(host: "localhost", port: 0)
        let shared = try await Distributor.start(host: "localhost", port: 0, on: MultiThreadedEventLoopGroup.singleton)
        let service = Distributor(DistributorConfiguration(host: "localhost", port: 0))
        let group = ServiceGroup(services: [service], logger: logger)  // or: try await service.runAsProgram()
        async let run: Void = group.run()
        try await eventually("the service listens") { service.port != nil }
        #expect(Set([own.port, shared.port, service.port]).count == 3)
        await group.triggerGracefulShutdown()
        try await run
        await shared.stop()
        await own.stop()
    }

    @Test func anApplicationEnqueuesAndPerforms() async throws {
        try await Cluster.run(scripts: Self.lua) { cluster in
            let distributor = try await cluster.startDistributor()
            let port = try #require(distributor.port)
            let directory = cluster.jobDirectory
            let client = try await JobClient.connect(host: "localhost", port: port)
            let node = try await Node.start(
                NodeConfiguration(name: "worker_1", distributors: ["localhost:\(port)"], jobDirectory: directory))
            try distributor.enqueue("resize", ["path": "cat.png", "width": 200], JobOptions(after: 0.5)) { result in
                print(result.args)
            } onError: { failure in
                print(failure.message)
            }
            let resized = try await distributor.perform(
                "resize", Picture(path: "cat.png", width: 200), returning: Picture.self)
            let small = try await distributor.perform("resize", ["path": resized.path, "width": resized.width / 2])
            #expect(resized.width == 200 && small["width"] == 100)
            let job = try distributor.follow("resize", ["path": "cat.png", "width": 200])
            for await event in job.events {
                switch event {
                case .progress(let progress): print(progress.fraction ?? 0, progress.text)
                case .success(let result): print(result.args)
                case .failure(let failure): print(failure.message)
                }
            }
            #expect(try await client.perform("resize", timeout: 20)["result"] == "Yay!")
            await node.stop()
            await client.stop()
        }
    }

    @Test func aNodeInTheProcessHasTheLibraries() async throws {
        let scripts = [
            "sign.lua": """
            job('sign', function(args)
              args.signature = hash.sha256(exec('echo', args.text).stdout)
              args.libraries = { type(http.get), type(redis.connect) }
            end)
            """
        ]
        try await Cluster.run(scripts: scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            let port = try #require(distributor.port)
            let directory = cluster.jobDirectory
            let node = try await Node.start(
                NodeConfiguration(
                    name: "worker_1", distributors: ["localhost:\(port)"], jobDirectory: directory,
                    libraries: ScriptLibraries.all))
            let signed = try await distributor.perform("sign", ["text": "abc"])
            #expect(signed["signature"] == "edeaaff3f1774ad2888673770c6d64097e391bc362d7d6fb34982ddf0efd18cb")
            #expect(signed["libraries"] == ["function", "function"])
            await node.stop()
        }
    }

    @Test func anApplicationWatchesCancelsAndHandlesByName() async throws {
        try await Cluster.run(scripts: Self.lua) { cluster in
            let logger = Logger(label: "readme")
            let distributor = try await cluster.startDistributor()
            distributor.onSuccess("resize") { result in logger.debug("resized \(result.args)") }
            let failures = distributor.onError("resize") { failure in logger.debug("\(failure.message)") }
            failures.remove()  // it is not called any more
            let ids = try distributor.enqueue(contentsOf: [
                JobSubmission("resize", ["path": "cat.png"]), JobSubmission("resize", ["path": "dog.png"]),
            ])
            let record = try await distributor.job(ids[0])  // its status, attempt, node, last error …
            let isCancelled = try await distributor.cancel(ids[1])
            try await cluster.startNode("n1", for: [distributor])
            let shown = try await distributor.perform("resize", onProgress: { print($0.fraction ?? 0, $0.text) })
            #expect(record?.status == .new)
            #expect(isCancelled)
            #expect(shown["result"] == "Yay!")
        }
    }

    // MARK: The text

    struct Block {
        var mark: String
        var language: String
        var text: String
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func readme() throws -> String {
        try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
    }

    static func blocks() throws -> [Block] {
        let readme = try readme()
        var blocks: [Block] = []
        var mark = ""
        var open: Block?
        for line in readme.split(separator: "\n", omittingEmptySubsequences: false) {
            if var block = open {
                if line == "```" {
                    blocks.append(block)
                    open = nil
                    mark = ""
                } else {
                    block.text += line + "\n"
                    open = block
                }
            } else if line.hasPrefix("```") {
                open = Block(mark: mark, language: String(line.dropFirst(3)), text: "")
            } else if line.hasPrefix("<!-- ") {
                mark = String(line.dropFirst(5).dropLast(4))
            }
        }
        return blocks
    }

    private static func unindented(_ text: String) -> String {
        text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: "\n")
    }

    @Test func theCodeOfTheReadmeIsThatOfFilesThatAreCompiledAndRun() throws {
        var count = 0
        for block in try Self.blocks() where ["swift", "lua"].contains(block.language) && !block.mark.isEmpty {
            count += 1
            let words = block.mark.split(separator: ": ")
            let path = String(try #require(words.last))
            let file = try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
            if words.first == "file" {
                #expect(block.text == file)
            } else {
                #expect(Self.unindented(file).contains(Self.unindented(block.text)), "\(path) has not: \(block.text)")
            }
        }
        #expect(count == 16)
    }

    @Test func theSwiftOfTheReadmeIsInThePackageOfAUserAsFarAsItNeedsOneImport() throws {
        let sources = Self.root.appending(path: "Tests/UserPackage")
        let names = FileManager.default.enumerator(atPath: sources.path)?.compactMap { $0 as? String } ?? []
        let files = try names.filter { $0.hasSuffix(".swift") && !$0.hasPrefix(".build") }.map {
            Self.unindented(try String(contentsOf: sources.appending(path: $0), encoding: .utf8))
        }
        let others = ["import Testing", "FileStorage", "MultiThreadedEventLoopGroup", "NodeConfiguration"]
        var count = 0
        for block in try Self.blocks() where block.language == "swift" {
            let isOfOthers = block.mark.contains("OwnStorage") || others.contains { block.text.contains($0) }
            guard !isOfOthers else { continue }
            count += 1
            let text = Self.unindented(block.text)
            #expect(files.contains { $0.contains(text) }, "no file of the package has: \(block.text)")
        }
        #expect(count == 9)
    }

    @Test func theReadmeTellsEveryFieldOfARecordAndNoOther() throws {
        var ids = JobID.Generator()
        var job = Job(
            id: ids.next(at: .now), name: "a", args: [:],
            options: JobOptions(after: 1, period: 1, node: "n", notNode: "m", maxAttempt: 1, retryMultiplier: 1),
            createdAt: .now)
        (job.runAt, job.failedAt, job.lastError, job.lastTraceback) = (.now, .now, "no", "stack")
        job.doing = "paused"
        job.trace = JobTrace(["traceparent": "00"])
        let shown = job.shownFields
        let names = Set(stride(from: 0, to: shown.count, by: 2).map { shown[$0] }).union([
            "on_node", "waits_for", "made_at", "run_time",
        ])
        guard case .object(let itself) = try JSONValue(parsing: job.itself(onNode: "n")) else {
            Issue.record("job_itself is no object")
            return
        }
        let section = try #require(try Self.readme().components(separatedBy: "## The record of a job").last)
        let rows = section.prefix(while: { $0 != "#" }).split(separator: "\n").filter { $0.hasPrefix("| `") }
        var told: Set<String> = []
        var toScripts: Set<String> = []
        for row in rows {
            for field in row.split(separator: "|")[0].split(separator: ",") {
                let name = String(field.split(separator: "`")[1])
                told.insert(name)
                if !field.contains("*") { toScripts.insert(name) }
            }
        }
        #expect(told == names)
        #expect(toScripts == Set(itself.keys))
    }

    @Test func theLuaOfTheReadmeLoadsAndRuns() async throws {
        var scripts: [String: String] = [:]
        let blocks = try Self.blocks().filter { $0.language == "lua" && $0.mark.isEmpty }
        for (index, block) in blocks.enumerated() {
            scripts["block\(index).lua"] = block.text
        }
        #expect(scripts.count == 5)
        try await Cluster.run(scripts: scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.logger.logLevel = .critical
                $0.libraries = [Pages()]
            }
            let report = try #require(try await node.scripts())
            #expect(report.problems.isEmpty)
            #expect(
                report.definitions.map(\.name)
                    == ["count_words", "fetch", "fetch_pages", "greet", "import", "resize", "upload"])
            #expect(try await distributor.perform("greet", ["name": "Ada"], timeout: 20)["greeting"] == "Hello, Ada!")
            #expect(try await distributor.perform("fetch", timeout: 20)["fetched"] == true)
            let imported = try await distributor.perform("import", ["files": ["a.csv", "b.csv"]], timeout: 20)
            #expect(imported["jobs"]?.array?.count == 2)
            let failure = await #expect(throws: JobFailure.self) {
                try await distributor.perform("upload", [:], JobOptions(maxAttempt: 1), timeout: 20)
            }
            #expect(failure?.message.hasSuffix(": upload needs a path") == true)
            let pages = try await distributor.perform("fetch_pages", ["urls": ["a", "to be or"]], timeout: 20)
            #expect(pages["sizes"] == [9, 16] && pages["words"] == 3)
        }
    }

    /// A web of pages that say where they are, in place of the library `http`.
    private struct Pages: ScriptLibrary {
        let name = "pages"
        let source = "http = { get = function(url) sleep(0.01) return { status = 200, body = 'page of ' .. url } end }"
        let functions: [ScriptFunction] = []
    }
}
