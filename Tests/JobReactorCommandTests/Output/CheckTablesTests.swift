import JobReactorCore
import Testing

@testable import JobReactorCommand
@testable import JobReactorLua

@Suite("What check lists") struct CheckTablesTests {
    private static func report() throws -> ScriptReport {
        var report = ScriptReport()
        report.definitions = [
            ScriptReport.Definition(
                name: "call_api", file: "a.lua", line: 1, callbacks: 0, errbacks: 2,
                policy: ScriptPolicy(maxAttempt: 3, priority: 9, limits: ["crm", "call_api"])),
            ScriptReport.Definition(
                name: "report", file: "a.lua", line: 7, callbacks: 1, errbacks: 0, policy: ScriptPolicy()),
        ]
        report.schedules = [
            ScriptReport.ScheduleDefinition(
                schedule: try Schedule("nightly", "30 2 * * *", [:], job: "report", args: ["kind": "full"]),
                file: "a.lua", line: 9),
            ScriptReport.ScheduleDefinition(
                schedule: try Schedule("over", "@daily", ["ends": 1000], job: "report"), file: "b.lua", line: 1),
        ]
        report.limits = [
            ScriptReport.LimitDefinition(
                limit: Limit(name: "call_api", rate: 100, per: 60, key: "account"), file: "a.lua", line: 1),
            ScriptReport.LimitDefinition(limit: Limit(name: "crm", concurrency: 10), file: "a.lua", line: 3),
        ]
        return report
    }

    @Test("jobs with all that their policies say")
    func jobs() throws {
        #expect(
            CheckCommand.table(of: try Self.report().definitions).text == """
                JOB       DEFINED AT  CALLBACKS  ERRBACKS  POLICY
                call_api  a.lua:1             0         2  max_attempt 3, priority 9, limits crm call_api
                report    a.lua:7             1         0  the node's
                """)
    }

    @Test("schedules with the time at which they are due next, and limits")
    func schedulesAndLimits() throws {
        let report = try Self.report()
        // 2026-03-28T00:00:00Z
        let now = Timestamp(seconds: 1_774_656_000)
        #expect(
            CheckCommand.table(of: report.schedules, now).text == """
                SCHEDULE  DEFINED AT  WHEN        TIMEZONE  JOB     NEXT
                nightly   a.lua:9     30 2 * * *  UTC       report  2026-03-28T02:30:00+00:00
                over      b.lua:1     @daily      UTC       report  never again
                """)
        #expect(
            CheckCommand.table(of: report.limits).text == """
                LIMIT     DEFINED AT  CONCURRENCY  RATE         KEY      WHEN FULL
                call_api  a.lua:1                  100 in 60 s  account  wait
                crm       a.lua:3              10                        wait
                """)
    }

    @Test("the same as JSON")
    func json() throws {
        let json = try JSONValue(parsing: CheckCommand.json(of: try Self.report()).utf8)
        let job = json["jobs"]?[0]
        #expect(job?["policy"] == ["max_attempt": 3, "priority": 9, "limits": ["crm", "call_api"]])
        let (nightly, over) = (json["schedules"]?[0], json["schedules"]?[1])
        #expect(nightly?["name"] == "nightly" && nightly?["spec"] == "30 2 * * *" && nightly?["timezone"] == "UTC")
        #expect(nightly?["args"] == ["kind": "full"] && nightly?["line"] == 9 && nightly?["next"]?.double != nil)
        #expect(over?["next"] == .null && over?["file"] == "b.lua")
        #expect(json["limits"]?[0]?["rate"] == 100 && json["limits"]?[1]?["concurrency"] == 10)
        #expect(json["good"] == true)
    }
}
