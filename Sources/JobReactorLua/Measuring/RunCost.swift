internal import CLuaShim
package import JobReactorCore
package import Logging

/// The cost of runs of a job on one thread: the whole run with its args decoded and encoded, and a bare call of the
/// same function with an existing table. For benchmarks.
package struct RunCost: Sendable {
    /// Seconds for each run, round by round.
    package private(set) var runs: [Double] = []
    /// The same for bare calls.
    package private(set) var bareCalls: [Double] = []

    /// Measures on the calling thread, in turns: `rounds` times `count` of each, after a warm-up round. Throws if the
    /// folder cannot be loaded or the job fails.
    package init(
        of name: String, _ args: JobArguments, in folder: String, count: Int, rounds: Int, logger: Logger
    ) throws(ScriptError) {
        let options = LuaLane.Options(scripts: ScriptFolder(JobDirectory(folder)), logger: logger)
        let lane = LuaLane(options) {}
        let generation = try LuaGeneration.load(options, host: LuaHost(lane, options))
        var ids = JobID.Generator()
        let now = Timestamp.now
        let jobs = (0..<count).map { _ in Job(id: ids.next(at: now), name: name, args: args, createdAt: now) }
        for round in -1..<rounds {
            let run = try Self.timeRuns(of: jobs, in: generation, numbersAfter: UInt64((round + 1) * count))
            guard let bare = generation.timeBareCalls(of: name, args, count: count) else {
                throw ScriptError("the job '\(name)' cannot be called")
            }
            guard round >= 0 else { continue }
            runs.append(run / Double(count))
            bareCalls.append(bare / Double(count))
        }
        withExtendedLifetime(lane) {}
    }

    private static func timeRuns(
        of jobs: [Job], in generation: LuaGeneration, numbersAfter last: UInt64
    ) throws(ScriptError) -> Double {
        var number = last
        let start = ContinuousClock.now
        for job in jobs {
            number += 1
            guard case .ended(let outcome, _) = generation.run(LuaLane.Run(job: job, number: number)),
                outcome.outcome.kind == .succeeded
            else { throw ScriptError("the job '\(job.name)' has not succeeded") }
        }
        return (ContinuousClock.now - start) / .seconds(1)
    }
}

extension LuaGeneration {
    /// Seconds for all calls; nil when the job is not there, or raises.
    fileprivate func timeBareCalls(of name: String, _ args: JobArguments, count: Int) -> Double? {
        let nanoseconds = args.bytes.withUnsafeBytes { args in
            args.withMemoryRebound(to: CChar.self) { args in
                args.baseAddress.map { jr_time_bare_calls(state, name, $0, args.count, UInt64(count)) } ?? -1
            }
        }
        return nanoseconds < 0 ? nil : Double(nanoseconds) / 1e9
    }
}
