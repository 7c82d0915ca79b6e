public import JobReactorCore
internal import Logging

/// The tests in the `*_test.lua` files of a folder, with its job scripts in one Lua state, as in a node.
///
/// From any thread. Call ``stop()`` at the end.
public final class ScriptTests: Sendable {
    /// One call of `test`.
    public struct Test: Hashable, Sendable {
        public let title: String
        /// Where it was called.
        public let file: String
        public let line: Int
        fileprivate let jobName: String
    }

    public struct Result: Hashable, Sendable {
        /// Nil for a passed test; otherwise `file:line: text`, often with several lines.
        public let failure: String?
        /// The output of the test itself, without that of its jobs.
        public let said: [String]
    }

    /// The report of job scripts and test files. A file that failed to load has no tests.
    public let report: ScriptReport
    /// By file, in the order of their lines.
    public let tests: [Test]
    /// The output of scripts while they were loaded.
    public let said: [String]
    private let lane: LuaLane
    private let bench: TestBench

    private init(report: ScriptReport, lane: LuaLane, bench: TestBench) {
        self.report = report
        self.lane = lane
        self.bench = bench
        said = bench.log.take(nil)
        var numbered: [(number: Int, test: Test)] = []
        for job in report.definitions where job.name.hasPrefix(Self.prefix) {
            guard let number = Int(job.name.dropFirst(Self.prefix.count)), let title = bench.title(number) else {
                continue
            }
            numbered.append((number, Test(title: title, file: job.file, line: job.line, jobName: job.name)))
        }
        tests = numbered.sorted { $0.number < $1.number }.map(\.test)
    }

    /// Of the jobs that tests are.
    private static let prefix = "test:"

    /// Loads the scripts. `policy` is the policy of the node. Throws if the folder cannot be read.
    public static func load(_ options: LuaLane.Options, policy: JobPolicy = JobPolicy()) async throws(ScriptError)
        -> ScriptTests
    {
        let bench = TestBench(policy: policy)
        var options = options
        var directory = options.scripts.directory
        directory.includesTests = true
        options.scripts = ScriptFolder(directory)
        options.threads = 1
        options.canEnqueue = true
        options.libraries.append(TestingLibrary(bench))
        options.logger = Logger(label: "jobreactor.test") { [log = bench.log] _ in log }
        let lane = LuaLane(options) { [weak bench] in bench?.collect() }
        bench.use(lane)
        let loaded = await withCheckedContinuation { continuation in
            lane.start { continuation.resume(returning: $0) }
        }
        let report: ScriptReport
        do throws(ScriptError) { report = try loaded.get() } catch {
            bench.use(nil as LuaLane?)
            throw error
        }
        bench.use(report)
        return ScriptTests(report: report, lane: lane, bench: bench)
    }

    /// Runs one test, alone.
    public func run(_ test: Test) async -> Result {
        let (outcome, said) = await withCheckedContinuation { continuation in
            let id = bench.run(test.jobName, JobArguments([]), timeout: TestBench.timeout) {
                [log = bench.log] outcome, _ in
                continuation.resume(returning: (Optional(outcome.outcome), log.take(outcome.job.id)))
            }
            if id == nil { continuation.resume(returning: (nil, [])) }
        }
        return Result(failure: Self.failure(of: test, outcome), said: said)
    }

    private static func failure(of test: Test, _ outcome: RunOutcome?) -> String? {
        let place = "\(test.file):\(test.line): "
        switch outcome?.kind {
        case .succeeded: return outcome?.args["failure"]?.string
        case .cancelled: return place + "the test cancelled itself: only a job inside run can be cancelled"
        default:
            let message = outcome?.message ?? "the tests have ended"
            return message.hasPrefix("\(test.file):") ? message : place + message
        }
    }

    public func stop() {
        lane.stop()
        bench.use(nil as LuaLane?)
    }
}
