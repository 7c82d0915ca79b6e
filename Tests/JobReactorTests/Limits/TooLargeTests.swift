import Foundation
import JobReactor
import JobReactorNode
import JobReactorTesting
import JobReactorWire
import NIOCore
import Testing

/// No content of one job costs a link, a process or another job.
@Suite("Limits: no job stops another") struct TooLargeTests {
    private static let lua = """
        local function text(args) return string.rep('x', args.size) end
        job('ok', function(args) args.done = true end)
        job('leaves', { max_attempt = 1 }, function(args) args.text = text(args) end)
        job_errback('leaves', function(args) args.cleaned = true end)
        job('leaves_twice', { max_attempt = 2, retry_multiplier = 0 }, function(args) args.text = text(args) end)
        job('cancels', function(args) args.text = text(args) cancel_job() end)
        job('raises', { max_attempt = 1 }, function(args) error(text(args)) end)
        job('raises_table', { max_attempt = 1 }, function(args) error({ text = text(args) }) end)
        job('adds', { max_attempt = 1 }, function(args) error('no disk') end)
        job_errback('adds', function(args) args.text = text(args) end)
        job('errback_raises', { max_attempt = 1 }, function(args) error('no disk') end)
        job_errback('errback_raises', function(args) error(text(args)) end)
        job('caf\u{E9}', function(args) args.done = true end)
        job('fails', { max_attempt = 1 }, function(args) error('no disk') end)
        job('speaks', function(args) progress(0.5, text(args)) sleep(0.01) end)
        job('gives', { max_attempt = 1 }, function(args) enqueue('ok', { text = text(args) }) end)
        job('gives_late', { max_attempt = 1 }, function(args) enqueue('ok', {}, { run_at = args.time }) end)
        job('performs', { max_attempt = 1 }, function(args) perform('ok', { text = text(args) }) end)
        job('performs_late', { max_attempt = 1 }, function(args) perform('ok', {}, { run_at = args.time }) end)
        job('gives_well', function(args) args.id = enqueue('ok', { a = 1 }) end)
        """

    private static let large: JobArguments = ["size": JSONValue(17 << 20)]
    private static let limit = JobLimits.argsBytes

    /// Args of so many bytes of JSON.
    private static func args(_ count: Int) -> JobArguments {
        let around = "{\"text\":\"\"}".utf8.count
        return ["text": .string(String(repeating: "x", count: count - around))]
    }

