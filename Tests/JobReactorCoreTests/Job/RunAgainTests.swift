import JobReactorCore
import Testing

/// What follows a run during which a job with the same key was enqueued, to run once more with the newest args.
@Suite struct RunAgainTests {
    private static let end = start.advanced(bySeconds: 3)
    private static let newest: JobArguments = ["newest": true]

    private func running(attempt: Int32 = 1, period: Double? = nil, again: JobArguments? = newest) -> Job {
        var job = Job(
            id: id(1), name: "digest", args: ["newest": false],
            options: JobOptions(period: period, unique: JobUnique("k", onConflict: .again)), createdAt: start)
        job.attempt = attempt - 1
        job = JobLifecycle.begin(job, now: start)
        job.again = again
        return job
    }

    private static let policy = JobPolicy(maxAttempt: 3, retryMultiplier: 5)

    struct Row: Sendable {
        let kind: RunOutcome.Kind
        let attempt: Int32
        let period: Double?
        /// After the run.
        let nextAttempt: Int32
        let seconds: Double
        let feedback: Feedback.Kind?
    }

    @Test(
        "the next run has the newest args, and what would have been the end is followed by one more",
        arguments: [
            Row(kind: .succeeded, attempt: 1, period: nil, nextAttempt: 0, seconds: 0, feedback: .success),
            Row(kind: .succeeded, attempt: 1, period: 60, nextAttempt: 0, seconds: 60, feedback: .success),
            Row(kind: .failed, attempt: 1, period: nil, nextAttempt: 1, seconds: 5, feedback: nil),
            Row(kind: .failed, attempt: 3, period: nil, nextAttempt: 0, seconds: 0, feedback: .error),
            Row(kind: .cancelled, attempt: 1, period: nil, nextAttempt: 0, seconds: 0, feedback: .success),
            Row(kind: .failedCancelled, attempt: 1, period: nil, nextAttempt: 0, seconds: 0, feedback: .error),
        ])
    func next(_ row: Row) {
        let ended = JobLifecycle.end(
            running(attempt: row.attempt, period: row.period), RunOutcome(row.kind, args: ["left": 1]),
            policy: Self.policy, now: Self.end)
        #expect(ended.next == .wait)
        #expect(ended.job.status == .queued)
        #expect(ended.job.args == Self.newest)
        #expect(ended.job.again == nil)
        #expect(ended.job.attempt == row.nextAttempt)
        #expect(ended.job.dueAt == Self.end.advanced(bySeconds: row.seconds))
        #expect(ended.feedback?.kind == row.feedback)
    }

    @Test("errbacks run with the args of their run, and the newest wait") func errbacks() {
        let raised = JobLifecycle.end(
            running(), RunOutcome(.raised, args: [:], message: "no"), policy: Self.policy, now: Self.end)
        #expect(raised.next == .errbacks)
        #expect(raised.job.again == Self.newest)
    }

    @Test("cancelled from outside it does not run again", arguments: [RunOutcome.Kind.succeeded, .failed, .cancelled])
    func cancelled(_ kind: RunOutcome.Kind) {
        let ended = JobLifecycle.end(
            running(), RunOutcome(kind, args: [:]), policy: Self.policy, isCancelled: true, now: Self.end)
        #expect(ended.job.status.isFinished)
        #expect(ended.job.again == nil)
    }

    @Test("a run that its node's end cut short is followed by one with the newest args", arguments: [Int32(1), 3])
    func takenUp(attempt: Int32) {
        let takenUp = JobLifecycle.takeUp(running(attempt: attempt), policy: Self.policy, now: Self.end)
        #expect(takenUp?.next == .wait)
        #expect(takenUp?.job.args == Self.newest)
        #expect(takenUp?.job.again == nil)
        #expect(takenUp?.job.attempt == (attempt == 3 ? 0 : 1))
    }
}
