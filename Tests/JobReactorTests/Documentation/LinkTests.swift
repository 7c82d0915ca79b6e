import Foundation
import Testing

/// What DocC would say of links between pages and to symbols, and what it does not look at: files.
@Suite("Links of the documentation") struct LinkTests {
    private static let others = [
        ".github/CONTRIBUTING.md", ".github/SECURITY.md", ".github/CHANGELOG.md", "Examples/WebApplication/README.md",
    ]
    /// All pages, and what else people read.
    private static let pages = DocumentationPage.all + others.compactMap { try? DocumentationPage($0) }

    /// Where links of a page lead: those of Markdown, and those of the picture in HTML.
    private static func targets(in page: DocumentationPage) -> [String] {
        let prose = page.prose
        return prose.matches(of: /\]\(([^)\s]+)\)/).map { String($0.1) }
            + prose.matches(of: /<(doc:[^>\s]+)>/).map { String($0.1) }
            + prose.matches(of: /src(?:set)?="([^"]+)"/).map { String($0.1) }
    }

    @Test("lead to files, pages and headings that there are", arguments: pages)
    func targets(_ page: DocumentationPage) throws {
        let folder = DocumentationPage.root.appending(path: page.path).deletingLastPathComponent()
        for target in Self.targets(in: page) where !target.contains("://") {
            if let link = target.wholeMatch(of: /doc:(?:\/(\w+)\/)?(\w+)(?:#(.+))?/) {
                let module = link.1.map(String.init) ?? page.module
                let found = DocumentationPage.all.first { $0.name == link.2 && $0.module == module }
                let other = try #require(found, "\(page.path): there is no page \(target)")
                guard let heading = link.3 else { continue }
                let headings = other.prose.split(separator: "\n").filter { $0.hasPrefix("#") }
                    .map { $0.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces).replacing(" ", with: "-") }
                #expect(headings.contains(String(heading)), "\(page.path): there is no heading \(target)")
            } else {
                #expect(!target.hasPrefix("#"), "\(page.path): name the page, [text](doc:\(page.name)\(target))")
                let file = folder.appending(path: target).path
                #expect(FileManager.default.fileExists(atPath: file), "\(page.path): there is no file \(target)")
            }
        }
    }

    @Test("the README is short, and no page is long") func lengths() throws {
        #expect(Self.pages.count == DocumentationPage.all.count + Self.others.count)
        for page in DocumentationPage.all {
            let lines = page.text.split(separator: "\n", omittingEmptySubsequences: false).count
            // The reference is looked up, not read.
            let most = ["README.md": 250, "LuaReference": 400][page.path == "README.md" ? page.path : page.name] ?? 301
            #expect(lines <= most, "\(page.path)")
        }
    }

    @Test("every page is linked from the README, or from the first page of its module") func reachable() throws {
        let readme = Self.targets(in: try DocumentationPage("README.md"))
        for page in DocumentationPage.all where page.path != "README.md" && page.name != page.module {
            let first = try #require(DocumentationPage.all.first { $0.name == page.module })
            #expect(first.text.contains("<doc:\(page.name)>"), "\(first.path) does not name \(page.name)")
            #expect(readme.contains(page.path), "the README does not name \(page.path)")
        }
    }

    // MARK: Modules and symbols

    /// Of the program, without public names.
    private static let ofProgram: Set = ["JobReactorCommand", "JobReactorDashboard"]

    private static func modules() throws -> [String] {
        let folders = try FileManager.default.contentsOfDirectory(
            atPath: DocumentationPage.root.appending(path: "Sources").path)
        return folders.filter { $0.hasPrefix("JobReactor") && !ofProgram.contains($0) }.sorted()
    }

    @Test("every public module has pages, and builders of documentation are told of it") func catalogs() throws {
        let manifest = try DocumentationPage.file(".spi.yml")
        for module in try Self.modules() {
            #expect(DocumentationPage.all.contains { $0.name == module && $0.module == module }, "\(module)")
            #expect(manifest.contains("        - \(module)\n"), ".spi.yml does not name \(module)")
        }
    }

    private static let keywords: Set<Substring> = [
        "struct", "class", "enum", "protocol", "actor", "typealias", "func", "var", "let", "case",
    ]

    /// What is declared in a module: types and their members by their names.
    private static func declared(in module: String) throws -> Set<String> {
        let folder = DocumentationPage.root.appending(path: "Sources/\(module)")
        let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        var declared: Set<String> = [module]
        for name in names where name.hasSuffix(".swift") {
            let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            let words = text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
            for (word, name) in zip(words, words.dropFirst()) where Self.keywords.contains(word) {
                declared.insert(String(name))
            }
        }
        return declared
    }

    @Test("symbols in pages are declared in their modules") func symbols() throws {
        var declared: [String: Set<String>] = [:]
        for module in try Self.modules() { declared[module] = try Self.declared(in: module) }
        var count = 0
        for page in DocumentationPage.all {
            for match in page.prose.matches(of: /``([^`]+)``/) {
                count += 1
                var parts = match.1.split(separator: "/").map(String.init)
                var module = page.module ?? ""
                if match.1.hasPrefix("/") { module = parts.removeFirst() }
                let names = try #require(declared[module], "\(page.path): \(match.0)")
                for part in parts {
                    let name = String(part.prefix { $0 != "(" })
                    #expect(names.contains(name), "\(page.path): \(module) does not declare \(match.0)")
                }
            }
        }
        #expect(count > 100)
    }
}
