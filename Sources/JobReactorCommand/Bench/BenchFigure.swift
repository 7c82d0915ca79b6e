private import JobReactorCore

/// One result of a benchmark, with what it is to be held against.
struct BenchFigure: Sendable {
    /// In lower case with underscores: the key in JSON.
    var name: String
    var value: Double
    var unit: String
    /// What the figure is to stay under, in its unit.
    var limit: Double?
    /// What was counted, over how much.
    var remark = ""

    static func table(_ figures: [BenchFigure]) -> TextTable {
        var table = TextTable(["FIGURE", "VALUE", "UNIT", "LIMIT", ""], numbers: [1, 3])
        for figure in figures {
            table.add([
                figure.name, text(figure.value), figure.unit, figure.limit.map { "< " + text($0) } ?? "", figure.remark,
            ])
        }
        return table
    }

    static func json(_ figures: [BenchFigure]) -> String {
        let members = figures.map { figure in
            var value: [String: JSONValue] = ["value": JSONValue(figure.value), "unit": .string(figure.unit)]
            if let limit = figure.limit { value["limit"] = JSONValue(limit) }
            return (figure.name, JSONValue.object(value))
        }
        return JSONValue.object(Dictionary(members) { _, last in last }).json
    }

    /// Three digits that count, none lost before the point.
    private static func text(_ value: Double) -> String {
        let size = abs(value)
        let places: Double = size >= 100 ? 1 : size >= 10 ? 10 : size >= 1 ? 100 : 1000
        let rounded = (value * places).rounded() / places
        return rounded == rounded.rounded() ? "\(Int64(rounded))" : "\(rounded)"
    }
}

/// Numbers measured one by one.
struct BenchSamples: Sendable {
    private let sorted: [Double]

    init(_ samples: [Double]) { sorted = samples.sorted() }

    var median: Double { quantile(0.5) }
    var largest: Double { sorted.last ?? .nan }
    var smallest: Double { sorted.first ?? .nan }

    /// The smallest sample that at least `share` (0 … 1) of all do not exceed.
    func quantile(_ share: Double) -> Double {
        guard !sorted.isEmpty else { return .nan }
        let rank = Int((share * Double(sorted.count)).rounded(.up))
        return sorted[min(max(rank, 1), sorted.count) - 1]
    }
}
