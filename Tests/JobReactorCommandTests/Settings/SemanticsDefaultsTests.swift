import JobReactorCore
import Testing

@testable import JobReactorCommand

/// The configuration's names and defaults, as the semantics have them.
@Suite("Semantics: configuration") struct SemanticsDefaultsTests {
    @Test("each setting of the gem is there under its name, with its default")
    func defaults() throws {
        let settings = try Settings(environment: [:])
        let table = SettingTable()
        #expect(table.jobDirectory.key == "job_directory")
        #expect(try settings.value(\.jobDirectory) == "reactor_jobs")
        #expect(table.maxAttempt.key == "max_attempt")
        #expect(try settings.value(\.maxAttempt) == 10)
        #expect(table.retryMultiplier.key == "retry_multiplier")
        #expect(try settings.value(\.retryMultiplier) == 5)
        #expect(table.mergeJobItselfToArgs.key == "merge_job_itself_to_args")
        #expect(try settings.value(\.mergeJobItselfToArgs) == false)
        #expect(table.logJobProcessing.key == "log_job_processing")
        #expect(try settings.value(\.logJobProcessing) == true)
        #expect(table.alwaysUseSpecifiedNode.key == "always_use_specified_node")
        #expect(try settings.value(\.alwaysUseSpecifiedNode) == false)
        #expect(table.removeDoneJobs.key == "remove_done_jobs")
        #expect(try settings.value(\.removeDoneJobs) == true)
        #expect(table.removeCancelledJobs.key == "remove_cancelled_jobs")
        #expect(try settings.value(\.removeCancelledJobs) == true)
        #expect(table.removeFailedJobs.key == "remove_failed_jobs")
        #expect(try settings.value(\.removeFailedJobs) == false)
    }
}
