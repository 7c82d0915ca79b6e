/// Rows in columns as wide as their widest cell, two spaces between them.
struct TextTable: Sendable {
    private var rows: [[String]]
    /// Columns of numbers, which stand at the right.
    private let numbers: Set<Int>

    init(_ titles: [String], numbers: Set<Int> = []) {
        rows = [titles]
        self.numbers = numbers
    }

    mutating func add(_ row: [String]) { rows.append(row.map(Terminal.printable)) }

    /// Without spaces at the ends of lines.
    var text: String {
        let columns = rows.first?.indices ?? 0..<0
        let widths = columns.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = columns.map { column in
                let gap = String(repeating: " ", count: widths[column] - row[column].count)
                return numbers.contains(column) ? gap + row[column] : row[column] + gap
            }
            let line = cells.joined(separator: "  ")
            return String(line[..<(line.lastIndex { $0 != " " }.map { line.index(after: $0) } ?? line.startIndex)])
        }.joined(separator: "\n")
    }
}
