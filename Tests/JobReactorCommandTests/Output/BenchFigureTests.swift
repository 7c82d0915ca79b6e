import JobReactorCore
import Testing

@testable import JobReactorCommand

@Suite("Figures of the benchmark")
struct BenchFigureTests {
    static func figure(_ value: Double, ratio: Double?, _ goal: BenchFigure.Goal?) -> BenchFigure {
        let limit = ratio.map { BenchFigure.Limit(value: value / $0, ratio: $0, name: "least") }
        return BenchFigure(name: "f", value: value, unit: "us", limit: limit, goal: goal, remark: "of two")
    }

    @Test(
        "say whether they have reached their goal, by themselves or by their ratio",
        arguments: [
            (figure(10, ratio: nil, nil), nil), (figure(10, ratio: nil, .atLeast(10)), true),
            (figure(9.9, ratio: nil, .atLeast(10)), false), (figure(10, ratio: nil, .atMost(10)), true),
            (figure(10.1, ratio: nil, .atMost(10)), false), (figure(10, ratio: 0.9, .ratioAtLeast(0.9)), true),
            (figure(10, ratio: 0.89, .ratioAtLeast(0.9)), false), (figure(10, ratio: 3, .ratioAtMost(3)), true),
            (figure(10, ratio: 3.1, .ratioAtMost(3)), false), (figure(10, ratio: nil, .ratioAtMost(3)), nil),
        ] as [(BenchFigure, Bool?)])
    func goals(_ figure: BenchFigure, isMet: Bool?) throws {
        #expect(figure.isMet == isMet)
        let text = BenchFigure.table([figure]).text
        #expect(text.contains("MISSED") == (isMet == false) && text.contains("reached") == (isMet == true))
        let json = try #require(try JSONValue(parsing: Array(BenchFigure.json([figure]).json.utf8))["f"])
        #expect(json["reached"]?.bool == isMet)
        #expect(json["value"]?.double == figure.value && json["unit"]?.string == "us")
        #expect(json["limit"]?["ratio"]?.double == figure.limit?.ratio)
    }

    @Test("measured in turns leave out the first round, and change who goes first")
    func rounds() async throws {
        var order: [String] = []
        let rounds = try await BenchRounds.measure(3) {
            order.append("a")
            return Double(order.count)
        } _: {
            order.append("b")
            return Double(order.count) / 2
        }
        #expect(order == ["b", "a", "a", "b", "b", "a", "a", "b"])
        #expect(rounds.first == [3, 6, 7] && rounds.second == [2, 2.5, 4])
        let figure = rounds.figure("f", "jobs/s", limit: "least")
        #expect(figure.value == 6 && figure.limit?.value == 2.5)
        // The median of 3/2, 6/2.5 and 7/4, not the ratio of the medians.
        #expect(figure.limit?.ratio == 1.75)
    }

    @Test("quantiles are samples, the smallest that so many do not exceed")
    func quantiles() {
        let samples = BenchSamples([5, 1, 4, 2, 3])
        #expect(samples.median == 3 && samples.largest == 5)
        #expect(samples.quantile(0) == 1 && samples.quantile(0.2) == 1 && samples.quantile(0.21) == 2)
        #expect(samples.quantile(0.99) == 5 && BenchSamples([]).median.isNaN)
    }

    @Test("latencies come back with three digits")
    func latencies() {
        let latencies = Latencies()
        for microseconds in 1...1000 { latencies.add(nanoseconds: Int64(microseconds) * 1000) }
        let other = Latencies()
        other.add(nanoseconds: 50_000)
        let figures = latencies.figures("l", limit: (other, "least"), goals: ["p50": .ratioAtMost(11)])
        #expect(figures.map(\.name) == ["l_p50", "l_p99", "l_p999"])
        for (figure, expected) in zip(figures, [500, 990, 999.0]) {
            #expect(abs(figure.value - expected) <= expected / 500)
        }
        #expect(figures[0].isMet == true && figures[1].goal == nil && figures[1].limit?.name == "least")
    }
}
