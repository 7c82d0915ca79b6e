/// Rows in columns as wide as their widest cell, two spaces between them.
struct TextTable: Sendable {
    private var rows: [[String]]
    /// Columns of numbers, which stand at the right.
    private let numbers: Set<Int>

    init(_ titles: [String], numbers: Set<Int> = []) {
        rows = [titles]
        self.numbers = numbers
    }

    mutating func add(_ row: [String]) { rows.append(row.map(Terminal.printableLine)) }

    /// The last column is cut where its cells have no room in a line of so many characters, though not below 20. `cut` gets
    /// the cell and the room.
    func fitted(to width: Int, _ cut: (String, Int) -> String = ErrorLine.cut) -> TextTable {
        guard let last = rows.first?.indices.last else { return self }
        let before = (0..<last).reduce(0) { sum, column in sum + (rows.map { $0[column].count }.max() ?? 0) + 2 }
        var table = self
        for row in rows.indices.dropFirst() {
            table.rows[row][last] = cut(rows[row][last], max(20, width - before))
        }
        return table
    }

    /// Without those of the named columns that are empty in all rows.
    func withoutEmpty(_ titles: Set<String>) -> TextTable {
        let kept = (rows.first?.indices ?? 0..<0).filter { column in
            !titles.contains(rows[0][column]) || rows.dropFirst().contains { !$0[column].isEmpty }
        }
        let numbers = Set(kept.indices.filter { self.numbers.contains(kept[$0]) })
        var table = TextTable([], numbers: numbers)
        table.rows = rows.map { row in kept.map { row[$0] } }
        return table
    }

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
