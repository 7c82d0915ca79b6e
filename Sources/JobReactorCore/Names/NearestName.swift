/// Suggestions for unknown names.
package enum NearestName {
    /// The known name with the fewest changed letters, if these are few for the length of the name.
    package static func find(_ name: String, among known: [String]) -> String? {
        let nearest = known.map { (name: $0, distance: distance(name, $0)) }.min { $0.distance < $1.distance }
        guard let nearest, nearest.distance <= max(1, min(name.count, nearest.name.count) / 3) else { return nil }
        return nearest.name
    }

    /// As ``find(_:among:)``, with a limited number of steps: names beyond the budget are skipped.
    package static func find(_ name: String, among known: some Sequence<String>, budget: inout Int) -> String? {
        var near: [String] = []
        let count = name.count
        for other in known {
            guard budget > 0 else { break }
            budget -= 1
            // One of another length has at least as many letters to change.
            let length = other.utf8.count
            guard length <= 4 * (count + count / 2 + 1), budget >= count * length else { continue }
            let letters = other.count
            guard abs(letters - count) <= max(1, min(count, letters) / 3) else { continue }
            budget -= count * length
            near.append(other)
        }
        // In their order, so that of several the same is named each time.
        return find(name, among: near.sorted())
    }

    /// Insertions, deletions, replacements and swaps of neighbours from one to the other.
    package static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left), Array(right))
        var before: [Int] = []
        var row = Array(0...right.count)
        for (line, letter) in left.enumerated() {
            var next = [line + 1]
            for column in right.indices {
                let replaced = row[column] + (letter == right[column] ? 0 : 1)
                var least = min(replaced, row[column + 1] + 1, next[column] + 1)
                let isSwapped = line > 0 && column > 0 && letter == right[column - 1] && left[line - 1] == right[column]
                if isSwapped { least = min(least, before[column - 1] + 1) }
                next.append(least)
            }
            (before, row) = (row, next)
        }
        return row[right.count]
    }
}
