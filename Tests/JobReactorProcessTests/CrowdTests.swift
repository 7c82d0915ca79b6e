import Testing

/// The short run of the program that compares an application's rate alone and in a hostile crowd. Sanitizers make the crowd
/// dearer than the application: how much of its rate is left is judged in an optimised build, by `Tests/run.sh`.
@Suite struct CrowdTests {
    @Test("an application among fifty hostile clients is served and loses nothing, and memory stays within its bounds")
    func crowd() async throws {
        let crowd = try await Programs.run(
            "JobReactorChaos", ["crowd", "--part", "3", "--max-memory", "64", "--share", "0"])
        #expect(crowd.status == 0, "\(crowd.output)\(crowd.errors.suffix(2000))")
        #expect(crowd.output.contains("the application was served, and lost nothing"))
    }
}
