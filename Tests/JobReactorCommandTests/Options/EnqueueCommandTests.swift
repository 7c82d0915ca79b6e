import JobReactorCore
import JobReactorWire
import Testing

@testable import JobReactorCommand

@Suite struct EnqueueCommandTests {
    @Test("a job with a key is enqueued by a command that has all its options")
    func command() {
        let id = JobID(high: 1, low: 2)
        let options = JobOptions(
            after: 1.5, runAt: Timestamp(seconds: 7), period: 60, node: "a", notNode: "b", isDeferred: true,
            maxAttempt: 3, retryMultiplier: 0.5, priority: 9, unique: JobUnique("k", for: 60, onConflict: .again),
            id: id)
        #expect(
            EnqueueCommand.command("resize", ["n": 1], options) == [
                "ENQUEUE", "resize", #"{"n":1}"#, "AFTER", "1.5", "RUN_AT", "7.0", "PERIOD", "60.0", "NODE", "a",
                "NOT_NODE", "b", "DEFER", "MAX_ATTEMPT", "3", "RETRY_MULTIPLIER", "0.5", "PRIORITY", "9", "UNIQUE", "k",
                "UNIQUE_FOR", "60.0", "ON_CONFLICT", "again", "ID", id.description,
            ])
        let ofArgs = EnqueueCommand.command("resize", ["b": 1, "a": 2], JobOptions(unique: JobUnique()))
        #expect(
            ofArgs == [
                "ENQUEUE", "resize", #"{"b":1,"a":2}"#, "UNIQUE", #"{"a":2,"b":1}"#, "ON_CONFLICT", "keep",
            ])
    }

    @Test("who has the key is said")
    func conflict() throws {
        let address = try #require(Address("localhost:5000"))
        let failure = CommandFailure.refusal("UNIQUE \(JobID(high: 1, low: 2))", by: address)
        #expect(failure.message == "the job 00000000000000010000000000000002 holds that key: nothing was enqueued")
    }
}
