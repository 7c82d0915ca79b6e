package import JobReactorCore

extension FieldType {
    /// Values of it: one as there may be any day, and those at the edges of what it takes.
    package var samples: [FieldValue] {
        switch self {
        case .id: [.text("019b0000000000010000000000000002"), .text(String(repeating: "f", count: 32))]
        case .name: ["worker_1", "größe/🦜", "NULL", String(repeating: "n", count: 255)].map { .text($0) }
        case .text:
            ["jobs.lua:12: no 'cat.png'\nline two", "", "NULL", "nul\u{0}byte", "cafe\u{301}", " "].map { .text($0) }
        case .key: ["größe 'x'", "k", "0", String(repeating: "k", count: 255)].map { .text($0) }
        case .choice(let words): words.reversed().map { .text($0) }
        case .whole(let range, _):
            [min(range.lowerBound + 2, range.upperBound), range.lowerBound, range.upperBound].map { .whole($0) }
        case .seconds: [0.25, 0, 1.0 / 3, .leastNonzeroMagnitude, JobLimits.seconds].map { .number($0) }
        case .secondsAboveZero: [0.25, 1.0 / 3, .leastNonzeroMagnitude, JobLimits.seconds].map { .number($0) }
        case .time:
            [1_767_225_600_250_000, 0, -1, 9_007_199_254_740_993, .max].map { .time(Timestamp(microseconds: $0)) }
        case .flag: [.flag(true)]
        case .object:
            [#"{"größe":0.1,"id":9007199254740993}"#, #" { "b" : 1.0 , "a" : [ ] } "#].map { .object(Array($0.utf8)) }
        case .trace:
            [.object(Array(#"{"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}"#.utf8))]
        }
    }
}

/// Records for each field of the table.
package enum FieldSample {
    /// A plain job but for that field, and the one that it is a part of; nil where it cannot be set, or is as without
    /// it.
    package static func job(_ number: Int, _ field: JobField, _ value: FieldValue) -> Job? {
        var job = Sample.plain(number)
        if let whole = field.part.flatMap(JobFieldTable.named), let sample = whole.type.samples.first {
            _ = whole.set(&job, sample)
        }
        let without = job
        return field.set(&job, value) && job != without ? job : nil
    }

    /// A record of a job that runs, with every field set that a storage keeps.
    package static let full: Job = {
        var job = Sample.plain(1)
        for field in JobFieldTable.stored where field.name != "status" {
            if let sample = field.type.samples.first { _ = field.set(&job, sample) }
        }
        job.status = .inProgress
        return job
    }()

    /// A record with every field that there was before the table of fields, for tests that have it as it was stored.
    package static let recorded: Job = {
        var options = JobOptions(
            period: 60, node: "a", notNode: "b", isDeferred: true, maxAttempt: 3, retryMultiplier: 0.25, priority: 9,
            unique: JobUnique("k", for: 2.5, onConflict: .again))
        options.trace = JobTrace(["traceparent": "00-1-2-01"])
        options.tick = JobTick(schedule: "s", at: Timestamp(microseconds: 1_767_225_540_000_000))
        var job = Job(
            id: JobID(high: 0x019B_0000_0000_0001, low: 2), name: "resize", args: ["path": "cat.png"], options: options,
            distributor: "app", createdAt: Timestamp(microseconds: 1_767_225_600_123_456))
        (job.status, job.attempt, job.runs) = (.inProgress, 2, 5)
        job.dueAt = Timestamp(microseconds: 1_767_225_601_000_000)
        job.runAt = Timestamp(microseconds: 1_767_225_602_000_001)
        job.failedAt = Timestamp(microseconds: 1_767_225_603_000_002)
        job.makeAfter = 0.5
        (job.lastError, job.lastTraceback) = ("no disk", "stack")
        job.again = ["n": 1]
        return job
    }()
}

extension JobOption {
    /// Options that say this one, and the one that it is a part of; nil for a value that it cannot have.
    package func options(_ value: FieldValue) -> JobOptions? {
        var options = JobOptions()
        if let whole = JobOptionTable.all.first(where: { $0.name == part }), let sample = whole.type.samples.first {
            _ = whole.set(&options, sample)
        }
        return set(&options, value) ? options : nil
    }
}
