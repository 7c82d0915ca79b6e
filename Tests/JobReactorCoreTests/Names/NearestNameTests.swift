import JobReactorCore
import Testing

@Suite struct NearestNameTests {
    @Test(
        arguments: [
            ("resiz", "resize"), ("rezise", "resize"), ("max_attemt", nil), ("xyz", nil), ("notifi", "notify"),
            ("ntoify", "notify"), ("pirnt", "print"), ("", "a"),
        ] as [(String, String?)])
    func theNearestNameIsNearEnough(name: String, nearest: String?) {
        #expect(NearestName.find(name, among: ["resize", "notify", "print", "a"]) == nearest)
    }

    @Test(
        arguments: [
            ("", "", 0), ("", "abc", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "cab", 2),
            ("kitten", "sitting", 3),
        ])
    func theDistanceIsTheSameBothWays(left: String, right: String, distance: Int) {
        #expect(NearestName.distance(left, right) == distance)
        #expect(NearestName.distance(right, left) == distance)
    }

    @Test("with a budget the nearest is the same as long as it lasts")
    func theNearestNameWithinABudget() {
        let known = ["resize", "notify", "print", "a", String(repeating: "x", count: 10_000)]
        for name in ["resiz", "rezise", "max_attemt", "xyz", "ntoify", ""] {
            var budget = 10_000
            #expect(
                NearestName.find(name, among: known, budget: &budget) == NearestName.find(name, among: known), "\(name)"
            )
            #expect(budget < 10_000 && budget > 9000)
            var none = 0
            #expect(NearestName.find(name, among: known, budget: &none) == nil)
        }
        // What peers say costs no more than the budget.
        var budget = 100_000
        let many = (0..<100_000).map { "\(String(repeating: "y", count: 200))\($0)" }
        _ = NearestName.find(String(repeating: "y", count: 200), among: many, budget: &budget)
        #expect(budget >= 0)
    }
}
