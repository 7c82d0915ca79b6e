import JobReactorCore
import JobReactorTesting
import Testing

@testable import JobReactorLua
@testable import JobReactorNode

@Suite("How a node treats each job") struct JobPoliciesTests {
    private static func definition(
        _ name: String, attempts: Int? = nil, priority: Int? = nil
    ) -> ScriptReport.Definition {
        ScriptReport.Definition(
            name: name, file: "jobs.lua", line: 1, callbacks: 0, errbacks: 0,
            policy: ScriptPolicy(maxAttempt: attempts, priority: priority))
    }

    private static func job(_ name: String, priority: Int? = nil) -> Job {
        Job(
            id: JobID(high: 0, low: 1), name: name, args: JobArguments(), options: JobOptions(priority: priority),
            createdAt: Timestamp(microseconds: 1_000_000))
    }

    @Test("a job is as urgent as its producer says, else its script")
    func priorities() {
        var policies = JobPolicies(JobPolicy())
        #expect(policies.priority(of: Self.job("a")) == 5 && policies.priority(of: Self.job("a", priority: 0)) == 0)
        policies.use([Self.definition("a", priority: 8), Self.definition("b")])
        #expect(policies.priority(of: Self.job("a")) == 8 && policies.priority(of: Self.job("a", priority: 1)) == 1)
        #expect(policies.priority(of: Self.job("b")) == 5 && policies.priority(of: Self.job("unknown")) == 5)
        policies.use([Self.definition("a")])
        #expect(policies.priority(of: Self.job("a")) == 5)
    }

    @Test("what is said of a name counts whatever came before it, and until other scripts are in use")
    func names() {
        var policies = JobPolicies(JobPolicy(maxAttempt: 7))
        policies.use([Self.definition("a", attempts: 1), Self.definition("b", attempts: 2)])
        var random = SeededGenerator(seed: 5)
        for _ in 0..<200 {
            let (name, most) = [("a", 1), ("b", 2), ("c", 7)][Int.random(in: 0..<3, using: &random)]
            expect(policies.policy(of: Self.job(name)).maxAttempt == most)
            expect(policies[Self.job(name)].maxAttempt == most)
        }
        expect(policies.policy(of: Self.job("a")).maxAttempt == 1)
        policies.use([Self.definition("a", attempts: 3)])
        expect(policies.policy(of: Self.job("a")).maxAttempt == 3)
        policies.use([])
        expect(policies.policy(of: Self.job("a")).maxAttempt == 7)
    }
}

private func expect(_ isSo: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(isSo, sourceLocation: sourceLocation)
}
