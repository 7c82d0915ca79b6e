import JobReactor
import JobReactorLua
import JobReactorWire
import Testing

@Suite("The page of the record of a job") struct RecordTableTests {
    @Test("has every field of a record and no other, and says which of them scripts see") func fields() throws {
        var ids = JobID.Generator()
        var options = JobOptions(
            after: 1, period: 1, node: "n", notNode: "m", maxAttempt: 1, retryMultiplier: 1, priority: 9,
            unique: JobUnique("k", for: 1))
        options.tick = JobTick(schedule: "s", at: .now)
        var job = Job(id: ids.next(at: .now), name: "a", args: [:], options: options, createdAt: .now)
        job.again = [:]
        (job.runAt, job.failedAt, job.lastError, job.lastTraceback) = (.now, .now, "no", "stack")
        job.doing = "paused"
        job.trace = JobTrace(["traceparent": "00"])
        let shown = job.shownFields
        let names = Set(stride(from: 0, to: shown.count, by: 2).map { shown[$0] }).union([
            "on_node", "waits_for", "made_at", "run_time",
        ])
        guard case .object(let itself) = try JSONValue(parsing: job.itself(onNode: "n")) else {
            Issue.record("job_itself is no object")
            return
        }
        var told: Set<String> = []
        var toScripts: Set<String> = []
        for row in try DocumentationPage.named("JobRecord").rows where row[0].hasPrefix("`") {
            for field in row[0].split(separator: ",") {
                let name = String(field.split(separator: "`")[field.hasPrefix("`") ? 0 : 1])
                told.insert(name)
                if !field.contains("*") { toScripts.insert(name) }
            }
        }
        #expect(told == names)
        #expect(toScripts == Set(itself.keys))
    }
}
