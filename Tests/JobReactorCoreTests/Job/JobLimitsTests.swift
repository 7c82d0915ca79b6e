import JobReactorCore
import JobReactorTesting
import Testing

@Suite struct JobLimitsTests {
    /// Args of so many bytes of JSON.
    private static func args(_ count: Int) -> JobArguments {
        JobArguments(unchecked: Array("{\"a\":\"".utf8) + [UInt8](repeating: 120, count: count - 8) + Array("\"}".utf8))
    }

    private static let stored: JobArguments = ["stored": 1]

    private static func limited(_ outcome: RunOutcome, leftBytes: Int? = nil) -> RunOutcome {
        var outcome = outcome
        outcome.limit(leftBytes: leftBytes, stored: stored)
        return outcome
    }

    // MARK: Jobs

    @Test("args have at most 15 MiB, which leaves room in a message for what the system adds")
    func args() throws {
        try JobLimits.check("j", Self.args(JobLimits.argsBytes))
        #expect(throws: JobError(.invalidArguments, "args may have at most 15728640 bytes of JSON, not 15728641")) {
            try JobLimits.check("j", Self.args(JobLimits.argsBytes + 1))
        }
        // What a run may leave, job_itself with its last error (each byte of which may take six in JSON), both errors, and
        // names, options and the lengths of all of them.
        let added = 6 * JobLimits.argsTextBytes + 2 * JobLimits.errorBytes + 20 * JobLimits.nameBytes
        #expect(added <= JobLimits.addedBytes - 4096)
        #expect(JobLimits.argsBytes + 2 * JobLimits.addedBytes <= JobLimits.messageBytes)
    }

    @Test("each of name, args and options is checked")
    func all() {
        #expect(throws: JobError(.invalidName, "the job's name must not be empty")) { try JobLimits.check("", [:]) }
        #expect(throws: JobError(.invalidOption, "after takes seconds from 0 to 3155760000, not -1.0")) {
            try JobLimits.check("j", [:], JobOptions(after: -1))
        }
    }

    @Test(
        "a time to wait for is one that a clock can measure",
        arguments: [
            (nil, true), (0, true), (3_155_760_000, true), (-1, false), (1e30, false), (.nan, false),
            (.infinity, false),
        ]
            as [(Double?, Bool)])
    func timeout(_ timeout: Double?, isGood: Bool) {
        #expect(((try? JobLimits.check(timeout: timeout)) != nil) == isGood)
    }

    @Test("records may have grown by what the system adds, and no more")
    func records() throws {
        func job(_ count: Int) -> Job {
            Job(id: JobID(high: 0, low: 1), name: "j", args: Self.args(count), createdAt: .now)
        }
        let most = JobLimits.argsBytes + JobLimits.addedBytes
        try JobLimits.check(stored: job(most))
        #expect(throws: JobError(.invalidArguments, "args may have at most \(most) bytes of JSON, not \(most + 1)")) {
            try JobLimits.check(stored: job(most + 1))
        }
    }

    // MARK: Texts

    @Test("texts are cut between characters, and say how long they were")
    func texts() {
        #expect("short".cut(toBytes: 100) == "short")
        let text = String(repeating: "é🦜", count: 1000)
        for limit in 100...120 {
            let cut = text.cut(toBytes: limit)
            #expect(cut.utf8.count <= limit)
            #expect(cut.utf8.count > limit - 6)
            #expect(cut.hasSuffix("… (cut: the text has 6000 bytes, the limit is \(limit))"))
            #expect(!cut.contains("\u{FFFD}"))
        }
    }

    // MARK: Outcomes

    @Test("what has room is left as it is")
    func unchanged() {
        for kind in [RunOutcome.Kind.succeeded, .cancelled, .failed, .failedCancelled, .raised, .undefined] {
            let outcome = RunOutcome(
                kind, args: Self.args(JobLimits.argsBytes), error: [34, 34], message: "m", traceback: "t")
            #expect(Self.limited(outcome) == outcome)
        }
    }

    @Test("args that are too large are the failure of the job, with the args from before the run")
    func largeArgs() {
        let problem = "the args after the run have 15728641 bytes of JSON: at most 15728640 are allowed"
        let json = Array("\"\(problem)\"".utf8)
        let large = Self.args(JobLimits.argsBytes + 1)
        #expect(
            Self.limited(RunOutcome(.succeeded, args: large))
                == RunOutcome(.raised, args: Self.stored, error: json, message: problem))
        #expect(
            Self.limited(RunOutcome(.succeeded, args: Self.stored), leftBytes: large.bytes.count)
                == RunOutcome(.raised, args: Self.stored, error: json, message: problem))
        #expect(
            Self.limited(RunOutcome(.cancelled, args: large))
                == RunOutcome(.failedCancelled, args: Self.stored, error: json, message: problem))
        #expect(
            Self.limited(RunOutcome(.failed, args: large, error: [49], message: "m"))
                == RunOutcome(.failed, args: Self.stored, error: [49], errbackError: json, message: "m"))
        #expect(
            Self.limited(RunOutcome(.failedCancelled, args: large, error: [49], message: "m"))
                == RunOutcome(.failedCancelled, args: Self.stored, error: [49], errbackError: json, message: "m"))
    }

    @Test("a run may leave as much as it was given")
    func asMuchAsBefore() {
        let stored = Self.args(JobLimits.argsBytes + 17)
        var outcome = RunOutcome(.succeeded, args: stored)
        outcome.limit(stored: stored)
        #expect(outcome == RunOutcome(.succeeded, args: stored))
    }

    @Test("errors and tracebacks that are too large are cut, and say so")
    func largeErrors() {
        let text = String(repeating: "e", count: 1 << 20)
        let outcome = Self.limited(
            RunOutcome(
                .failed, args: [:], error: Array("\"\(text)\"".utf8), errbackError: Array("\"\(text)\"".utf8),
                message: text,
                traceback: text))
        let cut = text.cut(toBytes: JobLimits.errorTextBytes)
        #expect(outcome.message == cut)
        #expect(outcome.traceback == cut)
        let error = outcome.error.flatMap { try? JSONValue(parsing: $0) }?.string
        #expect(cut.hasSuffix("… (cut: the text has 1048576 bytes, the limit is 65536)"))
        let told = text.cut(toBytes: JobLimits.argsTextBytes)
        #expect(error == "error has 1048578 bytes of JSON: at most 131072 are reported: \(told)")
        let errbackError = outcome.errbackError.flatMap { try? JSONValue(parsing: $0) }?.string
        #expect(errbackError == "errback_error has 1048578 bytes of JSON: at most 131072 are reported")
    }

    @Test("whatever a run comes to, its report has room in a message, and its args in the next run")
    func random() {
        var random = SeededGenerator(seed: 4)
        let sizes = [0, 1, 100, JobLimits.errorTextBytes, JobLimits.errorBytes, JobLimits.argsBytes - 8, 17 << 20]
        func bytes() -> [UInt8]? {
            let count = (sizes.randomElement(using: &random) ?? 0) + Int.random(in: 0...2, using: &random)
            return Bool.random(using: &random) ? Self.args(count + 8).bytes : nil
        }
        let kinds: [RunOutcome.Kind] = [.succeeded, .cancelled, .raised, .failed, .failedCancelled, .undefined]
        for _ in 0..<25 {
            let stored = Self.args(Int.random(in: 0...1, using: &random) == 0 ? 100 : JobLimits.argsBytes + 17)
            var outcome = RunOutcome(
                kinds.randomElement(using: &random) ?? .failed,
                args: bytes().map { JobArguments(unchecked: $0) } ?? [:],
                error: bytes(), errbackError: bytes(), message: bytes().map { String(decoding: $0, as: UTF8.self) },
                traceback: bytes().map { String(decoding: $0, as: UTF8.self) })
            outcome.limit(stored: stored)
            var job = JobLifecycle.begin(
                Job(
                    id: JobID(high: 0, low: 1), name: "j", args: stored, options: JobOptions(maxAttempt: 1),
                    createdAt: .now), now: .now)
            if outcome.kind == .raised { job.status = .error }
            let ended = JobLifecycle.end(job, outcome, policy: JobPolicy(maxAttempt: 1), now: .now)
            #expect(throws: Never.self) { try JobLimits.check(stored: ended.job) }
            #expect((ended.job.lastError ?? "").utf8.count <= JobLimits.errorTextBytes)
            #expect((ended.job.lastTraceback ?? "").utf8.count <= JobLimits.errorTextBytes)
            guard let feedback = ended.feedback else { continue }
            #expect(feedback.args.bytes.count <= JobLimits.messageBytes - 6 * JobLimits.errorTextBytes - 4096)
        }
    }

    @Test("a report that an earlier version has stored and no message can hold is told as that")
    func largeReport() {
        let report = JobReport(
            id: JobID(high: 0, low: 1), name: "j", feedback: Feedback(.success, args: Self.args(17 << 20)),
            status: .complete, run: 3)
        let limited = report.limited
        #expect(limited.feedback.kind == .error)
        #expect(limited.status == .complete)
        #expect(
            limited.feedback.args["error"]?.string
                == "the args of this outcome have 17825792 bytes of JSON, too many for a message")
        let good = JobReport(
            id: report.id, name: "j", feedback: Feedback(.success, args: [:]), status: .complete, run: 3)
        #expect(good.limited == good)
    }
}
