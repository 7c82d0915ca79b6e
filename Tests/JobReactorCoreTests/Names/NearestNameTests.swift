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
}
