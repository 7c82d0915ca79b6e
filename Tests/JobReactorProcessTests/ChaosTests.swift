import Foundation
import Testing

/// The short run of the program that breaks everything; a long one is `swift run JobReactorChaos --seconds 600`.
@Suite struct ChaosTests {
    @Test(
        "nothing is lost, and nothing done twice without a crash",
        arguments: [
            ["--storage", "redis"], ["--storage", "sqlite"], ["--storage", "redis", "--faults", "cut"],
        ])
    func short(_ options: [String]) async throws {
        let chaos = try await Programs.run(
            "JobReactorChaos", ["--jobs", "1500", "--seconds", "6"] + options, seconds: 500)
        #expect(chaos.status == 0, "\(chaos.output)\(chaos.errors.suffix(2000))")
        #expect(chaos.output.contains("nothing lost, nothing unexplained"))
    }
}
