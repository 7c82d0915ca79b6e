internal import JobReactorCore

/// One result of a benchmark, beside what the same machine reached in the same run without JobReactor in the way.
struct BenchFigure: Sendable {
    /// In lower case with underscores: the key in JSON.
    var name: String
    var value: Double
    var unit: String
    var limit: Limit?
    var goal: Goal?
    /// What was counted, over how much.
    var remark = ""

    /// The same work done by as little as can do it.
    struct Limit: Sendable {
        /// In the unit of the figure.
        var value: Double
        /// The figure in relation to it: the median of rounds that took turns, where there are rounds.
        var ratio: Double
        /// What did it.
        var name: String
    }

    /// What the figure has to reach.
    enum Goal: Hashable, Sendable {
        case atLeast(Double)
        case atMost(Double)
        case ratioAtLeast(Double)
        case ratioAtMost(Double)
    }

    /// Whether the goal is reached; nil without one.
    var isMet: Bool? {
        switch goal {
        case nil: nil
        case .atLeast(let bound)?: value >= bound
        case .atMost(let bound)?: value <= bound
        case .ratioAtLeast(let bound)?: limit.map { $0.ratio >= bound }
        case .ratioAtMost(let bound)?: limit.map { $0.ratio <= bound }
        }
    }

    static func table(_ figures: [BenchFigure]) -> TextTable {
        var table = TextTable(["FIGURE", "VALUE", "UNIT", "LIMIT", "RATIO", "GOAL", "", ""], numbers: [1, 3, 4])
        for figure in figures {
            table.add([
                figure.name, text(figure.value), figure.unit, figure.limit.map { text($0.value) } ?? "",
                figure.limit.map { text($0.ratio) } ?? "", figure.goalText,
                figure.isMet.map { $0 ? "reached" : "MISSED" } ?? "",
                [figure.limit.map { "limit: \($0.name)" }, figure.remark.isEmpty ? nil : figure.remark]
                    .compactMap(\.self).joined(separator: "; "),
            ])
        }
        return table
    }

    private var goalText: String {
        switch goal {
        case nil: ""
        case .atLeast(let bound)?: ">= \(Self.text(bound))"
        case .atMost(let bound)?: "<= \(Self.text(bound))"
        case .ratioAtLeast(let bound)?: "ratio >= \(Self.text(bound))"
        case .ratioAtMost(let bound)?: "ratio <= \(Self.text(bound))"
        }
    }

    static func json(_ figures: [BenchFigure]) -> JSONValue {
        JSONValue.object(Dictionary(figures.map { ($0.name, $0.json) }) { _, last in last })
    }

    private var json: JSONValue {
        var members: [String: JSONValue] = ["value": JSONValue(value), "unit": .string(unit)]
        if let limit {
            members["limit"] = .object([
                "value": JSONValue(limit.value), "ratio": JSONValue(limit.ratio), "of": .string(limit.name),
            ])
        }
        if let goal {
            let (key, bound) =
                switch goal {
                case .atLeast(let bound): ("at_least", bound)
                case .atMost(let bound): ("at_most", bound)
                case .ratioAtLeast(let bound): ("ratio_at_least", bound)
                case .ratioAtMost(let bound): ("ratio_at_most", bound)
                }
            members["goal"] = .object([key: JSONValue(bound)])
            members["reached"] = isMet.map { .bool($0) }
        }
        if !remark.isEmpty { members["remark"] = .string(remark) }
        return .object(members)
    }

    /// Three digits that count, none lost before the point.
    private static func text(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        let size = abs(value)
        let places: Double = size >= 100 ? 1 : size >= 10 ? 10 : size >= 1 ? 100 : 1000
        let rounded = (value * places).rounded() / places
        return rounded == rounded.rounded() ? "\(Int64(rounded))" : "\(rounded)"
    }
}
