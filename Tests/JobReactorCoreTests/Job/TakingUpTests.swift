import JobReactorCore
import Testing

/// What becomes of a job that a node finds in its storage when it starts, and of one whose run it withdraws.
@Suite struct TakingUpTests {
    private static let now = start.advanced(bySeconds: 60)

    /// Attempts are so many of 3.
    private static func stored(_ status: JobStatus, attempt: Int32, lastError: String? = nil) -> Job {
        var job = job(1)
        job.status = status
        job.attempt = attempt
        job.runs = attempt
        job.runAt = start
        job.lastError = lastError
        job.dueAt = start
        return job
    }

    private static func takeUp(_ job: Job) -> JobLifecycle.Transition? {
        JobLifecycle.takeUp(job, policy: JobPolicy(maxAttempt: 3), now: now)
    }

    @Test("one that waits goes on waiting as it is", arguments: [JobStatus.new, .queued])
    func waiting(_ status: JobStatus) {
        #expect(Self.takeUp(Self.stored(status, attempt: 2)) == nil)
    }

    @Test("one that is finished stays as it is", arguments: [JobStatus.complete, .failed, .cancelled])
    func finished(_ status: JobStatus) {
        #expect(Self.takeUp(Self.stored(status, attempt: 3)) == nil)
    }

    @Test("a run that was cut short was an attempt; the next is due at once", arguments: [1, 2] as [Int32])
    func cutShort(_ attempt: Int32) throws {
        let transition = try #require(Self.takeUp(Self.stored(.inProgress, attempt: attempt)))
        #expect(transition.next == .wait)
        #expect(transition.feedback == nil)
        #expect(transition.job.status == .queued)
        #expect(transition.job.attempt == attempt)
        #expect(transition.job.dueAt == start)
        #expect(transition.job.failedAt == Self.now)
        #expect(transition.job.lastError == "the node ended during attempt \(attempt)")
    }

    @Test("one that had failed, and whose errbacks were cut short, keeps its error")
    func errbacks() throws {
        let transition = try #require(Self.takeUp(Self.stored(.error, attempt: 1, lastError: "a.lua:1: no")))
        #expect(transition.next == .wait)
        #expect(transition.job.status == .queued)
        #expect(transition.job.lastError == "a.lua:1: no")
    }

    @Test("after the last attempt it has failed, and the error feedback says so", arguments: [false, true])
    func last(_ removes: Bool) throws {
        let policy = JobPolicy(maxAttempt: 3, removeFailedJobs: removes)
        let transition = try #require(
            JobLifecycle.takeUp(Self.stored(.inProgress, attempt: 3), policy: policy, now: Self.now))
        #expect(transition.next == (removes ? .remove : .keep))
        #expect(transition.job.status == .failed)
        #expect(transition.feedback?.kind == .error)
        #expect(transition.feedback?.args["error"]?.string == "the node ended during attempt 3")
        let errbacks = try #require(Self.takeUp(Self.stored(.error, attempt: 3, lastError: "a.lua:1: no")))
        #expect(errbacks.feedback?.args["error"]?.string == "a.lua:1: no")
    }

    @Test("the steps of a job that was taken up see args.retrying, and it stays in its args")
    func retrying() {
        let begun = JobLifecycle.begin(Self.stored(.queued, attempt: 0), isRetrying: true, now: Self.now)
        #expect(begun.args["retrying"]?.bool == true)
        #expect(JobLifecycle.begin(Self.stored(.queued, attempt: 0), now: Self.now).args["retrying"] == nil)
    }

    @Test("a run that was begun and withdrawn did not take place")
    func withdrawn() {
        let waiting = Self.stored(.queued, attempt: 1)
        var again = JobLifecycle.withdraw(JobLifecycle.begin(waiting, now: Self.now))
        #expect(again.runAt == Self.now)
        again.runAt = waiting.runAt
        #expect(again == waiting)
    }
}
