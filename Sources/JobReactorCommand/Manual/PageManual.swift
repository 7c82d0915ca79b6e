/// The manual pages of the documentation, made from its Markdown: `jobreactor-lua-guide.7` and so on.
struct PageManual {
    private var roff: Roff
    /// Whether the line before is one of an example.
    private var isInCode = false

    static func page(_ page: DocsPage, _ release: ManualPage.Release) -> ManualPage {
        var manual = PageManual(
            roff: Roff(
                page.manualName, section: 7, date: release.date, version: release.version, summary: page.plainTitle))
        manual.roff.heading("DESCRIPTION")
        for block in PageBlock.blocks(of: page.markdown) { manual.add(block) }
        manual.endCode()
        manual.roff.heading("SEE ALSO")
        let commands = ["jobreactor", "jobreactor-docs"].map { Roff.reference($0, section: 1) }
        manual.roff.line(commands.joined(separator: ", "))
        return ManualPage(name: page.manualName, section: 7, text: manual.roff.text)
    }

    private init(roff: Roff) { self.roff = roff }

    private mutating func add(_ block: PageBlock) {
        if case .code(let line) = block { return add(code: line) }
        endCode()
        switch block {
        // The title is the summary of the page.
        case .heading(1, _), .gap, .code: break
        case .heading(2, let text): roff.heading(DocsPage.plain(text).uppercased())
        case .heading(_, let text): roff.subheading(DocsPage.plain(text))
        case .paragraph("", let text):
            roff.macro(".PP")
            roff.line(Self.inline(text))
        case .paragraph("- ", let text):
            roff.macro(".IP \\(bu 2")
            roff.line(Self.inline(text))
        case .paragraph(let mark, let text):
            roff.macro(".IP \(mark.prefix { $0 != " " }) 4")
            roff.line(Self.inline(text))
        case .row(let titles, let cells): add(titles, cells)
        }
    }

    private mutating func add(code line: String) {
        if !isInCode { for macro in [".PP", ".RS 4", ".nf"] { roff.macro(macro) } }
        isInCode = true
        roff.line(Roff.escaped(line))
    }

    private mutating func endCode() {
        if isInCode { for macro in [".fi", ".RE"] { roff.macro(macro) } }
        isInCode = false
    }

    /// The first cell is a term; the others stand below it, with the titles of their columns if there are several.
    private mutating func add(_ titles: [String], _ cells: [String]) {
        roff.tagged(Self.inline(cells.first ?? ""), "")
        var isFirst = true
        for (index, cell) in cells.enumerated().dropFirst() where !cell.isEmpty {
            if !isFirst { roff.macro(".br") }
            isFirst = false
            let title = index < titles.count && titles.count > 2 ? titles[index] : ""
            roff.line((title.isEmpty ? "" : Roff.escaped("\(title): ")) + Self.inline(cell))
        }
    }

    // MARK: Within a paragraph

    /// Markdown within a paragraph as roff: code and symbols bold, emphasis italic, links as references to pages.
    static func inline(_ text: some StringProtocol) -> String {
        let text = Substring(text)
        var roff = ""
        var rest = text.startIndex
        let marked =
            /``\/?([^`]+)``|`([^`]+)`|<doc:([^>]+)>|\[([^\]]+)\]\(([^)]+)\)|\*\*([^*]+)\*\*|\*([A-Za-z][^*`]*)\*/
        for match in text.matches(of: marked) {
            roff += Roff.escaped(text[rest..<match.range.lowerBound])
            rest = match.range.upperBound
            if let symbol = match.output.1 {
                roff += Roff.bold(symbol.split(separator: "/").last ?? symbol)
            } else if let code = match.output.2 {
                roff += Roff.bold(code)
            } else if let link = match.output.3 {
                roff += reference(link)
            } else if let words = match.output.4, let target = match.output.5 {
                let page = target.hasPrefix("doc:") ? reference(target.dropFirst(4)) : Roff.escaped(target)
                roff += "\(inline(words)) (\(page))"
            } else if let strong = match.output.6 {
                roff += Roff.bold(strong.replacing("`", with: ""))
            } else if let emphasis = match.output.7 {
                roff += Roff.italic(emphasis)
            }
        }
        return roff + Roff.escaped(text[rest...])
    }

    private static func reference(_ link: Substring) -> String {
        Roff.reference("jobreactor-" + DocsPage.name(ofLink: link), section: 7)
    }
}

extension DocsPage {
    /// The name of its manual page.
    var manualName: String { "jobreactor-" + name }

    /// The title without marks of Markdown.
    var plainTitle: String { Self.plain(title) }

    /// The text of a heading without marks of Markdown.
    static func plain(_ heading: String) -> String { heading.replacing("`", with: "") }
}
