import Foundation
import Testing

/// A page of the documentation: the README, or one of a DocC catalog.
struct DocumentationPage: CustomTestStringConvertible, Sendable {
    /// A fenced block of code.
    struct Block {
        /// The comment on the line before it, such as `run` or `part of: Examples/TenLines/main.swift`; empty without one.
        var mark: String
        var language: String
        var text: String
    }

    /// From the root of the repository on.
    let path: String
    let text: String

    var testDescription: String { path }
    /// What links call it.
    var name: String { String(path.split(separator: "/").last?.dropLast(3) ?? "") }
    /// The module whose catalog has it.
    var module: String? {
        path.split(separator: "/").first { $0.hasSuffix(".docc") }.map { String($0.dropLast(5)) }
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The README first, then those of the catalogs, by path.
    static let all: [DocumentationPage] = {
        let names = FileManager.default.enumerator(atPath: root.appending(path: "Sources").path)
        let pages = names?.compactMap { $0 as? String }.filter { $0.contains(".docc/") && $0.hasSuffix(".md") } ?? []
        return (["README.md"] + pages.map { "Sources/" + $0 }.sorted()).compactMap { try? DocumentationPage($0) }
    }()

    init(_ path: String) throws {
        self.path = path
        text = try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    }

    /// That of the catalog of `JobReactor`.
    static func named(_ name: String) throws -> DocumentationPage {
        try #require(all.first { $0.name == name && $0.module == "JobReactor" }, "there is no page \(name)")
    }

    /// A file of the repository.
    static func file(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    var blocks: [Block] {
        var blocks: [Block] = []
        var mark = ""
        var open: Block?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if var block = open {
                if line == "```" {
                    blocks.append(block)
                    open = nil
                } else {
                    block.text += line + "\n"
                    open = block
                }
            } else if line.hasPrefix("```") {
                open = Block(mark: mark, language: String(line.dropFirst(3)), text: "")
            }
            mark = line.hasPrefix("<!-- ") ? String(line.dropFirst(5).dropLast(4)) : ""
        }
        return blocks
    }

    /// The text without its blocks of code and its comments.
    var prose: String {
        var isCode = false
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
            if line.hasPrefix("```") { isCode.toggle() }
            return !isCode && !line.hasPrefix("```") && !line.hasPrefix("<!--")
        }
        return lines.joined(separator: "\n")
    }

    /// The rows of its tables, without those of titles, each as its cells.
    var rows: [[String]] {
        let lines = prose.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        return lines.indices.filter { index in
            let isTitle = index + 1 < lines.count && lines[index + 1].hasPrefix("|---")
            return lines[index].hasPrefix("| ") && !isTitle
        }.map { Self.cells(of: lines[$0]) }
    }

    private static func cells(of row: String) -> [String] {
        row.dropFirst().dropLast().replacing("\\|", with: "\0").components(separatedBy: "|")
            .map { $0.trimmingCharacters(in: .whitespaces).replacing("\0", with: "\\|") }
    }
}
