import JobReactorCore
import JobReactorTesting
import Testing

@testable import JobReactorLua

/// What scripts and their editors see of the fields and options of a job.
@Suite("Fields and options of jobs in Lua") struct JobTablesTests {
    @Test("job_itself has the fields that scripts see, as it always has") func itself() throws {
        let itself = try JSONValue(parsing: FieldSample.recorded.itself(onNode: "n1"))
        let expected: JSONValue = [
            "id": "019b0000000000010000000000000002", "name": "resize", "attempt": 2, "status": "in progress",
            "defer": true, "node": "n1", "distributor": "app", "on_success": "019b0000000000010000000000000002",
            "on_error": "019b0000000000010000000000000002", "run_at": 1_767_225_602.000_001, "period": 60.0,
            "make_after": 0.5, "failed_at": 1_767_225_603.000_002, "last_error": "no disk",
        ]
        #expect(itself == expected)
        let seen = JobFieldTable.all.filter { $0.places.contains(.scripts) }.map(\.name)
        #expect(Set(itself.object?.keys.map { $0 } ?? []) == Set(seen))
        let plain = Job(id: JobID(high: 0, low: 1), name: "a", args: [:], createdAt: Timestamp(microseconds: 0))
        let few = try JSONValue(parsing: plain.itself(onNode: "n1")).object
        #expect(few?.count == 9 && few?["defer"] == false)
    }

    @Test("a long error is cut in it") func longError() throws {
        var job = FieldSample.recorded
        job.lastError = String(repeating: "x", count: 2 * JobLimits.argsTextBytes)
        let error = try JSONValue(parsing: job.itself(onNode: "n1"))["last_error"]?.string
        #expect(error == job.lastError?.cut(toBytes: JobLimits.argsTextBytes))
    }

    @Test("the definitions for editors have every option of enqueue, and no other") func definitions() throws {
        let lines = ScriptDefinitions.source.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let start = try #require(lines.firstIndex(of: "---@class enqueue.options"))
        let fields = Array(lines[(start + 1)...].prefix { !$0.isEmpty })
        let options = JobOptionTable.ofScripts.map(\.definition)
        #expect(fields == options, "change jobreactor.lua, and make the LuaReference anew")
    }
}
