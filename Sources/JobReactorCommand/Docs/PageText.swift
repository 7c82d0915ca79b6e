/// A page as a terminal shows it: its lines are broken anew, headings are in capitals, rows of tables are paragraphs, and links say
/// which page to ask for.
struct PageText {
    private let width: Int
    private var lines: [String] = []
    /// Words of the paragraph, or of the entry of a list, that is being read.
    private var words: [Substring] = []
    /// What stands before the first line of that, such as `- `.
    private var mark = ""
    /// Of the table that is being read.
    private var titles: [String]?

    /// The text of a page, in lines of at most so many characters where words allow.
    static func text(of markdown: String, width: Int) -> String {
        var page = PageText(width: width)
        page.read(markdown)
        return page.lines.joined(separator: "\n")
    }

    private init(width: Int) { self.width = width }

    private mutating func read(_ markdown: String) {
        var isCode = false
        for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                endParagraph()
                isCode.toggle()
            } else if isCode {
                lines.append(line.isEmpty ? "" : "    " + line)
            } else {
                read(line: line)
            }
        }
        endParagraph()
        while lines.last == "" { lines.removeLast() }
    }

    private mutating func read(line: Substring) {
        if !line.hasPrefix("|") { titles = nil }
        if line.isEmpty {
            endParagraph()
            if let last = lines.last, !last.isEmpty { lines.append("") }
        } else if line.hasPrefix("<!--") || line.hasPrefix("![") {
            endParagraph()
        } else if line.hasPrefix("#") {
            endParagraph()
            lines.append(line.drop { $0 == "#" || $0 == " " }.uppercased())
        } else if line.hasPrefix("|") {
            endParagraph()
            read(row: line)
        } else if line.hasPrefix("      ") {
            // An example within a list.
            endParagraph()
            lines.append(String(line))
        } else {
            let marked = line.prefixMatch(of: /(?:-|\d+\.)\s/)
            if let marked {
                endParagraph()
                mark = String(marked.0)
            }
            words += line.dropFirst(marked?.0.count ?? 0).split(separator: " ")
        }
    }

    /// The first cell on a line of its own, the others below it with the titles of their columns.
    private mutating func read(row: Substring) {
        let cells = row.replacing("\\|", with: "\0").split(separator: "|", omittingEmptySubsequences: false).dropFirst()
            .dropLast().map { cell in cell.replacing("\0", with: "|").split(separator: " ").joined(separator: " ") }
        guard let titles else { return titles = cells }
        if cells.allSatisfy({ $0.hasPrefix("---") }) { return }
        for (index, cell) in cells.enumerated() where !cell.isEmpty {
            let title = index < titles.count && titles.count > 2 && index > 0 ? titles[index] : ""
            words = (title.isEmpty ? cell : "\(title): \(cell)").split(separator: " ")
            mark = index == 0 ? "" : "    "
            endParagraph()
        }
    }

    private mutating func endParagraph() {
        let words = Self.readable(self.words.joined(separator: " ")).split(separator: " ")
        self.words = []
        guard !words.isEmpty else { return }
        let indent = String(repeating: " ", count: mark.count)
        var line = mark + words[0]
        for word in words.dropFirst() {
            if line.count + 1 + word.count > width {
                lines.append(line)
                line = indent + word
            } else {
                line += " " + word
            }
        }
        lines.append(line)
        mark = ""
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

    /// How to ask for the page of a link, `/JobReactorWire/LinkProtocol` or `LuaGuide#Args-and-results`.
    private static func page(_ link: Substring) -> String {
        let file = link.prefix { $0 != "#" }.split(separator: "/").last ?? ""
        return "jobreactor docs \(DocsPage.name(ofFile: file))"
    }
}
