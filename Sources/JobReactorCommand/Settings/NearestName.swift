/// What someone may have meant by a name that is not known.
enum NearestName {
    /// The known name with the fewest letters to change, when they are few for the length of the name.
    static func find(_ name: String, among known: [String]) -> String? {
        let nearest = known.map { (name: $0, distance: distance(name, $0)) }.min { $0.distance < $1.distance }
        guard let nearest, nearest.distance <= max(1, min(name.count, nearest.name.count) / 3) else { return nil }
        return nearest.name
    }

    /// Insertions, deletions and replacements from one to the other.
    static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right)
        var row = Array(0...right.count)
        for (index, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let replaced = diagonal + (letter == right[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, diagonal + 1, row[column] + 1)
            }
        }
        return row[right.count]
    }
}
