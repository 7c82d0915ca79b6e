import Testing

@testable import JobReactorCore

/// Jobs that come to a node with attempts that ended with other nodes.
@Suite struct ArrivingJobTests {
    @Test(
        "a job whose attempts are all made has failed without a run",
        arguments: [
            (0, 0, 3, false), (2, 0, 3, false), (3, 0, 3, true), (4, 0, 3, true), (0, 0, 1, false), (1, 0, 1, true),
            // Its later runs are for the end of a run to decide.
            (3, 1, 3, false),
        ] as [(Int32, Int32, Int, Bool)])
    func arrival(attempt: Int32, runs: Int32, most: Int, hasFailed: Bool) {
        var job = Job(id: id(1), name: "j", args: ["a": 1], createdAt: Timestamp(microseconds: 0))
        (job.attempt, job.runs) = (attempt, runs)
        let now = Timestamp(microseconds: 5_000_000)
        let transition = JobLifecycle.arrive(job, policy: JobPolicy(maxAttempt: most), now: now)
        #expect((transition != nil) == hasFailed)
        guard let transition else { return }
        let message = "the node that ran it ended during attempt \(attempt)"
        #expect(transition.next == .keep)
        #expect(transition.job.status == .failed)
        #expect(transition.job.attempt == attempt)
        #expect(transition.job.runs == 1)
        #expect(transition.job.failedAt == now)
        #expect(transition.job.lastError == message)
        #expect(transition.feedback == Feedback(.error, args: ["a": 1, "error": .string(message)]))
    }

    @Test("its record goes when those of failed jobs do")
    func removed() {
        var job = Job(id: id(1), name: "j", args: [:], createdAt: Timestamp(microseconds: 0))
        job.attempt = 2
        let policy = JobPolicy(maxAttempt: 2, removeFailedJobs: true)
        #expect(JobLifecycle.arrive(job, policy: policy, now: Timestamp(microseconds: 0))?.next == .remove)
    }
}
