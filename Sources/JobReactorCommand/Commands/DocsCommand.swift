internal import ArgumentParser
private import Foundation
private import JobReactorCore
private import JobReactorLua
private import JobReactorWire

struct DocsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "docs",
        abstract: "Print the documentation: the list of pages, or one page.",
        usage: """
            jobreactor docs [<page>] [--markdown] [--json]
            jobreactor docs --man <folder> [--json]
            """,
        discussion: """
            The program contains the pages; no network is needed. A name may be shortened to any unique prefix: \
            jobreactor docs lua-g | less.

            --man writes the same pages, and a page for each command, as manual pages: man -M FOLDER jobreactor.
            """)

    @Argument(
        help: "Name of the page; without it, the pages are listed.", completion: .list(DocsPage.all.map(\.name)))
    var page: String?
    @Flag(help: "Print the page in Markdown, as in the repository.") var markdown = false
    @Option(
        help: ArgumentHelp("Write all manual pages below this folder, into man1 and man7.", valueName: "folder"),
        completion: .directory)
    var man: String?
    @Flag(help: "Print a JSON object: the page, the list of pages, or the files written.") var json = false

    func run() async throws {
        if let man { return try writeManual(below: man) }
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

    private func writeManual(below folder: String) throws(CommandFailure) {
        guard page == nil, !markdown else {
            throw .usage("--man writes all pages: leave out the name of a page and --markdown")
        }
        let pages = try Self.manual()
        for page in pages { try page.write(below: folder) }
        let files = pages.map { "\(folder)/\($0.path)" }
        if json {
            let wrote = JSONValue.array(files.map { .string($0) })
            return try Terminal.result(json: JSONValue.object(["wrote": wrote]).json)
        }
        try Terminal.result("wrote \(files.count) pages; to read one: man -M \(folder) jobreactor")
    }

    /// The manual pages of the commands, and those of the documentation.
    static func manual() throws(CommandFailure) -> [ManualPage] {
        // As in other tools that make packages: the same program makes the same files.
        let variable = ProcessInfo.processInfo.environment["SOURCE_DATE_EPOCH"]
        let time = variable.flatMap { UInt32($0) }.map { Timestamp(seconds: Double($0)) } ?? .now
        let release = ManualPage.Release(
            version: JobReactorVersion.current, date: String(time.clockText.prefix(10)))
        guard let help = try? JSONValue(parsing: JobReactorTool._dumpHelp().utf8) else {
            throw .failure("the help of this program cannot be read as JSON")
        }
        return CommandManual.pages(help: help, release) + DocsPage.all.map { PageManual.page($0, release) }
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
