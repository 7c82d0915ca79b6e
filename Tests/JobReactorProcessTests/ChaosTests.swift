import Foundation
import Testing

@testable import JobReactorChaos

/// The short run of the program that breaks everything; a long one is `swift run JobReactorChaos --seconds 600`.
@Suite struct ChaosTests {
    /// All but those of 20 s.
    private static let quick = Fault.Kind.allCases.filter { $0 != .hang && $0 != .stall }

    private static func named(_ kinds: [Fault.Kind]) -> [String] { kinds.flatMap { ["--faults", $0.rawValue] } }

    @Test(
        "nothing is lost, and nothing done twice without a crash",
        arguments: [
            ["--storage", "redis"] + named(quick), ["--storage", "sqlite"] + named(quick),
            ["--storage", "redis"] + named([.cut]), ["--storage", "redis"] + named([.stall]),
            ["--storage", "sqlite"] + named([.stall]),
        ])
    func short(_ options: [String]) async throws {
        let chaos = try await Programs.run(
            "JobReactorChaos", ["--jobs", "800", "--seconds", "5"] + options, seconds: 500)
        #expect(chaos.status == 0, "\(chaos.output)\(chaos.errors.suffix(2000))")
        #expect(chaos.output.contains("nothing lost, nothing unexplained"))
    }

    @Test(
        "no key is stuck, no limit passed, and no tick made twice, whatever is broken",
        arguments: [
            ["--storage", "redis"] + named(quick), ["--storage", "sqlite"] + named(quick),
            ["--storage", "redis"] + named([.cut, .freeze]),
        ])
    func timed(_ options: [String]) async throws {
        let chaos = try await Programs.run(
            "JobReactorChaos", ["--jobs", "200", "--seconds", "5", "--timed"] + options, seconds: 900)
        #expect(chaos.status == 0, "\(chaos.output)\(chaos.errors.suffix(2000))")
        #expect(chaos.output.contains("nothing lost, nothing unexplained"))
    }
}
