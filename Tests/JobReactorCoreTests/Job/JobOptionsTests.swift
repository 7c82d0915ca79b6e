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
                "runAt takes seconds since 1970, at most a hundred years from now, not an infinite time"
            ),
            (
                JobOptions(runAt: Timestamp(seconds: .nan)),
                "runAt takes seconds since 1970, at most a hundred years from now, not an infinite time"
            ),
            (JobOptions(retryMultiplier: -5), "retryMultiplier takes seconds from 0 to 3155760000, not -5.0"),
            (JobOptions(maxAttempt: 0), "maxAttempt takes a whole number from 1 to 2147483647, not 0"),
            (JobOptions(maxAttempt: -3), "maxAttempt takes a whole number from 1 to 2147483647, not -3"),
            (
                JobOptions(maxAttempt: Int(Int32.max) + 1),
                "maxAttempt takes a whole number from 1 to 2147483647, not 2147483648"
            ),
            (JobOptions(priority: 10), "priority takes a whole number from 0 (last) to 9 (first), not 10"),
            (JobOptions(priority: -1), "priority takes a whole number from 0 (last) to 9 (first), not -1"),
            (
                JobOptions(unique: JobUnique("")),
                "unique takes a key of 1 to 255 bytes without control characters, not ''"
            ),
            (
                JobOptions(unique: JobUnique("a\n")),
                "unique takes a key of 1 to 255 bytes without control characters, not 'a\n'"
            ),
            (
                JobOptions(unique: JobUnique("k", for: -1)),
                "uniqueFor takes seconds from 0 to 3155760000, not -1.0"
            ),
            (
                JobOptions(unique: JobUnique(for: .nan)), "uniqueFor takes seconds from 0 to 3155760000, not nan"
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
        "a priority and a key are read as Lua and JSON write them",
        arguments: [
            (["priority": 0], JobOptions(priority: 0)),
            (["unique": "k"], JobOptions(unique: JobUnique("k"))),
            (["unique": true, "unique_for": 5], JobOptions(unique: JobUnique(for: 5))),
            (["unique": "k", "on_conflict": "again"], JobOptions(unique: JobUnique("k", onConflict: .again))),
            (["unique": false], JobOptions()),
        ] as [([String: JSONValue], JobOptions)])
    func members(_ members: [String: JSONValue], options: JobOptions) throws {
        #expect(try JobOptions(members) == options)
    }

    @Test(
        "what is wrong with them is said",
        arguments: [
            (["priority": "high"], "priority takes a whole number from 0 (last) to 9 (first), not \"high\""),
            (["unique": 5], "unique takes a key, or true for a key derived from the args, not 5"),
            (["unique_for": 5], "unique_for needs unique, a key or true"),
            (["on_conflict": "keep", "unique": false], "on_conflict needs unique, a key or true"),
            (["unique": "k", "on_conflict": "drop"], "on_conflict takes keep, replace, again or raise, not \"drop\""),
        ] as [([String: JSONValue], String)])
    func wrongMembers(_ members: [String: JSONValue], message: String) {
        #expect(throws: JobError(.invalidOption, message)) { try JobOptions(members) }
    }

    @Test("a key of the args is the same whatever the order of their members")
    func keyOfArgs() throws {
        let options = JobOptions(unique: JobUnique())
        let one = Job(
            id: id(1), name: "a", args: try JobArguments(json: #"{"a":1,"b":2}"#), options: options, createdAt: start)
        let other = Job(
            id: id(2), name: "a", args: try JobArguments(json: #"{"b":2, "a":1}"#), options: options, createdAt: start)
        #expect(one.unique?.key != nil)
        #expect(one.unique == other.unique)
        #expect(one.unique?.acceptedAt == start)
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
