import JobReactorCore
import Logging
import Testing

@testable import JobReactorLua

@Suite("What the scripts of a folder define") struct ScriptReportTests {
    private static func report(_ files: [String: String]) async throws -> (report: ScriptReport, folder: String) {
        try await TemporaryFolder.with(files) { folder in
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let options = LuaLane.Options(scripts: ScriptFolder(JobDirectory(folder.path)), logger: logger)
            let lane = LuaLane(options) {}
            let generation = try LuaGeneration.load(options, host: LuaHost(lane, options))
            return withExtendedLifetime(lane) { (generation.report, folder.path) }
        }
    }

    @Test("schedules, limits and the policies of jobs, whatever files they stand in")
    func all() async throws {
        let (report, folder) = try await Self.report([
            "a.lua": """
            job('call_api', { limit = { 'crm', { key = 'account', concurrency = 2, rate = 100, per = 60 } }, priority = 7 },
                function(args) end)
            job('ping', print)
            """,
            "b.lua": """
            limit('crm', { concurrency = 10 })
            schedule('nightly', '30 2 * * *', { timezone = 'UTC', overlap = 'queue' }, 'call_api', { account = 5 })
            schedule('heartbeat', 'every 90s', 'ping')
            """,
        ])
        #expect(report.problems == [])
        #expect(report.definitions.map(\.policy.limits) == [["crm", "call_api"], []])
        #expect(report.definitions.map(\.policy.priority) == [7, nil])
        #expect(
            report.limits.map(\.limit) == [
                Limit(name: "call_api", concurrency: 2, rate: 100, per: 60, key: "account"),
                Limit(name: "crm", concurrency: 10),
            ])
        #expect(report.limits.map { "\($0.file):\($0.line)" } == ["\(folder)/a.lua:1", "\(folder)/b.lua:1"])
        #expect(report.schedules.map(\.schedule.name) == ["heartbeat", "nightly"])
        #expect(report.schedules.map(\.line) == [3, 2])
        let nightly = try Schedule(
            "nightly", "30 2 * * *", ["overlap": "queue"], job: "call_api", args: ["account": 5])
        #expect(report.schedules.last?.schedule == nightly)
    }

    @Test("what is said twice alike is said once, and of two that differ both places are told")
    func twice() async throws {
        let (report, folder) = try await Self.report([
            "a.lua": "schedule('x', '@daily', 'j') limit('l', { rate = 1 }) job('j', { limit = 'l' }, print)",
            "b.lua": "schedule('x', '@daily', 'j') limit('l', { rate = 1 })",
            "c.lua": "\nschedule('x', '@hourly', 'j')\nlimit('l', { rate = 2 })",
            "d.lua": "job('l', { limit = { rate = 3 } }, print)",
        ])
        #expect(report.schedules.count == 1 && report.limits.count == 1 && report.hasErrors)
        #expect(
            report.problems.map(\.message) == [
                "\(folder)/c.lua:2: the schedule 'x' is defined otherwise at \(folder)/a.lua:1, which counts",
                "\(folder)/c.lua:3: the limit 'l' is defined otherwise at \(folder)/a.lua:1, which counts",
                "\(folder)/d.lua:1: the limit 'l' is defined otherwise at \(folder)/a.lua:1, which counts",
            ])
    }

    @Test("what a job or a schedule asks for and nobody defines is told, and limits that nobody asks for")
    func missing() async throws {
        let (report, folder) = try await Self.report([
            "a.lua":
                "job('report', { limit = { 'crn', 'crm' } }, print)\nlimit('crm', { rate = 1 })\nlimit('idle', { rate = 1 })",
            "b.lua": "schedule('x', '@daily', 'reprot')\nschedule('y', '@daily', 'elsewhere')",
        ])
        #expect(report.definitions.map(\.policy.limits) == [["crm"]])
        #expect(
            report.problems.map(\.message) == [
                "\(folder)/a.lua:1: no script defines the limit 'crn' of job 'report' (did you mean 'crm'?)",
                "\(folder)/a.lua:3: no job has the limit 'idle'",
                "\(folder)/b.lua:1: no script defines the job 'reprot' of the schedule 'x' (did you mean 'report'?)",
                "\(folder)/b.lua:2: no script defines the job 'elsewhere' of the schedule 'y': it waits until a node with other"
                    + " scripts does",
            ])
        #expect(report.problems.map(\.isError) == [true, false, false, false])
        #expect(report.problems.map(\.failsCheck) == [true, false, true, false])
    }

    @Test("what is wrong has the place of the call, and leaves the file out")
    func wrong() async throws {
        let (report, folder) = try await Self.report([
            "a.lua": "job('a', print)\nschedule('x', '30 25 * * *', 'a')",
            "b.lua": "job('b', { limit = 5 }, print)",
            "c.lua": "local function define() limit('c', {}) end\n\ndefine()",
            "d.lua": "schedule('kept', '@daily', 'd') error('later')",
        ])
        #expect(report.definitions == [] && report.schedules == [] && report.limits == [])
        let reasons = report.broken.map { String($0.reason.dropFirst(folder.count + 1)) }
        #expect(reasons.count == 4)
        #expect(reasons[0].hasPrefix("a.lua:2: schedule: invalid schedule at byte 3: "))
        #expect(reasons[1].hasPrefix("b.lua:1: job: option 'limit' takes the name of a limit, "))
        #expect(reasons[2] == "c.lua:1: limit: the limit 'c' limits nothing: give it a concurrency or a rate")
        #expect(reasons[3] == "d.lua:1: later")
        #expect(!report.problems.contains { $0.message.contains("traceback") })
        #expect(report.problems.contains { $0.traceback?.hasPrefix("stack traceback:\n") == true })
    }
}
