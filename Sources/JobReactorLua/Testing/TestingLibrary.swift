internal import JobReactorCore

/// What test scripts find beside what job scripts do. Opened after all other libraries, whose functions it replaces.
struct TestingLibrary: ScriptLibrary {
    private let bench: TestBench

    init(_ bench: TestBench) { self.bench = bench }

    let name = "testing"
    var source: String { String(decoding: PackageResources.testing_lua, as: UTF8.self) }

    var functions: [ScriptFunction] {
        [
            .immediate("add_test") { [bench] _, arguments in
                [.integer(Int64(bench.addTest(titled: arguments.first?.text ?? "")))]
            },
            .suspending("run_job") { [bench] _, arguments, done throws(ScriptFailure) in
                try bench.runJob(
                    named: arguments[0].text ?? "", args: arguments[1].bytes ?? [],
                    attempt: Int32(clamping: arguments[2].int ?? 1), tick: Self.tick(arguments), done)
            },
            .immediate("ticks") { [bench] _, arguments throws(ScriptFailure) in
                [
                    .json(
                        try bench.ticks(
                            of: arguments[0].text ?? "", after: Timestamp(seconds: arguments[1].double ?? 0),
                            notAfter: Timestamp(seconds: arguments[2].double ?? 0)))
                ]
            },
        ]
    }

    /// Which tick a run is of.
    private static func tick(_ arguments: [ScriptValue]) -> JobTick? {
        guard arguments.count > 4, let schedule = arguments[3].text, let at = arguments[4].double else { return nil }
        return JobTick(schedule: schedule, at: Timestamp(seconds: at))
    }
}
