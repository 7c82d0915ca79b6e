import ArgumentParser
import Foundation
import JobReactorCore
import Testing

@testable import JobReactorCommand

@Suite("What distributors tell of schedules and limits") struct ScheduleRowsTests {
    private static let row = ScheduleRow(fields: [
        "name": "nightly", "spec": "30 2 * * *", "job": "report", "args": #"{"kind":"full"}"#, "overlap": "queue",
        "next": "1774661400", "last": "1774575000", "last_outcome": "complete", "missed": "2", "skipped": "0",
        "late": "0", "place": "the scripts of n1", "paused_by": "", "paused_at": "",
    ])

    @Test("a schedule is a line, with its times in its zone")
    func table() {
        #expect(
            ScheduleRow.table(of: [Self.row]).text == """
                SCHEDULE  WHEN        JOB     NEXT                       LAST                       STATE     MISSED  SKIPPED  DEFINED BY
                nightly   30 2 * * *  report  2026-03-28T01:30:00+00:00  2026-03-27T01:30:00+00:00  complete       2        0  the scripts of n1
                """)
        var fields = Self.row.fields
        fields["paused_by"] = "ann"
        #expect(ScheduleRow.table(of: [ScheduleRow(fields: fields)]).text.contains("  paused by ann  "))
        fields["paused_by"] = nil
        fields["late"] = "1"
        #expect(ScheduleRow.table(of: [ScheduleRow(fields: fields)]).text.contains("  late  "))
    }

    @Test("as JSON times and counts are numbers, and args are what they are")
    func json() throws {
        let json = Self.row.json
        #expect(json["next"] == 1_774_661_400 && json["missed"] == 2 && json["late"] == false)
        #expect(json["args"]?["kind"] == "full" && json["paused_at"] == .null && json["spec"] == "30 2 * * *")
        let lines = Self.row.lines
        #expect(lines.map(\.name) == Self.row.fields.keys.sorted())
        #expect(lines.first { $0.name == "next" }?.value == "2026-03-28T01:30:00+00:00 (1774661400)")
    }

    @Test("a limit is a line")
    func limits() throws {
        let rows = [
            ["name": "crm", "concurrency": "10", "when_full": "wait", "in_use": "3", "waiting": "0"],
            [
                "name": "call_api", "rate": "100", "per": "60", "key": "account", "when_full": "discard", "in_use": "0",
                "waiting": "12345", "next_free": "1774661400", "keys": "7",
            ],
        ]
        let clock = LocalTime(zone: try #require(TimeZone(secondsFromGMT: 0)), now: Timestamp(seconds: 1_774_661_000))
        #expect(
            LimitsCommand.table(of: rows, clock).text == """
                LIMIT     CONCURRENCY  RATE         KEY      IN USE  WAITING  NEXT FREE        WHEN FULL
                crm                10                             3        0                   wait
                call_api               100 in 60 s  account       0    12345  01:30:00 +00:00  discard
                """)
        let json = LimitsCommand.json(of: rows[1])
        #expect(json["rate"] == 100 && json["waiting"] == 12_345 && json["name"] == "call_api" && json["keys"] == 7)
    }

    @Test("what becomes of ticks is what the flags say")
    func ticks() throws {
        let options = try TickOptions.parse([
            "--overlap", "queue", "--catch-up", "all", "--window", "60", "--jitter", "1.5", "--late-after", "5",
            "--heartbeat", "https://example.org",
        ])
        #expect(
            try options.options() == [
                "overlap": "queue", "catch_up": "all", "window": 60.0, "jitter": 1.5, "late_after": 5.0,
                "heartbeat": "https://example.org",
            ])
        #expect(try TickOptions.parse([]).options() == [:])
        for (words, message) in [
            (["--overlap", "stop"], "--overlap takes one of skip, queue, allow, cancel, not 'stop'"),
            (["--catch-up", "some"], "--catch-up takes one of last, all, none, not 'some'"),
            (["--window", "-1"], "--window takes seconds from 0 to 3155760000, fractions allowed, not '-1'"),
        ] {
            let wrong = try TickOptions.parse(words)
            #expect(failure { _ = try wrong.options() }?.message == message)
        }
    }
}
