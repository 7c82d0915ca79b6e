internal import JobReactorCore

/// Jobs for the checks of a storage; equal numbers make equal jobs.
enum Sample {
    static let createdAt = Timestamp(microseconds: 1_767_225_600_123_456)

    /// Ids in the order of their numbers.
    static func id(_ number: Int) -> JobID {
        JobID(high: 0x019B_0000_0000_0000 + UInt64(number), low: UInt64(number) &* 0x9E37_79B9_7F4A_7C15)
    }

    static func job(
        _ number: Int, name: String = "resize", args: JobArguments = ["path": "cat.png"],
        options: JobOptions = JobOptions(), distributor: String = "app"
    ) -> Job {
        Job(
            id: id(number), name: name, args: args, options: options, distributor: distributor, createdAt: createdAt)
    }

    /// A job as most are.
    static func plain(_ number: Int) -> Job { plain(id(number)) }

    static func plain(_ id: JobID) -> Job {
        Job(id: id, name: "resize", args: ["path": "cat.png"], distributor: "app", createdAt: createdAt)
    }

    static func report(_ number: Int, run: Int) -> StoredReport {
        let report = JobReport(
            id: id(number), name: "resize", feedback: Feedback(.success, args: ["result": "done"]), status: .complete,
            run: Int32(run))
        return StoredReport(report, distributor: "app@host:5000", madeAt: createdAt.advanced(bySeconds: Double(run)))
    }

    /// A job with every field set, none to its default.
    static func full(_ number: Int) -> Job {
        var options = JobOptions(
            after: 12.345678, period: 0.1, node: "worker_1", notNode: "worker_2", isDeferred: true, maxAttempt: 3,
            retryMultiplier: 1.0 / 3, priority: 9, unique: JobUnique("größe 'x'", for: 2.0 / 3, onConflict: .again))
        options.tick = JobTick(schedule: "нощь/🦜", at: createdAt.advanced(bySeconds: -60.000001))
        var job = job(
            number, name: "уменьшить/écran🦜", args: ["größe": 0.1, "id": 9_007_199_254_740_993], options: options,
            distributor: "app@host:5000")
        job.status = .inProgress
        job.attempt = 2
        job.runs = 70_000
        job.runAt = createdAt.advanced(bySeconds: 1.000001)
        job.failedAt = createdAt.advanced(bySeconds: 2.000002)
        job.makeAfter = 2.0 / 3
        job.lastError = "reactor_jobs/resize.lua:12: no such file 'cat.png'\nline two"
        job.again = ["größe": 0.2, "id": 9_007_199_254_740_994]
        job.lastTraceback = "stack traceback:\n\t[C]: in function 'error'\n\t…"
        job.trace = JobTrace(
            ["traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "baggage": "größe=\"1\""],
            lastRun: ["traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-b7ad6b7169203331-01"])
        return job
    }

    /// Numbers as large as they can be.
    static func extreme(_ number: Int) -> Job {
        var job = job(
            number,
            options: JobOptions(
                period: 3_155_760_000, node: String(repeating: "n", count: 255),
                notNode: String(repeating: "ж", count: 127), maxAttempt: Int(Int32.max),
                retryMultiplier: .leastNonzeroMagnitude, priority: 9,
                unique: JobUnique(String(repeating: "k", count: 255), for: 3_155_760_000, onConflict: .raise)))
        job.unique?.acceptedAt = Timestamp(microseconds: .max)
        job.attempt = .max
        job.runs = .max
        job.dueAt = Timestamp(microseconds: .max)
        job.runAt = Timestamp(microseconds: .min)
        job.failedAt = Timestamp(microseconds: 9_007_199_254_740_993)
        job.makeAfter = 9_223_372_036_854.775
        job.lastError = String(repeating: "no\n", count: 20_000)
        return job
    }

    /// Empty and zero where another storage might think "none".
    static func zero(_ number: Int) -> Job {
        var job = job(
            number, args: JobArguments(), options: JobOptions(period: 0, retryMultiplier: 0, priority: 0),
            distributor: "")
        job.again = JobArguments()
        job.dueAt = Timestamp(microseconds: 0)
        job.runAt = Timestamp(microseconds: 0)
        job.failedAt = Timestamp(microseconds: -1)
        job.makeAfter = 0
        job.lastError = ""
        job.lastTraceback = ""
        return job
    }

    /// Args of which a page has room for one.
    static let large = JobArguments(
        unchecked: Array(#"{"large":"\#(String(repeating: "0123456789abcdef", count: 9 << 16))"}"#.utf8))

    /// JSON that comes back changed from a storage that decodes it.
    static let arguments = [
        #"{}"#,
        #" { "spaces" : [ 1 , 2 ] } "#,
        "{\n\t\"tabs\":\r\n1}",
        #"{"min":-9223372036854775808,"max":9223372036854775807,"odd":9007199254740993}"#,
        #"{"float":1.0,"zero":-0.0,"exponent":1E+2,"tiny":1e-300,"beyond":18446744073709551616}"#,
        #"{"b":1,"a":2,"b":3}"#,
        #"{"":"","null":null,"empty":[[],{}]}"#,
        #"{"escapes":"\u0000\u001f\/\"\\\b\ud83e\udd9c"}"#,
        "{\"caf\u{E9}\":\"composed\",\"cafe\u{301}\":\"decomposed\",\"😀\":\"日本語\"}",
        "{\"delete\":\"\u{7F}\",\"quote\":\"it's; DROP TABLE jobs --\"}",
        "{\"long\":\"" + String(repeating: "0123456789abcdef", count: 65_536) + "\"}",
    ]

    /// Texts that come back changed from a storage that quotes, trims, cuts or normalises.
    static let texts = [
        "x", "NULL", "nil", "0", "1e3", "it's", "\"quoted\"", "back\\slash", "a,b;c|d", "100%", "$1", "?", ":name",
        "caf\u{E9}", "cafe\u{301}", "\u{1F99C}", "\u{FEFF}mark", "\u{10FFFF}", "nul\u{0}byte", "line\r\nbreak",
        " spaces around ", "\ttab", String(repeating: "long", count: 60),
    ]
}
