import JobReactorCore
import Testing

@Suite struct JobLifecycleTests {
    private static let end = start.advanced(bySeconds: 3.5)
    private static let before: JobArguments = ["path": "cat.png"]
    private static let after: JobArguments = ["path": "cat.png", "seen": 1]

    /// One row of the table: a run of `kind` of a job that is periodic or not, on its last attempt or not.
    struct Row: CustomTestStringConvertible, Sendable {
        enum Then: Sendable {
            case wait(seconds: Double)
            case removed(by: any KeyPath<JobPolicy, Bool> & Sendable)
            case park
            case errbacks
        }
        let kind: RunOutcome.Kind
        let isPeriodic: Bool
        let isLastAttempt: Bool
        let status: JobStatus
        let attempt: Int32
        let then: Then
        let feedback: Feedback.Kind?

        init(
            _ kind: RunOutcome.Kind, periodic: Bool, last: Bool, _ status: JobStatus, attempt: Int32, _ then: Then,
            _ feedback: Feedback.Kind?
        ) {
            (self.kind, isPeriodic, isLastAttempt) = (kind, periodic, last)
            (self.status, self.attempt, self.then, self.feedback) = (status, attempt, then, feedback)
        }

        var testDescription: String {
            "\(kind)\(isPeriodic ? ", periodic" : "")\(isLastAttempt ? ", last attempt" : "")"
        }
    }

    /// Attempts are 2 of 3, or 3 of 3; the period is 60 s and the multiplier 5 s.
    static let table: [Row] = [
        Row(.succeeded, periodic: false, last: false, .complete, attempt: 2, .removed(by: \.removeDoneJobs), .success),
        Row(.succeeded, periodic: false, last: true, .complete, attempt: 3, .removed(by: \.removeDoneJobs), .success),
        Row(.succeeded, periodic: true, last: false, .queued, attempt: 0, .wait(seconds: 60), .success),
        Row(.succeeded, periodic: true, last: true, .queued, attempt: 0, .wait(seconds: 60), .success),
        Row(
            .cancelled, periodic: false, last: false, .cancelled, attempt: 2, .removed(by: \.removeCancelledJobs),
            .success),
        Row(
            .cancelled, periodic: false, last: true, .cancelled, attempt: 3, .removed(by: \.removeCancelledJobs),
            .success),
        Row(
            .cancelled, periodic: true, last: false, .cancelled, attempt: 2, .removed(by: \.removeCancelledJobs),
            .success),
        Row(
            .cancelled, periodic: true, last: true, .cancelled, attempt: 3, .removed(by: \.removeCancelledJobs),
            .success),
        Row(.failed, periodic: false, last: false, .queued, attempt: 2, .wait(seconds: 10), nil),
        Row(.failed, periodic: false, last: true, .failed, attempt: 3, .removed(by: \.removeFailedJobs), .error),
        Row(.failed, periodic: true, last: false, .queued, attempt: 2, .wait(seconds: 60), nil),
        Row(.failed, periodic: true, last: true, .failed, attempt: 3, .removed(by: \.removeFailedJobs), .error),
        Row(
            .failedCancelled, periodic: false, last: false, .cancelled, attempt: 2,
            .removed(by: \.removeCancelledJobs), .error),
        Row(
            .failedCancelled, periodic: false, last: true, .cancelled, attempt: 3,
            .removed(by: \.removeCancelledJobs), .error),
        Row(
            .failedCancelled, periodic: true, last: false, .cancelled, attempt: 2,
            .removed(by: \.removeCancelledJobs), .error),
        Row(
            .failedCancelled, periodic: true, last: true, .cancelled, attempt: 3,
            .removed(by: \.removeCancelledJobs), .error),
        Row(.raised, periodic: false, last: false, .error, attempt: 2, .errbacks, nil),
        Row(.raised, periodic: false, last: true, .error, attempt: 3, .errbacks, nil),
        Row(.raised, periodic: true, last: false, .error, attempt: 2, .errbacks, nil),
        Row(.raised, periodic: true, last: true, .error, attempt: 3, .errbacks, nil),
        Row(.undefined, periodic: false, last: false, .queued, attempt: 1, .park, nil),
        Row(.undefined, periodic: false, last: true, .queued, attempt: 2, .park, nil),
        Row(.undefined, periodic: true, last: false, .queued, attempt: 1, .park, nil),
        Row(.undefined, periodic: true, last: true, .queued, attempt: 2, .park, nil),
    ]

