/// Numbers measured one by one.
struct BenchSamples: Sendable {
    private let sorted: [Double]

    init(_ samples: [Double]) { sorted = samples.sorted() }

    var median: Double { quantile(0.5) }
    var largest: Double { sorted.last ?? .nan }

    /// The smallest sample that at least `share` (0 … 1) of all do not exceed.
    func quantile(_ share: Double) -> Double {
        guard !sorted.isEmpty else { return .nan }
        let rank = Int((share * Double(sorted.count)).rounded(.up))
        return sorted[min(max(rank, 1), sorted.count) - 1]
    }
}

/// Two things measured in turns, round by round, so that what else the machine does hits both.
struct BenchRounds: Sendable {
    private(set) var first: [Double] = []
    private(set) var second: [Double] = []

    /// Who goes first changes from round to round, and the first round only warms up.
    static func measure(
        _ count: Int, _ first: () async throws -> Double, _ second: () async throws -> Double
    ) async throws -> BenchRounds {
        var rounds = BenchRounds()
        for round in -1..<count {
            let pair: (Double, Double)
            if round % 2 == 0 {
                pair = (try await first(), try await second())
            } else {
                let later = try await second()
                pair = (try await first(), later)
            }
            guard round >= 0 else { continue }
            rounds.first.append(pair.0)
            rounds.second.append(pair.1)
        }
        return rounds
    }

    /// The first, its limit the second.
    func figure(
        _ name: String, _ unit: String, limit: String, goal: BenchFigure.Goal? = nil, remark: String = ""
    ) -> BenchFigure {
        let ratios = BenchSamples(zip(first, second).map { $0 / $1 })
        return BenchFigure(
            name: name, value: BenchSamples(first).median, unit: unit,
            limit: BenchFigure.Limit(value: BenchSamples(second).median, ratio: ratios.median, name: limit), goal: goal,
            remark: remark)
    }
}