    /// After `body` an ordinary job runs, over the connection that was there at the start.
    private static func withOneLink(
        _ configure: @Sendable (inout NodeConfiguration) -> Void = { _ in },
        _ body: @Sendable (Distributor) async throws -> Void
    ) async throws {
        let log = LogRecorder()
        try await Cluster.run(scripts: ["jobs.lua": Self.lua], logger: log.logger) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor]) {
                $0.logJobProcessing = false
                configure(&$0)
            }
            try await waitForNodes(["n1"], at: distributor)
            try await body(distributor)
            let outcome = try await distributor.outcome("ok")
            #expect(outcome.isSuccess && outcome.args["done"] == true)
            let well = try await distributor.outcome("gives_well")
            #expect(well.isSuccess, "\(well.args.shortened)")
            let lost = log.lines.elements.filter {
                $0.text.contains("disconnected") || $0.text.contains("link to a distributor lost")
            }
            #expect(lost.isEmpty, "\(lost)")
        }
    }

    private static let leaves = "the args after the run have"

    @Test("a result that is too large is the failure of its job, and its errbacks run")
    func result() async throws {
        try await Self.withOneLink { distributor in
            let outcome = try await distributor.outcome("leaves", Self.large)
            #expect(!outcome.isSuccess && outcome.status == .failed)
            let error = try #require(outcome.args["error"]?.string)
            #expect(error.hasPrefix(Self.leaves) && error.hasSuffix(": at most \(Self.limit) are allowed"), "\(error)")
            #expect(outcome.args["cleaned"] == true && outcome.args["size"] == 17_825_792)
            #expect(outcome.args["text"] == nil)

            let again = try await distributor.outcome("leaves_twice", Self.large)
            #expect(!again.isSuccess && again.args["error"]?.string?.hasPrefix(Self.leaves) == true)
            let cancelled = try await distributor.outcome("cancels", Self.large)
            #expect(!cancelled.isSuccess && cancelled.status == .cancelled)
            #expect(cancelled.args["error"]?.string?.hasPrefix(Self.leaves) == true)
        }
    }

    @Test("an error that is too large is cut, and additions of errbacks that are too large are dropped")
    func errors() async throws {
        try await Self.withOneLink { distributor in
            for name in ["raises", "raises_table"] {
                let outcome = try await distributor.outcome(name, Self.large)
                let error = try #require(outcome.args["error"]?.string)
                #expect(error.contains("bytes of JSON: at most \(JobLimits.errorBytes) are reported"))
                #expect(error.utf8.count < 2 * JobLimits.errorTextBytes)
            }
            let adds = try await distributor.outcome("adds", Self.large)
            #expect(adds.args["error"]?.string?.hasSuffix("no disk") == true)
            #expect(adds.args["errback_error"]?.string?.hasPrefix(Self.leaves) == true)
            #expect(adds.args["text"] == nil && adds.args["size"] == 17_825_792)
            let raises = try await distributor.outcome("errback_raises", Self.large)
            let error = raises.args["errback_error"]?.string
            #expect(error?.contains("bytes of JSON: at most \(JobLimits.errorBytes) are reported") == true)
        }
    }

    @Test("args of the largest size run, fail and come back, with all that is added to them")
    func largest() async throws {
        try await Self.withOneLink({ $0.mergeJobItselfToArgs = true }) { distributor in
            let args = Self.args(Self.limit)
            #expect(args.bytes.count == Self.limit)
            let failed = try await distributor.outcome("fails", args)
            #expect(failed.args["error"]?.string?.hasSuffix("no disk") == true)
            #expect(failed.args["text"] == args["text"] && failed.args["job_itself"] != nil)
            let ok = try await distributor.outcome("ok", Self.args(Self.limit - 20))
            #expect(ok.isSuccess)
        }
    }

    @Test("a text of progress that is too large is cut")
    func progress() async throws {
        try await Self.withOneLink { distributor in
            let outcomes = Outcomes()
            try distributor.enqueue("speaks", Self.large, JobOptions(), feedback: outcomes.feedback)
            _ = try await outcomes.wait(for: 1)
            try await outcomes.progress.wait(for: 1)
            let text = try #require(outcomes.progress.elements.first?.text)
            #expect(text.utf8.count <= JobLimits.progressBytes)
            #expect(text.hasSuffix("… (cut: the text has 17825792 bytes, the limit is 4096)"))
        }
    }

    @Test("what scripts give beyond a limit is their error, and later jobs are given as ever")
    func scripts() async throws {
        // So that each run is also asked where it is.
        try await Self.withOneLink({ ($0.sliceWarning, $0.sliceLimit) = (0.001, 0) }) { distributor in
            for name in ["gives", "performs"] {
                let outcome = try await distributor.outcome(name, Self.large)
                let error = try #require(outcome.args["error"]?.string, "\(name): \(outcome.args.shortened)")
                #expect(!outcome.isSuccess)
                #expect(error.hasSuffix("args may have at most \(Self.limit) bytes of JSON, not 17825803"), "\(error)")
            }
            for name in ["gives_late", "performs_late"] {
                for (time, hint) in [(1e18, "not an infinite time"), (1_791_000_000_000, "looks like milliseconds")] {
                    let outcome = try await distributor.outcome(name, ["time": .number(time)])
                    let error = try #require(outcome.args["error"]?.string)
                    #expect(error.contains("run_at takes seconds since 1970") && error.contains(hint), "\(error)")
                }
            }
        }
    }

    @Test("Swift and Redis clients are refused with the same words but for names, and nothing is enqueued")
    func entrances() async throws {
        try await Self.withOneLink { distributor in
            let port = try #require(distributor.port)
            let client = try await JobClient.connect(port: port)
            let redis = try await RESPClient.connect(to: Address(host: "localhost", port: port))
            let tooLarge = Self.args(Self.limit + 1)
            let error = JobError(
                .invalidArguments, "args may have at most \(Self.limit) bytes of JSON, not \(Self.limit + 1)")
            #expect(throws: error) { try distributor.enqueue("ok", tooLarge) }
            #expect(throws: error) { try client.enqueue("ok", tooLarge) }
            #expect(throws: error) {
                try client.enqueue(contentsOf: [JobSubmission("ok", [:]), JobSubmission("ok", tooLarge)])
            }
            await #expect(throws: error) { try await distributor.perform("ok", tooLarge) }
            #expect(try await redis.send(["ENQUEUE", "ok", tooLarge.description]) == .error("ERR \(error.message)"))

            let late = JobOptions(runAt: Timestamp(seconds: 1_791_000_000_000))
            let words =
                "takes seconds since 1970, at most a hundred years from now, not 1791000000000:"
                + " that looks like milliseconds, so divide it by 1000"
            let refusal = JobError(.invalidOption, "runAt \(words)")
            #expect(throws: refusal) { try distributor.enqueue("ok", [:], late) }
            #expect(throws: refusal) { try client.enqueue("ok", [:], late) }
            let answer = try await redis.send(["ENQUEUE", "ok", "{}", "RUN_AT", "1791000000000"])
            #expect(answer == .error("ERR run_at \(words)"))
            await #expect(throws: JobError.self) { try await distributor.perform("ok", timeout: .nan) }
            await #expect(throws: JobError.self) { try await client.perform("ok", timeout: 1e30) }

            #expect(try await client.perform("ok", timeout: 60).args["done"] == true)
            #expect(try await redis.send(["PERFORM", "ok", "{}"]) == .bulk(Array("{\"done\":true}".utf8)))
            await redis.close()
            await client.stop()
        }
    }

    @Test("a wait of a hundred years is sent on, whatever the clocks do meanwhile")
    func longestWait() async throws {
        try await Self.withOneLink { distributor in
            let times = [JobLimits.seconds, JobLimits.seconds - 1]
            for options in times.map({ JobOptions(after: $0) })
                + [JobOptions(runAt: Timestamp.now.advanced(bySeconds: JobLimits.seconds))]
            {
                let id = try distributor.enqueue("ok", [:], options)
                try await eventually("the job to wait at the node") {
                    try await distributor.job(id)?.status == .queued
                }
            }
        }
    }

    @Test("a name that only looks like that of a script is the failure of its job")
    func alike() async throws {
        try await Self.withOneLink { distributor in
            let same = try await distributor.outcome("caf\u{E9}")
            #expect(same.isSuccess)
            let other = try await distributor.outcome("cafe\u{301}", [:], JobOptions(maxAttempt: 1))
            #expect(!other.isSuccess && other.status == .failed)
            #expect(other.args["error"]?.string?.contains("has different bytes") == true)
        }
    }

    // MARK: Links

    @Test("a node answers a job that it cannot take for that job, and takes those behind it", arguments: [false, true])
    func nodeRefuses(isAgain: Bool) async throws {
        try await Cluster.run(scripts: ["jobs.lua": Self.lua]) { cluster in
            let distributor = try await ScriptedDistributor.start()
            try await cluster.startNode("n1", for: []) { $0.distributors = [distributor.address] }
            try await distributor.welcome()
            let jobs = [JobOptions(), JobOptions(after: 1e18), JobOptions(period: 0), JobOptions()].enumerated()
            try await distributor.say { buffer in
                for (number, options) in jobs {
                    let id = JobID(high: 0, low: UInt64(number))
                    LinkMessage.writeJob(
                        HandOver(number + 1, id), JobRequest(name: "ok", args: [:], options: options), isAgain: isAgain,
                        to: &buffer)
                }
            }
            try await distributor.hear("RESULT", times: 2)
            try await distributor.hear("REFUSED", times: 2)
            let heard = distributor.heard.elements.joined()
            #expect(heard.contains("after takes seconds from 0 to 3155760000, not 1e+18"))
            #expect(heard.contains("period takes seconds above 0 up to 3155760000, not 0.0"))
            #expect(heard.components(separatedBy: "{\"done\":true}").count == 3)
            #expect(!heard.contains("-ERR"))
            try await distributor.stop()
        }
    }

    @Test("a distributor answers a producer's job that it cannot take for that job")
    func distributorRefuses() async throws {
        try await Self.withOneLink { distributor in
            let address = Address(host: "localhost", port: try #require(distributor.port))
            let producer = try await RESPClient.connect(to: address)
            guard case .array = try await producer.send(["PRODUCER", "3", "p1"]) else {
                Issue.record("not welcome")
                return
            }
            let id = JobID(high: 0, low: 1).description
            let answer = try await producer.send(["JOB", "1", id, "ok", "{}", "AFTER", "1e18"])
            let words = ["REFUSED", "1", id, "after takes seconds from 0 to 3155760000, not 1e+18"]
            #expect(answer == .array(words.map { .bulk(Array($0.utf8)) }))
            // The acceptance of this job, or of the one before.
            guard
                case .array(let next) = try await producer.send([
                    "JOB", "2", JobID(high: 0, low: 2).description, "ok", "{}",
                ])
            else {
                Issue.record("the link is gone")
                return
            }
            #expect(next.first != .bulk(Array("RESULT".utf8)) || next.contains(.bulk(Array("SUCCESS".utf8))))
            await producer.close()
        }
    }
}