    private static let policies: [JobPolicy] = [false, true].flatMap { done in
        [false, true].flatMap { cancelled in
            [false, true].map { failed in
                JobPolicy(
                    maxAttempt: 3, retryMultiplier: 5, removeDoneJobs: done, removeCancelledJobs: cancelled,
                    removeFailedJobs: failed)
            }
        }
    }

    private func running(attempt: Int32, period: Double?) -> Job {
        var job = Job(
            id: id(1), name: "resize", args: Self.before, options: JobOptions(period: period), distributor: "app",
            createdAt: start)
        job.status = .queued
        job.attempt = attempt - 1
        job.runs = 20
        return JobLifecycle.begin(job, now: start)
    }

    private func outcome(_ kind: RunOutcome.Kind) -> RunOutcome {
        switch kind {
        case .succeeded, .cancelled: RunOutcome(kind, args: Self.after)
        case .failed, .failedCancelled:
            RunOutcome(
                kind, args: Self.after, error: bytes(#""resize.lua:3: oops""#), errbackError: bytes("{\"code\":7}"),
                message: "resize.lua:3: oops", traceback: "stack traceback:\n\t…")
        case .raised:
            RunOutcome(
                kind, args: Self.before, error: bytes(#""resize.lua:3: oops""#), message: "resize.lua:3: oops",
                traceback: "stack traceback:\n\t…")
        case .undefined: RunOutcome(kind, args: Self.before)
        }
    }

    @Test("the end of a run", arguments: table)
    func end(_ row: Row) {
        for policy in Self.policies {
            let running = running(attempt: row.isLastAttempt ? 3 : 2, period: row.isPeriodic ? 60 : nil)
            let transition = JobLifecycle.end(running, outcome(row.kind), policy: policy, now: Self.end)

            // The record, field by field: what the row says, else as it was.
            var expected = running
            expected.status = row.status
            expected.attempt = row.attempt
            let next: JobLifecycle.Transition.Next
            switch row.then {
            case .wait(let seconds):
                expected.makeAfter = seconds
                expected.dueAt = Self.end.advanced(bySeconds: seconds)
                next = .wait
            case .removed(let flag): next = policy[keyPath: flag] ? .remove : .keep
            case .park: next = .park
            case .errbacks: next = .errbacks
            }
            switch row.kind {
            case .succeeded, .cancelled: expected.args = Self.after
            case .raised, .failed, .failedCancelled:
                if row.kind != .raised { expected.args = Self.after }
                expected.failedAt = Self.end
                expected.lastError = "resize.lua:3: oops" + (row.kind == .raised ? "" : Self.errback)
                expected.lastTraceback = "stack traceback:\n\t…"
            case .undefined: expected.runs = 20
            }
            #expect(transition.job == expected, "\(policy)")
            #expect(transition.next == next, "\(policy)")

            let feedback = row.feedback.map { kind in
                Feedback(
                    kind,
                    args: kind == .success
                        ? Self.after
                        : [
                            "path": "cat.png", "seen": 1, "error": "resize.lua:3: oops",
                            "errback_error": ["code": 7],
                        ])
            }
            #expect(transition.feedback == feedback, "\(policy)")
        }
    }

    @Test("the table has a row for every kind, periodic or not, on the last attempt or not")
    func completeness() {
        var cells: Set<String> = []
        for row in Self.table { cells.insert(row.testDescription) }
        #expect(cells.count == 24)
        #expect(Self.table.count == 24)
        #expect(Self.policies.count == 8)
    }

    private static let errback = "\nan errback failed: {\"code\":7}"

    @Test("the text of an errback's error stands behind that of the job, and neither takes all the room")
    func longErrors() throws {
        let limit = JobLimits.errorTextBytes
        for (first, second) in [(10, limit * 2), (limit * 2, 10), (limit, limit), (limit, 0)] {
            var long = outcome(.failed)
            long.message = String(repeating: "m", count: first)
            long.errbackError = bytes("\"\(String(repeating: "e", count: second))\"")
            let job = JobLifecycle.end(running(attempt: 1, period: nil), long, policy: JobPolicy(), now: Self.end).job
            let text = try #require(job.lastError)
            #expect(text.utf8.count <= limit)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count == 2 && lines[0].hasPrefix(String(repeating: "m", count: 10)))
            #expect(lines[1].hasPrefix("an errback failed: " + String(repeating: "e", count: min(second, 10))))
        }
    }

    @Test("what a failure noted before the errbacks stays, whatever they came to", arguments: [false, true])
    func errbacks(isCancelled: Bool) {
        let running = running(attempt: 2, period: nil)
        let policy = JobPolicy(maxAttempt: 3, removeCancelledJobs: false)
        let raised = JobLifecycle.end(running, outcome(.raised), policy: policy, now: Self.end)
        #expect(raised.next == .errbacks)
        let later = Self.end.advanced(bySeconds: 9)
        var after = outcome(.failed)
        after.message = "better said"
        after.traceback = nil
        let ended = JobLifecycle.end(raised.job, after, policy: policy, isCancelled: isCancelled, now: later)
        #expect(ended.job.failedAt == Self.end)
        #expect(ended.job.lastError == "resize.lua:3: oops" + Self.errback)
        #expect(ended.job.lastTraceback == "stack traceback:\n\t…")
        #expect(ended.job.args == Self.after)
        #expect(ended.job.status == (isCancelled ? .cancelled : .queued))
        // Cancelled before the errbacks ran: they do not.
        let cancelled = JobLifecycle.end(running, outcome(.raised), policy: policy, isCancelled: true, now: later)
        #expect(cancelled.job.status == .cancelled)
        #expect(cancelled.job.args == Self.before)
        #expect(cancelled.feedback == Feedback(.error, args: ["path": "cat.png", "error": "resize.lua:3: oops"]))
    }

    @Test("the start of a run counts the attempt and notes the time; nothing else changes")
    func begin() {
        for status in JobStatus.allCases {
            for attempt in [0, 1, 9] as [Int32] {
                var job = job(1, period: 60)
                job.status = status
                job.attempt = attempt
                job.lastError = "of before"
                var expected = job
                expected.attempt = attempt + 1
                expected.runs = 1
                expected.runAt = Self.end
                expected.status = .inProgress
                #expect(JobLifecycle.begin(job, now: Self.end) == expected)
            }
        }
    }

    @Test("with the defaults a job that always fails is tried ten times, waiting 5, 10, … 45 s, and told once")
    func defaultRetries() {
        var job = job(1)
        var now = start
        var waits: [Double] = []
        var feedbacks: [Feedback.Kind] = []
        for run in 1...10 {
            let running = JobLifecycle.begin(job, now: now)
            #expect(running.attempt == Int32(run))
            let outcome = RunOutcome(.failed, args: job.args, error: bytes("\"oops\""), message: "oops")
            let transition = JobLifecycle.end(running, outcome, policy: JobPolicy(), now: now)
            if let feedback = transition.feedback { feedbacks.append(feedback.kind) }
            job = transition.job
            if transition.next == .wait { waits.append(job.dueAt.seconds - now.seconds) }
            #expect(transition.next == (run < 10 ? .wait : .keep))
            now = job.dueAt
        }
        #expect(waits == [5, 10, 15, 20, 25, 30, 35, 40, 45])
        #expect(feedbacks == [.error])
        #expect(job.status == .failed)
    }

    @Test("a periodic job that fails now and then goes on for ever, as a good run sets its attempts back")
    func periodicWithErrors() {
        var job = job(1, period: 60)
        let policy = JobPolicy(maxAttempt: 2)
        for run in 1...50 {
            let running = JobLifecycle.begin(job, now: start)
            let kind: RunOutcome.Kind = run % 2 == 0 ? .succeeded : .failed
            let transition = JobLifecycle.end(
                running, RunOutcome(kind, args: job.args), policy: policy, now: Self.end)
            #expect(transition.next == .wait)
            #expect(transition.job.dueAt == Self.end.advanced(bySeconds: 60))
            job = transition.job
        }
        #expect(job.attempt == 0)
        #expect(job.runs == 50)
    }

    @Test("a periodic job that has run too often to be counted runs on")
    func runsWrap() {
        var job = job(1, period: 0)
        job.runs = .max
        #expect(JobLifecycle.begin(job, now: start).runs != .max)
        let transition = JobLifecycle.end(
            JobLifecycle.begin(job, now: start), RunOutcome(.undefined, args: [:]), policy: JobPolicy(), now: start)
        #expect(transition.job.runs == .max)
    }

    @Test("a periodic job that fails on end ends as failed")
    func periodicFailure() {
        var job = job(1, period: 60)
        var nexts: [JobLifecycle.Transition.Next] = []
        for _ in 1...3 {
            let running = JobLifecycle.begin(job, now: start)
            let transition = JobLifecycle.end(
                running, RunOutcome(.failed, args: job.args), policy: JobPolicy(maxAttempt: 3), now: Self.end)
            nexts.append(transition.next)
            job = transition.job
        }
        #expect(nexts == [.wait, .wait, .keep])
        #expect(job.status == .failed)
    }

    @Test(
        "attempts beyond the maximum, as after a change of policy, end as failed",
        arguments: [(1, 1, false), (2, 1, false), (9, 10, true), (10, 10, false), (11, 10, false)]
            as [(Int32, Int, Bool)])
    func bounds(attempt: Int32, maxAttempt: Int, isRetried: Bool) {
        let transition = JobLifecycle.end(
            running(attempt: attempt, period: nil), RunOutcome(.failed, args: [:]),
            policy: JobPolicy(maxAttempt: maxAttempt), now: Self.end)
        #expect((transition.next == .wait) == isRetried)
        #expect((transition.job.status == .failed) == !isRetried)
        #expect((transition.feedback == nil) == isRetried)
    }

    @Test("no wait is longer than a hundred years")
    func longestWait() {
        let policy = JobPolicy(maxAttempt: Int(Int32.max), retryMultiplier: 3_155_760_000)
        let transition = JobLifecycle.end(
            running(attempt: .max - 1, period: nil), RunOutcome(.failed, args: [:]), policy: policy, now: Self.end)
        #expect(transition.next == .wait)
        #expect(transition.job.dueAt == Self.end.advanced(bySeconds: JobLimits.seconds))
        #expect(transition.job.makeAfter == JobLimits.seconds)
    }

    @Test("an error feedback has the errors there are, in place of members of those names")
    func errorFeedback() {
        let args: JobArguments = ["error": "the job's own", "n": 1]
        let rows: [(String?, String?, JobArguments)] = [
            (nil, nil, ["error": "the job's own", "n": 1]),
            ("\"oops\"", nil, ["n": 1, "error": "oops"]),
            ("{\"code\":1}", "\"worse\"", ["n": 1, "error": ["code": 1], "errback_error": "worse"]),
            (nil, "\"worse\"", ["error": "the job's own", "n": 1, "errback_error": "worse"]),
        ]
        for (error, errbackError, expected) in rows {
            let outcome = RunOutcome(
                .failedCancelled, args: args, error: error.map(bytes), errbackError: errbackError.map(bytes))
            let transition = JobLifecycle.end(
                running(attempt: 1, period: nil), outcome, policy: JobPolicy(), now: Self.end)
            #expect(transition.feedback == Feedback(.error, args: expected))
            #expect(transition.job.args == args)
        }
    }

    @Test("a job can be undefined any number of times without using up its attempts")
    func undefined() {
        var job = job(1)
        for _ in 1...20 {
            let running = JobLifecycle.begin(job, now: start)
            let transition = JobLifecycle.end(
                running, RunOutcome(.undefined, args: job.args), policy: JobPolicy(maxAttempt: 1), now: Self.end)
            #expect(transition.next == .park)
            job = transition.job
        }
        #expect(job.attempt == 0)
        #expect(job.runs == 0)
        #expect(job.status == .queued)
    }

    @Test("a cancellation from outside during a run leaves no next one, whatever the run came to")
    func cancelledMeanwhile() {
        typealias Cell = (RunOutcome.Kind, isPeriodic: Bool, JobStatus, Feedback.Kind)
        let cells: [Cell] = [
            (.succeeded, false, .complete, .success), (.succeeded, true, .cancelled, .success),
            (.cancelled, false, .cancelled, .success), (.cancelled, true, .cancelled, .success),
            (.raised, false, .cancelled, .error), (.raised, true, .cancelled, .error),
            (.failed, false, .cancelled, .error), (.failed, true, .cancelled, .error),
            (.failedCancelled, false, .cancelled, .error), (.failedCancelled, true, .cancelled, .error),
            (.undefined, false, .cancelled, .success), (.undefined, true, .cancelled, .success),
        ]
        for (kind, isPeriodic, status, feedback) in cells {
            for policy in Self.policies {
                let transition = JobLifecycle.end(
                    running(attempt: 2, period: isPeriodic ? 60 : nil), outcome(kind), policy: policy,
                    isCancelled: true, now: Self.end)
                #expect(transition.job.status == status, "\(kind)")
                #expect(transition.feedback?.kind == feedback, "\(kind)")
                let isRemoved = status == .complete ? policy.removeDoneJobs : policy.removeCancelledJobs
                #expect(transition.next == (isRemoved ? .remove : .keep), "\(kind)")
            }
        }
    }

    @Test("a job cancelled while it does not run ends with its args as they stand", arguments: policies)
    func cancel(policy: JobPolicy) {
        for status in [.new, .queued, .error] as [JobStatus] {
            for period in [nil, 60.0] {
                var job = job(1, period: period)
                job.status = status
                job.args = Self.before
                var expected = job
                expected.status = .cancelled
                expected.runs += 1
                let transition = JobLifecycle.cancel(job, policy: policy)
                #expect(transition.job == expected)
                #expect(transition.next == (policy.removeCancelledJobs ? .remove : .keep))
                #expect(transition.feedback == Feedback(.success, args: Self.before))
            }
        }
    }

    @Test("an errback's or a backoff function's own wait wins over every other")
    func retryIn() {
        for period in [nil, 60.0] {
            var outcome = outcome(.failed)
            outcome.retryIn = 0.25
            let transition = JobLifecycle.end(
                running(attempt: 2, period: period), outcome, policy: JobPolicy(maxAttempt: 3), now: Self.end)
            #expect(transition.next == .wait)
            #expect(transition.job.dueAt == Self.end.advanced(bySeconds: 0.25))
            #expect(transition.job.makeAfter == 0.25)
            let last = JobLifecycle.end(
                running(attempt: 3, period: period), outcome, policy: JobPolicy(maxAttempt: 3), now: Self.end)
            #expect(last.job.status == .failed)
        }
    }

    @Test("waits grow linearly or double, up to a cap, and chance only shortens them")
    func backoff() {
        func waits(_ policy: JobPolicy, chance: Double = 0) -> [Double] {
            (1...5).map { policy.retryDelay(afterAttempt: $0, chance: chance) }
        }
        #expect(waits(JobPolicy(retryMultiplier: 2)) == [2, 4, 6, 8, 10])
        #expect(waits(JobPolicy(retryMultiplier: 2, backoff: .exponential)) == [2, 4, 8, 16, 32])
        #expect(waits(JobPolicy(retryMultiplier: 2, backoff: .exponential, maxRetryDelay: 10)) == [2, 4, 8, 10, 10])
        #expect(waits(JobPolicy(retryMultiplier: 2, jitter: 0.5), chance: 0.5) == [1.5, 3, 4.5, 6, 7.5])
        #expect(waits(JobPolicy(retryMultiplier: 0, backoff: .exponential)) == [0, 0, 0, 0, 0])
        let longest = JobPolicy(retryMultiplier: 1e9, backoff: .exponential)
        #expect(longest.retryDelay(afterAttempt: .max, chance: 0).isFinite)
    }

    @Test("with jitter jobs that failed together do not come back together, and the same run decides the same twice")
    func jitter() {
        let policy = JobPolicy(retryMultiplier: 10, jitter: 0.5)
        func due(_ number: Int) -> Timestamp {
            let running = JobLifecycle.begin(
                Job(id: id(number), name: "resize", args: [:], createdAt: start), now: start)
            return JobLifecycle.end(running, RunOutcome(.failed, args: [:]), policy: policy, now: start).job.dueAt
        }
        let dues = (1...1000).map(due)
        #expect(dues == (1...1000).map(due))
        #expect(Set(dues).count > 990)
        #expect(dues.allSatisfy { $0 > start.advanced(bySeconds: 5) && $0 <= start.advanced(bySeconds: 10) })
        let early = dues.count { $0 < start.advanced(bySeconds: 7.5) }
        #expect((400...600).contains(early))
    }

    @Test("what the script says wins over the node, and what the producer says over both")
    func policyLayers() {
        let node = JobPolicy(maxAttempt: 10, retryMultiplier: 5, backoff: .linear, jitter: 0, timeout: 60)
        let script = ScriptPolicy(
            maxAttempt: 3, retryMultiplier: 1, backoff: .exponential, jitter: 0.2, maxRetryDelay: 30, timeout: 2)
        let plain = node.applying(script, job(1))
        #expect(
            plain
                == JobPolicy(
                    maxAttempt: 3, retryMultiplier: 1, backoff: .exponential, jitter: 0.2, maxRetryDelay: 30,
                    timeout: 2))
        let asked = Job(
            id: id(1), name: "resize", args: [:], options: JobOptions(maxAttempt: 1, retryMultiplier: 9),
            createdAt: start)
        let both = node.applying(script, asked)
        #expect(both.maxAttempt == 1)
        #expect(both.retryMultiplier == 9)
        #expect(both.backoff == .exponential)
        #expect(node.applying(nil, job(1)) == node)
        #expect(node.applying(ScriptPolicy(), job(1)) == node)
    }
}
