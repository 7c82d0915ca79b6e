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
                    attempt: Int32(clamping: arguments[2].int ?? 1), done)
            },
        ]
    }
}
