import JobReactorCore
import Testing

@Suite struct JobOptionsTests {
    @Test(
        "options within their ranges are allowed",
        arguments: [
            JobOptions(), JobOptions(after: 0), JobOptions(after: 0.001), JobOptions(after: 3_155_760_000),
            JobOptions(period: 1e-9), JobOptions(retryMultiplier: 0),
            JobOptions(retryMultiplier: 3_155_760_000), JobOptions(maxAttempt: 1),
            JobOptions(maxAttempt: Int(Int32.max)), JobOptions(runAt: Timestamp(microseconds: .min)),
            JobOptions(node: "a", notNode: "a"), JobOptions(node: "worker-1@host:5000/é🦜"),
            JobOptions(node: String(repeating: "n", count: 255)), JobOptions(id: JobID(high: 0, low: 0)),
        ])
    func valid(_ options: JobOptions) throws {
        try options.validate()
    }

    @Test(
        "options beyond their ranges are refused in words that name the option",
        arguments: [
            (JobOptions(after: -0.001), "after takes seconds from 0 to 3155760000, not -0.001"),
            (JobOptions(after: .nan), "after takes seconds from 0 to 3155760000, not nan"),
            (JobOptions(after: .infinity), "after takes seconds from 0 to 3155760000, not inf"),
            (JobOptions(period: 0), "period takes seconds above 0 up to 3155760000, not 0.0"),
            (JobOptions(period: -1), "period takes seconds above 0 up to 3155760000, not -1.0"),
            (JobOptions(period: 3_155_760_001), "period takes seconds above 0 up to 3155760000, not 3155760001.0"),
            (JobOptions(period: .nan), "period takes seconds above 0 up to 3155760000, not nan"),
            (
                JobOptions(runAt: Timestamp(seconds: 1_791_000_000_000)),
                "runAt takes seconds since 1970, at most a hundred years from now, not 1791000000000:"
                    + " that looks like milliseconds, so divide it by 1000"
            ),
            (
                JobOptions(runAt: Timestamp(seconds: 9_000_000_000_000)),
                "runAt takes seconds since 1970, at most a hundred years from now, not 9000000000000"
            ),
            (
                JobOptions(runAt: Timestamp(seconds: 1e18)),
                "runAt takes seconds since 1970, at most a hundred years from now, not a time beyond all"
            ),
            (
                JobOptions(runAt: Timestamp(seconds: .nan)),
                "runAt takes seconds since 1970, at most a hundred years from now, not a time beyond all"
            ),
            (JobOptions(retryMultiplier: -5), "retryMultiplier takes seconds from 0 to 3155760000, not -5.0"),
            (JobOptions(maxAttempt: 0), "maxAttempt takes a whole number from 1 to 2147483647, not 0"),
            (JobOptions(maxAttempt: -3), "maxAttempt takes a whole number from 1 to 2147483647, not -3"),
            (
                JobOptions(maxAttempt: Int(Int32.max) + 1),
                "maxAttempt takes a whole number from 1 to 2147483647, not 2147483648"
            ),
            (JobOptions(node: ""), "node must not be empty"),
            (JobOptions(notNode: ""), "notNode must not be empty"),
            (JobOptions(node: "a b"), "node must not contain spaces or control characters"),
            (JobOptions(notNode: "a\n"), "notNode must not contain spaces or control characters"),
            (JobOptions(node: String(repeating: "é", count: 128)), "node must not be longer than 255 bytes"),
        ])
    func invalid(_ options: JobOptions, message: String) {
        #expect(throws: JobError(.invalidOption, message)) { try options.validate() }
    }

    @Test(
        "names have 1 to 255 bytes without spaces and control characters",
        arguments: [
            ("resize", nil), ("a", nil), ("images/resize.v2", nil), ("größe", nil), ("🦜", nil), ("-", nil), ("*", nil),
            (String(repeating: "x", count: 255), nil),
            ("", "must not be empty"),
            (String(repeating: "x", count: 256), "must not be longer than 255 bytes"),
            (" ", "must not contain spaces or control characters"),
            ("a b", "must not contain spaces or control characters"),
            ("a\tb", "must not contain spaces or control characters"),
            ("a\r\n", "must not contain spaces or control characters"),
            ("a\u{0}", "must not contain spaces or control characters"),
            ("a\u{1F}", "must not contain spaces or control characters"),
            ("a\u{7F}", "must not contain spaces or control characters"),
        ] as [(String, String?)])
    func names(_ name: String, problem: String?) {
        #expect(Name.problem(in: name) == problem)
    }
}
