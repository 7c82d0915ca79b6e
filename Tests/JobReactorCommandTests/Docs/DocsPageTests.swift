import Foundation
import Testing

@testable import JobReactorCommand

/// The pages in the program.
@Suite struct DocsPageTests {
    private static let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources")

    /// The files of all pages but the first of each catalog, by the name of the page.
    private static func files() throws -> [String: String] {
        let names = FileManager.default.enumerator(atPath: sources.path)?.compactMap { $0 as? String } ?? []
        let pages = names.filter { $0.contains(".docc/") && $0.hasSuffix(".md") }.map { sources.appending(path: $0) }
        let files = try pages.filter { !$0.lastPathComponent.hasPrefix("JobReactor") }.map {
            (
                DocsPage.name(ofFile: $0.deletingPathExtension().lastPathComponent),
                try String(contentsOf: $0, encoding: .utf8)
            )
        }
        return Dictionary(files) { first, _ in first }
    }

    @Test func allPagesAreEmbeddedAsTheyStand() throws {
        let embedded = Dictionary(DocsPage.all.map { ($0.name, $0.markdown) }) { first, _ in first }
        #expect(embedded == (try Self.files()))
        #expect(embedded.count == DocsPage.all.count)
    }

    @Test(arguments: DocsPage.all) func aPageIsReadableAsText(_ page: DocsPage) {
        #expect(!page.title.isEmpty && page.abstract.hasSuffix("."))
        let text = PageText.text(of: page.markdown, width: 80)
        #expect(text.hasPrefix(page.title.uppercased() + "\n\n"))
        for leftover in ["](doc:", "<doc:", "<!--", "|---", "``"] {
            #expect(!text.contains(leftover), "\(page.name) has \(leftover)")
        }
        for match in text.matches(of: /`jobreactor docs ([a-z-]+)`/) {
            #expect(DocsPage.find(String(match.1)) != nil, "\(page.name) leads to \(match.1)")
        }
    }

    @Test func linesAreBrokenAndTablesAreParagraphs() {
        let markdown = """
            # A page

            One two three
            four five, see [the guide](doc:LuaGuide#Args) and ``/JobReactorCore/Job``.

            - a first entry that is long
            - b

            <!-- run -->
            ```sh
            ls  -l
            ```

            | key | default | meaning |
            |---|---|---|
            | `a` | 1 | this \\| that |
            """
        let text = """
            A PAGE

            One two three four
            five, see the guide
            (`jobreactor docs
            lua-guide`) and
            `Job`.

            - a first entry that
              is long
            - b

                ls  -l

            `a`
                default: 1
                meaning: this |
                that
            """
        #expect(PageText.text(of: markdown, width: 20) == text)
    }

    @Test func aNameMayBeShortenedAndIsToldWhenItIsWrong() {
        #expect(DocsPage.find("lua-g")?.name == "lua-guide")
        #expect(DocsPage.find("lua-") == nil)
        #expect(DocsCommand.unknown("lua-").message?.contains("take one of lua-guide, lua-reference") == true)
        #expect(DocsCommand.unknown("trubleshooting").message?.contains("did you mean troubleshooting?") == true)
        #expect(DocsCommand.unknown("x").message?.contains("jobreactor docs lists them") == true)
    }
}
