/// Text in the language of manual pages, with the macros of man(7).
struct Roff: Sendable {
    private(set) var text = ""

    /// Begins a page. `date` is `2026-11-28`.
    init(_ name: String, section: Int, date: String, version: String, summary: String) {
        let title = Self.escaped(name.uppercased())
        macro(#".TH "\#(title)" \#(section) "\#(date)" "jobreactor \#(version)" "JobReactor""#)
        macro(".nh")
        macro(".ad l")
        heading("NAME")
        line("\(Self.escaped(name)) \\- \(Self.escaped(summary))")
    }

    mutating func heading(_ text: String) { macro(".SH \"\(Self.escaped(text))\"") }

    mutating func subheading(_ text: String) { macro(".SS \"\(Self.escaped(text))\"") }

    /// Text with its escapes. A line of it that begins like a macro is not taken for one.
    mutating func line(_ roff: String) {
        for line in roff.split(separator: "\n", omittingEmptySubsequences: false) {
            macro((line.hasPrefix(".") || line.hasPrefix("'") ? "\\&" : "") + line)
        }
    }

    /// Paragraphs with empty lines between them, without escapes. A paragraph with indented lines keeps its lines.
    mutating func paragraphs(_ text: String) {
        for (index, paragraph) in text.split(separator: "\n\n").enumerated() {
            if index > 0 { macro(".PP") }
            let isExample = paragraph.split(separator: "\n").contains { $0.hasPrefix("  ") }
            if isExample { macro(".nf") }
            line(Self.escaped(paragraph))
            if isExample { macro(".fi") }
        }
    }

    /// A term, and below it what it means; both with their escapes.
    mutating func tagged(_ term: String, _ meaning: String) {
        macro(".TP")
        line(term.isEmpty ? "\\&" : term)
        if !meaning.isEmpty { line(meaning) }
    }

    mutating func macro(_ line: String) { text += line + "\n" }

    // MARK: Escapes

    /// The text as roff shows it as it is: also quotes and hyphens, which it would make typographic ones.
    static func escaped(_ text: some StringProtocol) -> String {
        text.reduce(into: "") { escaped, character in
            switch character {
            case "\\": escaped += "\\e"
            case "-": escaped += "\\-"
            case "'": escaped += "\\(aq"
            case "`": escaped += "\\(ga"
            case "\"": escaped += "\\(dq"
            case "^": escaped += "\\(ha"
            case "~": escaped += "\\(ti"
            default: escaped.append(character)
            }
        }
    }

    static func bold(_ text: some StringProtocol) -> String { "\\fB\(escaped(text))\\fR" }
    static func italic(_ text: some StringProtocol) -> String { "\\fI\(escaped(text))\\fR" }
    /// How a page is referred to: bold, with its section.
    static func reference(_ page: String, section: Int) -> String { "\(bold(page))(\(section))" }
}
