import JobReactorCore
import Testing

@Suite struct NodeDefinitionsTests {
    private static let report = Result {
        try Schedule(
            "nightly_report", "30 2 * * *",
            ["timezone": "UTC", "overlap": "queue", "catch_up": "all", "window": 60, "jitter": 1.5, "late_after": 5],
            job: "report", args: try JobArguments(json: #"{ "kind":"full", "a":1.0 }"#))
    }

    @Test("what scripts define is read back the same, args byte for byte") func roundTrip() throws {
        let report = try Self.report.get()
        let definitions = NodeDefinitions(
            jobs: ["call": .init(priority: 9, limits: ["call", "crm"]), "plain": .init()],
            limits: [
                Limit(name: "crm", concurrency: 10),
                Limit(name: "call", rate: 100, per: 60, key: "account", whenFull: .discard),
            ],
            schedules: [report, try Schedule("beat", "every 90s", [:], job: "ping")])
        #expect(definitions.limits.map(\.name) == ["call", "crm"])
        #expect(definitions.schedules.map(\.name) == ["beat", "nightly_report"])
        let read = try NodeDefinitions(json: definitions.json.utf8)
        #expect(read == definitions)
        #expect(read.schedules.last?.args.bytes == report.args.bytes)
        #expect(try NodeDefinitions(json: NodeDefinitions().json.utf8).isEmpty)
    }

    @Test("what this release does not take is left out and said, and the rest counts") func problems() throws {
        let text = """
            {"jobs":{"a b":{"priority":9},"good":{"priority":10,"limits":["x"]}},"limits":{"x":{"concurrency":0},"y":{"rate":1}},
            "schedules":[{"name":"never","spec":"0 0 31 2 *","job":"j"},{"name":"s","spec":"@daily","job":"j","colour":1}]}
            """
        var problems: [String] = []
        let read = try NodeDefinitions(json: text.utf8) { problems.append($0) }
        #expect(read == NodeDefinitions(jobs: ["good": .init(limits: ["x"])], limits: [Limit(name: "y", rate: 1)]))
        #expect(problems.count == 3)
        #expect(problems.first == "the limit 'x': concurrency takes a whole number from 1 to 1000000, not 0")
        #expect(problems.dropFirst().first?.hasPrefix("the schedule 'never': invalid schedule at byte") == true)
        #expect(problems.last?.hasPrefix("the schedule 's': unknown option 'colour'") == true)
    }

    @Test(
        "what is wrong with the options of a schedule is said",
        arguments: [
            (["overlap": "twice"], "overlap takes one of skip, queue, allow, cancel, not \"twice\""),
            (["window": "day"], "window takes seconds, not \"day\""),
            (["window": -1], "window takes seconds from 0 to 3155760000, not -1.0"),
            (["timezone": 5], "timezone takes the name of a time zone, such as Europe/Berlin, not 5"),
        ] as [([String: JSONValue], String)])
    func wrong(_ options: [String: JSONValue], message: String) {
        #expect(throws: JobError(.invalidOption, message)) { try Schedule("s", "@daily", options, job: "j") }
    }
}
