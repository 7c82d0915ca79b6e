import JobReactorCore
import Testing

@Suite struct JobTests {
    @Test("a job without options is new and due at once")
    func plain() {
        let job = Job(id: id(1), name: "resize", args: ["width": 200], distributor: "app", createdAt: start)
        #expect(job.id == id(1))
        #expect(job.name == "resize")
        #expect(job.args == ["width": 200])
        #expect(job.distributor == "app")
        #expect(job.status == .new)
        #expect(job.attempt == 0)
        #expect(job.runs == 0)
        #expect(job.dueAt == start)
        #expect(!job.isDeferred)
        #expect(job.runAt == nil)
        #expect(job.period == nil)
        #expect(job.node == nil)
        #expect(job.notNode == nil)
        #expect(job.maxAttempt == nil)
        #expect(job.retryMultiplier == nil)
        #expect(job.makeAfter == nil)
        #expect(job.failedAt == nil)
        #expect(job.lastError == nil)
        #expect(job.lastTraceback == nil)
    }

    @Test("options are kept")
    func options() {
        let options = JobOptions(
            period: 60, node: "a", notNode: "b", isDeferred: true, maxAttempt: 3, retryMultiplier: 0.5)
        let job = Job(id: id(1), name: "resize", args: [:], options: options, createdAt: start)
        #expect(job.period == 60)
        #expect(job.node == "a")
        #expect(job.notNode == "b")
        #expect(job.isDeferred)
        #expect(job.maxAttempt == 3)
        #expect(job.retryMultiplier == 0.5)
        #expect(job.dueAt == start)
        #expect(job.makeAfter == nil)
    }

    @Test(
        "the first run is after so many seconds, or at a time, or now",
        arguments: [
            (nil, nil, 0, nil),
            (5, nil, 5_000_000, 5), (0, nil, 0, 0), (0.1, nil, 100_000, 0.1), (-1, nil, 0, 0),
            (nil, 7_000_000, 7_000_000, 7), (nil, 100_000, 100_000, 0.1), (nil, 0, 0, 0), (nil, -9, 0, 0),
            (nil, -1_767_225_600_250_000, 0, 0),
            // run_at wins.
            (5, 3_000_000, 3_000_000, 3), (5, -1, 0, 0),
        ] as [(Double?, Int64?, Int64, Double?)])
    func firstRun(after: Double?, runAt: Int64?, due: Int64, makeAfter: Double?) {
        let runAt = runAt.map { Timestamp(microseconds: start.microseconds + $0) }
        let job = Job(
            id: id(1), name: "resize", args: [:], options: JobOptions(after: after, runAt: runAt), createdAt: start)
        #expect(job.dueAt.microseconds - start.microseconds == due)
        #expect(job.makeAfter == makeAfter)
    }

    @Test("a date that had not come is one, which is no part of the record")
    func dated() {
        let date = start.advanced(bySeconds: 5)
        let dated = Job(id: id(1), name: "a", args: [:], options: JobOptions(runAt: date), createdAt: start)
        let waiting = Job(id: id(1), name: "a", args: [:], options: JobOptions(after: 5), createdAt: start)
        let past = Job(id: id(1), name: "a", args: [:], options: JobOptions(runAt: date), createdAt: date)
        #expect(dated.isDated && !waiting.isDated && !past.isDated)
        #expect(dated == waiting && dated.hashValue == waiting.hashValue)
    }

    @Test("a time at the ends of what fits is no overflow")
    func ends() {
        for runAt in [Int64.min, .max] {
            let options = JobOptions(runAt: Timestamp(microseconds: runAt))
            for now in [Int64.min, 0, .max] {
                let job = Job(
                    id: id(1), name: "resize", args: [:], options: options, createdAt: Timestamp(microseconds: now))
                #expect(job.dueAt.microseconds == max(runAt, now))
            }
        }
    }

