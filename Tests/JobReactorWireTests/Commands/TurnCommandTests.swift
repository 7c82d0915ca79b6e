import JobReactorCore
import Testing

@testable import JobReactorWire

@Suite("Commands about when jobs run") struct TurnCommandTests {
    private static func schedule(_ options: [String: JSONValue] = [:], args: JobArguments = [:]) throws -> Schedule {
        try Schedule("nightly", "30 2 * * *", options, job: "report", args: args)
    }

    private static func command(_ words: [String]) throws -> ClientCommand {
        try withCommand(words) { try ClientCommand($0) }
    }

    @Test("are read in any letter case")
    func read() throws {
        for (words, command) in [
            (["PAUSE", "JOB", "resize"], .pause(.job("resize"))), (["pause", "node", "N1"], .pause(.node("N1"))),
            (["RESUME", "JOB", "resize"], .resume(.job("resize"))), (["PAUSES"], .pauses), (["SCHEDULES"], .schedules),
            (["LIMITS"], .limits), (["SCHEDULE", "DEL", "x"], .schedule(.delete("x"))),
            (["SCHEDULE", "pause", "x"], .schedule(.pause("x"))),
            (["SCHEDULE", "RESUME", "x"], .schedule(.resume("x"))),
            (["schedule", "run", "x"], .schedule(.run("x"))), (["SCHEDULE", "GET", "x"], .schedule(.get("x"))),
            (
                ["SCHEDULE", "SET", "nightly", "30 2 * * *", "report"],
                .schedule(.set(try Self.schedule()))
            ),
            (
                [
                    "schedule", "set", "nightly", "30 2 * * *", "report", #"{"kind":"full"}"#, "timezone", "UTC",
                    "OVERLAP", "QUEUE", "Window", "60", "DST_GAP", "skip", "HEARTBEAT", "https://example.org/X",
                ],
                .schedule(
                    .set(
                        try Self.schedule(
                            [
                                "overlap": "queue", "window": 60, "dst_gap": "skip",
                                "heartbeat": "https://example.org/X",
                            ],
                            args: ["kind": "full"])))
            ),
        ] as [([String], ClientCommand)] {
            #expect(try Self.command(words) == command, "\(words)")
        }
    }

    @Test("what is wrong is told")
    func wrong() {
        for (words, message) in [
            (["PAUSE"], "PAUSE takes JOB name or NODE name"),
            (["PAUSE", "ALL", "x"], "PAUSE takes JOB name or NODE name, not 'ALL'"),
            (["RESUME", "JOB", "a b"], "the name of the job must not contain spaces or control characters"),
            (["SCHEDULE"], "SCHEDULE takes SET name spec job [args-json] [option value …], or DEL, PAUSE, RESUME,"),
            (
                ["SCHEDULE", "STOP", "x"],
                "SCHEDULE takes SET name spec job [args-json] [option value …], or DEL, PAUSE"
            ),
            (["SCHEDULE", "DEL", "a b"], "the schedule's name must not contain spaces or control characters"),
            (["SCHEDULE", "SET", "x", "@daily"], "SCHEDULE SET takes name spec job [args-json] [option value …]"),
            (["SCHEDULE", "SET", "x", "30 25 * * *", "j"], "invalid schedule at byte 3: "),
            (["SCHEDULE", "SET", "x", "@daily", "j", "{oops"], "args must be one JSON object: "),
            (["SCHEDULE", "SET", "x", "@daily", "j", "WINDOW"], "WINDOW needs a value"),
            (["SCHEDULE", "SET", "x", "@daily", "j", "WINDOW", "1h"], "WINDOW takes seconds, not '1h'"),
            (["SCHEDULE", "SET", "x", "@daily", "j", "COLOUR", "red"], "unknown option 'colour'"),
            (["SCHEDULES", "now"], "wrong number of arguments for 'schedules' command"),
        ] {
            let error = #expect(throws: CommandError.self) { try Self.command(words) }
            #expect(error?.line.hasPrefix("ERR " + message) == true, "\(words): \(error?.line ?? "")")
        }
    }

    @Test("an order about a schedule is read back from its words")
    func words() throws {
        let schedule = try Self.schedule(
            [
                "timezone": "UTC", "overlap": "cancel", "catch_up": "all", "jitter": 1.5, "late_after": 5,
                "heartbeat": "https://example.org/X", "starts": 1000, "dst_repeat": "both",
            ], args: ["kind": "full"])
        for order in [
            .set(schedule), .set(try Self.schedule()), .delete("x"), .pause("x"), .resume("x"), .run("x"), .get("x"),
        ] as [ScheduleOrder] {
            #expect(try Self.command(order.words) == .schedule(order))
            #expect(!order.name.isEmpty)
        }
    }
}
