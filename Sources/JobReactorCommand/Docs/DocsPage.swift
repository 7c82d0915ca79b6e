private import CPages

/// A page of the documentation, embedded in the program.
struct DocsPage: Sendable {
    /// What it is called on the command line: `lua-guide`.
    let name: String
    /// As it stands in the repository.
    let markdown: String

    /// In the order in which to read them. Empty where the compiler could not embed them.
    static let all: [DocsPage] = {
        var pages: [DocsPage] = []
        while let page = jobreactor_page(pages.count)?.pointee {
            let text = UnsafeBufferPointer(start: page.text, count: page.length)
            pages.append(DocsPage(name: String(cString: page.name), markdown: String(decoding: text, as: UTF8.self)))
        }
        return pages
    }()

    /// The page of that name, or the one whose name alone begins so.
    static func find(_ name: String) -> DocsPage? {
        if let page = all.first(where: { $0.name == name }) { return page }
        let pages = all.filter { $0.name.hasPrefix(name) }
        return pages.count == 1 ? pages[0] : nil
    }

    /// The name of the page of a file: that of `LuaGuide` is `lua-guide`.
    static func name(ofFile file: some StringProtocol) -> String {
        file.reduce(into: "") { name, character in
            if character.isUppercase, !name.isEmpty { name.append("-") }
            name += character.lowercased()
        }
    }

    /// The name of the page that a link leads to, `/JobReactorWire/LinkProtocol` or `LuaGuide#Args-and-results`.
    static func name(ofLink link: Substring) -> String {
        name(ofFile: link.prefix { $0 != "#" }.split(separator: "/").last ?? "")
    }

    private var lines: [Substring] { markdown.split(separator: "\n", omittingEmptySubsequences: true) }

    var title: String { String(lines.first { $0.hasPrefix("# ") }?.dropFirst(2) ?? "") }

    /// The sentence behind the title, on one line.
    var abstract: String {
        lines.drop { $0.hasPrefix("# ") }.prefix { !$0.hasPrefix("#") }.joined(separator: " ")
    }
}