    @Test("a changed copy leaves the original as it was, and equality sees every field")
    func copies() {
        let original = job(1)
        let changes: [(inout Job) -> Void] = [
            { $0.args = ["a": 1] }, { $0.status = .queued }, { $0.attempt = 1 }, { $0.runs = 1 },
            { $0.isDeferred = true },
            { $0.dueAt = Timestamp(microseconds: 1) }, { $0.runAt = start }, { $0.distributor = "other" },
            { $0.period = 1 }, { $0.makeAfter = 1 }, { $0.failedAt = start }, { $0.lastError = "" },
            { $0.lastTraceback = "" },
        ]
        var seen: Set<Job> = [original]
        for (index, change) in changes.enumerated() {
            var copy = original
            change(&copy)
            #expect(copy != original, "change \(index)")
            #expect(original == job(1), "change \(index)")
            seen.insert(copy)
        }
        #expect(seen.count == changes.count + 1)
        for other in [
            job(2), job(1, "other"), job(1, node: "a"), job(1, notNode: "a"),
            Job(id: id(1), name: "resize", args: [:], options: JobOptions(maxAttempt: 1), createdAt: start),
            Job(id: id(1), name: "resize", args: [:], options: JobOptions(retryMultiplier: 1), createdAt: start),
        ] {
            #expect(other != original)
        }
    }

    @Test("a rare field set and taken away again leaves an equal job")
    func unset() {
        var job = job(1)
        job.lastError = "oops"
        job.lastError = nil
        #expect(job == JobReactorCoreTests.job(1))
        #expect(job.hashValue == JobReactorCoreTests.job(1).hashValue)
    }
}

@Suite struct JobStatusTests {
    @Test("statuses are written as the gem writes them; three of them are ends")
    func statuses() {
        let expected: [(JobStatus, String, Bool)] = [
            (.new, "new", false), (.queued, "queued", false), (.inProgress, "in progress", false),
            (.complete, "complete", true), (.error, "error", false), (.failed, "failed", true),
            (.cancelled, "cancelled", true),
        ]
        #expect(JobStatus.allCases == expected.map { $0.0 })
        for (status, text, isFinished) in expected {
            #expect(status.rawValue == text)
            #expect(JobStatus(rawValue: text) == status)
            #expect(status.isFinished == isFinished)
        }
    }
}

@Suite struct JobPolicyTests {
    @Test("the defaults are the gem's")
    func defaults() {
        let policy = JobPolicy()
        #expect(policy.maxAttempt == 10)
        #expect(policy.retryMultiplier == 5)
        #expect(policy.removeDoneJobs)
        #expect(policy.removeCancelledJobs)
        #expect(!policy.removeFailedJobs)
    }

    @Test(
        "the producer's word counts before the script's, and the script's before the node's",
        arguments: [
            (nil, nil, 10), (nil, 4, 4), (3, nil, 3), (3, 4, 3),
        ] as [(Int?, Int?, Int)])
    func applying(producer: Int?, script: Int?, expected: Int) {
        let options = JobOptions(maxAttempt: producer, retryMultiplier: producer.map(Double.init))
        let job = Job(id: id(1), name: "resize", args: [:], options: options, createdAt: start)
        let node = JobPolicy(
            maxAttempt: 10, retryMultiplier: 10, removeDoneJobs: false, removeCancelledJobs: false,
            removeFailedJobs: true)
        let says = script.map { ScriptPolicy(maxAttempt: $0, retryMultiplier: Double($0)) }
        let policy = node.applying(says, job)
        #expect(policy.maxAttempt == expected)
        #expect(policy.retryMultiplier == Double(expected))
        #expect(!policy.removeDoneJobs)
        #expect(!policy.removeCancelledJobs)
        #expect(policy.removeFailedJobs)
    }

    @Test("the two are settled each for itself")
    func parts() {
        let options = JobOptions(maxAttempt: 2)
        let job = Job(id: id(1), name: "resize", args: [:], options: options, createdAt: start)
        let policy = JobPolicy().applying(ScriptPolicy(retryMultiplier: 0.5), job)
        #expect(policy.maxAttempt == 2)
        #expect(policy.retryMultiplier == 0.5)
    }
}
