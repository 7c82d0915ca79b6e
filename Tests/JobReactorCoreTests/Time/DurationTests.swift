import JobReactorCore
import Testing

@Suite("Durations in place of seconds") struct DurationTests {
    @Test("mean the same in options")
    func options() throws {
        #expect(JobOptions(after: .seconds(5)) == JobOptions(after: 5))
        #expect(
            JobOptions(after: .milliseconds(1500), period: .seconds(60), node: "n")
                == JobOptions(after: 1.5, period: 60, node: "n"))
        #expect(JobOptions(after: .seconds(1), retryMultiplier: 2) == JobOptions(after: 1, retryMultiplier: 2))
        #expect(
            JobOptions(period: .seconds(3), retryMultiplier: .seconds(2)) == JobOptions(period: 3, retryMultiplier: 2))
        let wait: Duration = .microseconds(100)
        let none: Duration? = nil
        #expect(JobOptions(after: wait, period: none) == JobOptions(after: 0.0001))
        #expect(JobOptions(after: nil) == JobOptions())
    }

    @Test("mean the same in policies")
    func policies() {
        #expect(JobPolicy(timeout: .seconds(30)) == JobPolicy(timeout: 30))
        #expect(
            JobPolicy(maxAttempt: 3, retryMultiplier: 0.5, maxRetryDelay: .seconds(600))
                == JobPolicy(maxAttempt: 3, retryMultiplier: 0.5, maxRetryDelay: 600))
        #expect(
            JobPolicy(retryMultiplier: .milliseconds(500), timeout: .seconds(2))
                == JobPolicy(retryMultiplier: 0.5, timeout: 2))
        #expect(JobPolicy(retryMultiplier: .seconds(5)) == JobPolicy())
    }

    @Test(
        "negative and endless ones are refused as seconds are",
        arguments: [
            (JobOptions(after: .milliseconds(-1)), "after takes seconds from 0 to 3155760000, not -0.001"),
            (JobOptions(after: .seconds(1e20)), "after takes seconds from 0 to 3155760000, not 1e+20"),
            (
                JobOptions(period: .seconds(Int64.max)),
                "period takes seconds above 0 up to 3155760000, not 9.223372036854776e+18"
            ),
            (JobOptions(period: Duration.zero), "period takes seconds above 0 up to 3155760000, not 0.0"),
            (
                JobOptions(retryMultiplier: .seconds(-5)),
                "retryMultiplier takes seconds from 0 to 3155760000, not -5.0"
            ),
        ])
    func refused(_ options: JobOptions, message: String) {
        #expect(throws: JobError(.invalidOption, message)) { try options.validate() }
    }
}
