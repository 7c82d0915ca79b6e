/// A part of a page in Markdown, for what shows pages.
enum PageBlock: Hashable, Sendable {
    case heading(level: Int, text: String)
    /// A paragraph, or an entry of a list with its mark, such as `- `. The words are separated by single spaces.
    case paragraph(mark: String, text: String)
    /// A line of an example.
    case code(String)
    /// A row of a table, with the titles of the columns.
    case row(titles: [String], cells: [String])
    /// An empty line between two of the others.
    case gap

    /// The blocks of a page. Comments and pictures are left out.
    static func blocks(of markdown: String) -> [PageBlock] {
        var reader = Reader()
        return reader.read(markdown)
    }

    private struct Reader {
        private var blocks: [PageBlock] = []
        /// The mark and the words of the paragraph that is being read.
        private var mark = ""
        private var words: [Substring] = []
        /// The titles of the table that is being read.
        private var titles: [String]?

        mutating func read(_ markdown: String) -> [PageBlock] {
            var isCode = false
            for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
                if line.hasPrefix("```") {
                    endParagraph()
                    isCode.toggle()
                } else if isCode {
                    blocks.append(.code(String(line)))
                } else {
                    read(line: line)
                }
            }
            endParagraph()
            while blocks.last == .gap { blocks.removeLast() }
            return blocks
        }

        private mutating func read(line: Substring) {
            if !line.hasPrefix("|") { titles = nil }
            if line.isEmpty {
                endParagraph()
                if let last = blocks.last, last != .gap { blocks.append(.gap) }
            } else if line.hasPrefix("<!--") || line.hasPrefix("![") {
                endParagraph()
            } else if line.hasPrefix("#") {
                endParagraph()
                let text = line.drop { $0 == "#" }
                blocks.append(.heading(level: line.count - text.count, text: String(text.drop { $0 == " " })))
            } else if line.hasPrefix("|") {
                endParagraph()
                read(row: line)
            } else if line.hasPrefix("      ") {
                // An example within a list.
                endParagraph()
                blocks.append(.code(String(line.dropFirst(4))))
            } else {
                let marked = line.prefixMatch(of: /(?:-|\d+\.)\s/)
                if let marked {
                    endParagraph()
                    mark = String(marked.0)
                }
                words += line.dropFirst(marked?.0.count ?? 0).split(separator: " ")
            }
        }

        private mutating func read(row: Substring) {
            let cells = row.replacing("\\|", with: "\0").split(separator: "|", omittingEmptySubsequences: false)
                .dropFirst().dropLast()
                .map { $0.replacing("\0", with: "|").split(separator: " ").joined(separator: " ") }
            guard let titles else { return titles = cells }
            if !cells.allSatisfy({ $0.hasPrefix("---") }) { blocks.append(.row(titles: titles, cells: cells)) }
        }

        private mutating func endParagraph() {
            if !words.isEmpty { blocks.append(.paragraph(mark: mark, text: words.joined(separator: " "))) }
            words = []
            mark = ""
        }
    }
}
