import Foundation
import JobReactor
import JobReactorLua
import JobReactorNode
import JobReactorTesting
import Testing

/// The code of the pages: all of it is compiled or run somewhere.
@Suite("Snippets of the documentation") struct SnippetTests {
    private static func blocks(_ languages: String...) -> [(page: DocumentationPage, block: DocumentationPage.Block)] {
        DocumentationPage.all.flatMap { page in page.blocks.map { (page, $0) } }
            .filter { languages.contains($0.block.language) }
    }

    private static func unindented(_ text: String) -> String {
        text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: "\n")
    }

    /// What blocks of a language need so that they are compiled or run. Those without a language are no code.
    @Test("each is of a language that is looked at, and says where it comes from", arguments: DocumentationPage.all)
    func languages(_ page: DocumentationPage) {
        for block in page.blocks {
            switch block.language {
            case "": break
            case "swift": #expect(block.mark.contains(": "), "not marked: \(block.text)")
            // Without a mark it is loaded and run below.
            case "lua": #expect(block.mark.isEmpty || block.mark.hasPrefix("part of: "), "marked \(block.mark)")
            // JobReactorProcessTests runs these, and Tests/package.sh those of the page on deployment.
            case "sh": #expect(block.mark == "run" || block.mark.hasPrefix("run: "), "not run: \(block.text)")
            case "json": #expect(throws: Never.self) { try JSONValue(parsing: block.text.utf8) }
            // The gem's.
            case "ruby": #expect(page.name == "MigratingFromRuby")
            default: Issue.record("nobody looks at code of the language \(block.language)")
            }
        }
    }

    @Test("those of Swift and Lua are parts of files that are compiled and run") func parts() throws {
        var count = 0
        for (page, block) in Self.blocks("swift", "lua") where !block.mark.isEmpty {
            count += 1
            let words = block.mark.split(separator: ": ")
            let path = String(try #require(words.last))
            let file = try DocumentationPage.file(path)
            if words.first == "file" {
                #expect(block.text == file, "\(page.path) does not have \(path)")
            } else {
                #expect(words.first == "part of")
                #expect(
                    Self.unindented(file).contains(Self.unindented(block.text)),
                    "\(page.path): \(path) has not: \(block.text)")
            }
        }
        #expect(count == 20)
    }

    @Test("those of Swift that need one import are in the package of a user") func userPackage() throws {
        let sources = DocumentationPage.root.appending(path: "Tests/UserPackage")
        let names = FileManager.default.enumerator(atPath: sources.path)?.compactMap { $0 as? String } ?? []
        let files = try names.filter { $0.hasSuffix(".swift") && !$0.hasPrefix(".build") }.map {
            Self.unindented(try String(contentsOf: sources.appending(path: $0), encoding: .utf8))
        }
        let others = [
            "import Testing", "FileStorage", "MultiThreadedEventLoopGroup", "NodeConfiguration", "Cluster.run",
        ]
        var count = 0
        for (page, block) in Self.blocks("swift") {
            let isOfOthers = block.mark.contains("OwnStorage") || others.contains { block.text.contains($0) }
            guard !isOfOthers else { continue }
            count += 1
            let text = Self.unindented(block.text)
            #expect(files.contains { $0.contains(text) }, "\(page.path): no file of the package has: \(block.text)")
        }
        #expect(count == 10)
    }

    @Test("those of Lua load and run") func lua() async throws {
        var scripts: [String: String] = [:]
        for (index, found) in Self.blocks("lua").filter({ $0.block.mark.isEmpty }).enumerated() {
            scripts["block\(index).lua"] = found.block.text
        }
        #expect(scripts.count == 9)
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
                    == [
                        "call_api", "count_words", "fetch", "fetch_pages", "greet", "import", "my_job", "note_change",
                        "ping", "rebuild_index", "report", "resize", "send_digest", "sync_customers", "upload",
                    ])
            #expect(report.schedules.map(\.schedule.name) == ["heartbeat", "nightly_report"])
            #expect(report.limits.map(\.limit.name) == ["call_api", "crm"])
            #expect(try await distributor.perform("greet", ["name": "Ada"], timeout: 20)["greeting"] == "Hello, Ada!")
            #expect(try await distributor.perform("fetch", timeout: 20)["fetched"] == true)
            #expect(try await distributor.perform("my_job", timeout: 20)["result"] == "Yay!")
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
