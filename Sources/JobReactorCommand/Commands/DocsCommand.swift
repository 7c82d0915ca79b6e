internal import ArgumentParser
private import JobReactorCore

struct DocsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "docs",
        abstract: "Print the documentation: the list of pages, or one of them.",
        usage: "jobreactor docs [<page>] [--markdown] [--json]",
        discussion: """
            The pages are in the program; no network is needed. A name may be shortened as long as no other begins so: \
            jobreactor docs lua-g | less.
            """)

    @Argument(
        help: "Name of the page; without it the pages are listed.", completion: .list(DocsPage.all.map(\.name)))
    var page: String?
    @Flag(help: "The page in Markdown, as it stands in the repository.") var markdown = false
    @Flag(help: "As a JSON object: the page, or the list of them.") var json = false

    func run() async throws {
        guard !DocsPage.all.isEmpty else {
            throw CommandFailure.failure(
                "this program was built without pages: build it with Swift 6.3 or later, or read them in the repository"
            )
        }
        guard let page else {
            return json ? try Terminal.result(json: Self.list.json) : try Terminal.result(Self.table.text)
        }
        guard let found = DocsPage.find(page) else { throw Self.unknown(page) }
        if json {
            return try Terminal.result(json: Self.object(found, ["markdown": .string(found.markdown)]).json)
        }
        try Terminal.result(
            markdown
                ? found.markdown : PageText.text(of: found.markdown, width: min(Terminal.width ?? 80, 100)))
    }

    static func unknown(_ page: String) -> CommandFailure {
        let names = DocsPage.all.map(\.name)
        let several = names.filter { $0.hasPrefix(page) }
        let hint =
            several.count > 1
            ? "take one of \(several.joined(separator: ", "))"
            : NearestName.find(page, among: names).map { "did you mean \($0)?" } ?? "jobreactor docs lists them"
        return .usage("there is no page '\(page)': \(hint)")
    }

    private static func object(_ page: DocsPage, _ more: [String: JSONValue] = [:]) -> JSONValue {
        let members: [String: JSONValue] = [
            "name": .string(page.name), "title": .string(page.title), "abstract": .string(page.abstract),
        ]
        return .object(members.merging(more) { _, new in new })
    }

    private static var list: JSONValue { .array(DocsPage.all.map { object($0) }) }

    static var table: TextTable {
        var table = TextTable(["PAGE", "TITLE"])
        for page in DocsPage.all { table.add([page.name, page.title]) }
        return table
    }
}
