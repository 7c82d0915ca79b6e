import JobReactorCore
import Testing

@testable import JobReactorLua

@Suite("What scripts declare beside jobs") struct ScriptDeclarationTests {
    private static func read(_ word: String, _ json: String) throws(JobError) -> ScriptDeclaration {
        let bytes = Array(json.utf8)
        do { return try bytes.withUnsafeBytes { try ScriptDeclaration(word, $0) } } catch let error as JobError {
            throw error
        } catch { throw JobError(.invalidArguments, "\(error)") }
    }

    private static func daily(args: JobArguments = [:]) throws -> Schedule {
        Schedule(name: "x", spec: try ScheduleSpec(parsing: "@daily"), job: "report", args: args)
    }

    @Test("a schedule has options or none, and args or none")
    func schedules() throws {
        for json in [
            #"["x","@daily","report"]"#, #"["x","@daily","report",{}]"#, #"["x","@daily",null,"report"]"#,
            #"["x","@daily",{},"report",[]]"#, #"["x","@daily",{"timezone":"UTC"},"report",{}]"#,
        ] {
            #expect(try Self.read("schedule", json) == .schedule(Self.daily()), "\(json)")
        }
        let withArgs = ScriptDeclaration.schedule(try Self.daily(args: ["kind": "full"]))
        #expect(try Self.read("schedule", #"["x","@daily","report",{"kind":"full"}]"#) == withArgs)
        #expect(try Self.read("schedule", #"["x","@daily",{},"report",{"kind":"full"}]"#) == withArgs)
    }

    @Test("a job has limits by their names, and one of its own")
    func limits() throws {
        let own = Limit(name: "j", concurrency: 2)
        for (json, names, limit) in [
            (#"["j","crm"]"#, ["crm"], nil), (#"["j",{"concurrency":2}]"#, [], own),
            (#"["j",["crm",{"concurrency":2},"api","crm"]]"#, ["crm", "api"], own), (#"["j",[]]"#, [], nil),
        ] as [(String, [String], Limit?)] {
            #expect(try Self.read("job", json) == .jobLimits(names: names, own: limit), "\(json)")
        }
    }

    @Test("what is kept is read as it was")
    func kept() throws {
        for (word, json) in [
            ("schedule", #"["x","*/5 8-17 * * MON-FRI",{"timezone":"UTC","overlap":"allow"},"report",{"b":1,"a":[]}]"#),
            ("limit", #"["crm",{"rate":100,"per":60,"key":"account"}]"#),
            ("job", #"["j",["crm",{"concurrency":2,"when_full":"discard"}]]"#), ("job", #"["j","crm"]"#),
        ] {
            let declaration = try Self.read(word, json)
            #expect(ScriptDeclaration(word, kept: Array(declaration.json.utf8)) == declaration, "\(json)")
        }
        #expect(ScriptDeclaration("schedule", kept: Array("{}".utf8)) == nil)
        #expect(ScriptDeclaration("limit", kept: Array("nonsense".utf8)) == nil)
    }

    @Test(
        "what is wrong is told to who writes the script",
        arguments: [
            (
                "schedule", "[]",
                "write schedule(name, spec, options, job, args); options and args are optional"
            ),
            (
                "schedule", #"["x","@daily"]"#,
                "write schedule(name, spec, options, job, args); options and args are optional"
            ),
            ("schedule", #"["x","@daily",{}]"#, "write the name of the job, and its args, after the options"),
            (
                "schedule", #"["x","@daily","report",{},{}]"#,
                "write the name of the job, and its args, after the options"
            ),
            ("schedule", #"[5,"@daily","report"]"#, "the name of the schedule must be a string, got 5"),
            ("schedule", #"["x",5,"report"]"#, "the spec must be a string, got 5"),
            ("schedule", #"["x","@daily",{},7]"#, "the name of the job must be a string, got 7"),
            ("schedule", #"["x","@daily",7,"report"]"#, "the options must be a table with names as keys, got 7"),
            ("schedule", #"["x","@daily","report",[3]]"#, "the args must be a table with names as keys, got [3]"),
            ("schedule", #"["x y","@daily","report"]"#, "the schedule's name must not contain spaces"),
            ("schedule", #"["x","30 25 * * *","report"]"#, "invalid schedule at byte 3: "),
            ("schedule", #"["x","0 0 31 2 *","report"]"#, "invalid schedule at byte 4: it is never due"),
            ("schedule", #"["x","@daily",{"timezone":"Europe/Berlin2"},"report"]"#, ""),
            (
                "schedule", #"["x","@daily",{"every":5},"report"]"#,
                "unknown option 'every': the options of a schedule are timezone,"
            ),
            ("limit", "{}", "write limit(name, options), such as limit('crm', { concurrency = 10 })"),
            ("limit", #"["crm"]"#, "write limit(name, options), such as limit('crm', { concurrency = 10 })"),
            ("limit", #"["crm",5]"#, "the options must be a table with names as keys, got 5"),
            ("limit", #"["crm",{}]"#, "the limit 'crm' limits nothing: give it a concurrency or a rate"),
            ("limit", #"[{},{}]"#, "the name of the limit must be a string, got {}"),
            (
                "job", #"["j",5]"#,
                "option 'limit' takes the name of a limit, a table such as { concurrency = 2 }, or a list"
            ),
            ("job", #"["j",{}]"#, "the limit 'j' limits nothing: give it a concurrency or a rate"),
            ("job", #"["j",["a b"]]"#, "the name of a limit must not contain spaces or control characters"),
            (
                "job", #"["j",[{"rate":1},{"rate":2}]]"#,
                "a job may define one limit of its own: define others with limit(name, options), and give their names"
            ),
        ])
    func wrong(word: String, json: String, message: String) {
        let error = #expect(throws: JobError.self) { try Self.read(word, json) }
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
    }
}
