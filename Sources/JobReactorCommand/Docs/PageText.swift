/// A page as a terminal shows it: its lines are broken anew, headings are in capitals, rows of tables are paragraphs, and links
/// say which page to ask for.
struct PageText {
    private let width: Int
    private var lines: [String] = []

    /// The text of a page, in lines of at most `width` characters where words allow.
    static func text(of markdown: String, width: Int) -> String {
        var page = PageText(width: width)
        for block in PageBlock.blocks(of: markdown) { page.add(block) }
        return page.lines.joined(separator: "\n")
    }

    private init(width: Int) { self.width = width }

    private mutating func add(_ block: PageBlock) {
        switch block {
        case .heading(_, let text): lines.append(text.uppercased())
        case .paragraph(let mark, let text): add(text, mark: mark)
        case .code(let line): lines.append(line.isEmpty ? "" : "    " + line)
        case .row(let titles, let cells): add(titles, cells)
        case .gap: if let last = lines.last, !last.isEmpty { lines.append("") }
        }
    }

    /// The first cell on a line of its own, the others below it with the titles of their columns.
    private mutating func add(_ titles: [String], _ cells: [String]) {
        for (index, cell) in cells.enumerated() where !cell.isEmpty {
            let title = index < titles.count && titles.count > 2 && index > 0 ? titles[index] : ""
            add(title.isEmpty ? cell : "\(title): \(cell)", mark: index == 0 ? "" : "    ")
        }
    }

    private mutating func add(_ text: String, mark: String) {
        let words = Self.readable(text).split(separator: " ")
        guard let first = words.first else { return }
        let indent = String(repeating: " ", count: mark.count)
        var line = mark + first
        for word in words.dropFirst() {
            if line.count + 1 + word.count > width {
                lines.append(line)
                line = indent + word
            } else {
                line += " " + word
            }
        }
        lines.append(line)
    }

    // MARK: Links and symbols

    /// A paragraph with its links and symbols as words.
    private static func readable(_ paragraph: String) -> String {
        paragraph
            .replacing(/``\/?([^`]+)``/) { "`\($0.output.1.split(separator: "/").last ?? "")`" }
            .replacing(/<doc:([^>]+)>/) { "`\(page($0.output.1))`" }
            .replacing(/\[([^\]]+)\]\(doc:([^)]+)\)/) { "\($0.output.1) (`\(page($0.output.2))`)" }
            .replacing(/\[([^\]]+)\]\((https?:[^)]+)\)/) { "\($0.output.1) (\($0.output.2))" }
    }

    /// How to ask for the page of a link.
    private static func page(_ link: Substring) -> String { "jobreactor docs \(DocsPage.name(ofLink: link))" }
}
