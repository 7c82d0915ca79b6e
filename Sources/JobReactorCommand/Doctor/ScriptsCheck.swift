private import JobReactorLua
internal import Logging

/// Whether the job scripts load, as `jobreactor check` tells it.
enum ScriptsCheck {
    static func findings(
        _ folder: String, memoryLimit: Int?, sandbox: SandboxMode, logger: Logger
    ) async -> [Finding] {
        let subject = "--jobs \(folder)"
        do {
            let runner = try await ScriptRunner.load(
                folder, memoryLimit: memoryLimit, sandbox: sandbox, logger: logger)
            runner.stop()
            let report = runner.report
            let problems = report.problems.map { problem in
                problem.failsCheck ? Finding.error(subject, problem.message) : .warning(subject, problem.message)
            }
            if report.definitions.isEmpty {
                let advice = "jobreactor new NAME writes a first one"
                return problems + [.warning(subject, "no job is defined", advice)]
            }
            let count = report.definitions.count
            return problems + [.good(subject, count == 1 ? "1 job is defined" : "\(count) jobs are defined")]
        } catch {
            return [.error(subject, CommandFailure(error).message ?? "\(error)")]
        }
    }
}
