import JobReactorCore
import Testing

@Suite struct JobArgumentsTests {
    @Test("literals are written in the order given")
    func literals() {
        #expect(JobArguments().description == "{}")
        #expect((["path": "cat.png", "width": 200] as JobArguments).description == #"{"path":"cat.png","width":200}"#)
        #expect(([:] as JobArguments).description == "{}")
        let nested: JobArguments = [
            "b": [1, 1.5, true, nil, "x"], "a": ["z": [:], "y": []], "float": 1.0, "é\n": "\u{1}",
        ]
        #expect(
            nested.description
                == #"{"b":[1,1.5,true,null,"x"],"a":{"y":[],"z":{}},"float":1.0,"é\n":"\u0001"}"#)
        let name = "width"
        #expect(JobArguments([(name, JSONValue(Int8(3)))]).description == #"{"width":3}"#)
    }

    @Test(
        "what JSON cannot hold is refused with its place",
        arguments: [
            (["nan": .number(.nan), "inf": .number(.infinity)], "args.nan: NaN cannot be stored as JSON"),
            (["inf": [1, .number(-.infinity)]], "args.inf[1]: an infinite number cannot be stored as JSON"),
            (["a": 1, "b": ["z": [["k": .number(.nan)]], "y": 1.5]], "args.b.z[0].k: NaN cannot be stored as JSON"),
        ] as [(JobArguments, String)])
    func notNumbers(_ args: JobArguments, problem: String) {
        #expect(throws: JobError(.invalidArguments, problem)) { try JobLimits.check("j", args) }
        #expect(args.description == "!\(problem)")
        #expect(args.value == [:] && args["a"] == nil)
        #expect(throws: JSONError.self) { try JobArguments(json: args.bytes) }
    }

    @Test("also where the members can be looked at once only")
    func notNumbersOfIterators() {
        var numbers = [1, Double.nan]
        let members = AnyIterator<(String, JSONValue)> {
            numbers.isEmpty ? nil : ("n", .number(numbers.removeFirst()))
        }
        let args = JobArguments(members)
        let error = #expect(throws: JobError.self) { try JobLimits.check("j", args) }
        #expect(error?.message == "args: a number that is not finite cannot be stored as JSON")
    }

    @Test(
        "bytes are kept as they are",
        arguments: [
            "{}", " {\t}\r\n", #"{ "a" : 1 , "a" : 2 }"#, #"{"n":1.0,"m":1E+02,"l":9007199254740993}"#,
            #"{"\u0061":"\u00e9\/"}"#,
        ])
    func bytesKept(_ text: String) throws {
        let args = try JobArguments(json: text)
        #expect(args.bytes == bytes(text))
        #expect(args.description == text)
        #expect(try JobArguments(json: bytes(text)) == args)
    }

    @Test(
        "only an object will do",
        arguments: [
            ("", 0), ("  ", 2), ("[]", 0), (" [1]", 1), ("1", 0), ("\"{}\"", 0), ("null", 0), ("{", 1), ("{}}", 2),
            ("{} {}", 3), ("{\"a\":1,}", 7), ("\u{FEFF}{}", 0),
        ])
    func notObjects(_ text: String, offset: Int) {
        let error = #expect(throws: JSONError.self) { try JobArguments(json: text) }
        #expect(error?.offset == offset)
    }

    @Test("members are looked up by their unescaped keys; of equal keys the last counts")
    func lookUp() throws {
        let args = try JobArguments(
            json: #"{"a":1,"\u0062":"two","nested":{"a":[1,2]},"n":null,"":0,"dup":1,"dup":[3],"f":1.0}"#)
        #expect(args["a"] == 1)
        #expect(args["b"] == "two")
        #expect(args["nested"]?["a"]?[1] == 2)
        #expect(args["n"] == .null)
        #expect(args[""] == 0)
        #expect(args["dup"] == [3])
        #expect(args["f"] == 1.0)
        #expect(args["f"] != 1)
        #expect(args["absent"] == nil)
        #expect(JobArguments()["a"] == nil)
    }

    @Test("the whole is the object")
    func value() throws {
        let args = try JobArguments(json: #" {"a":[1,{"b":null}],"c":-1.5e1} "#)
        #expect(args.value == ["a": [1, ["b": nil]], "c": .number(-15)])
        #expect(JobArguments().value == [:])
    }

    @Test(
        "members are set at the end, in place of those of the same name",
        arguments: [
            ("{}", [], "{}"),
            ("{}", [("a", "1")], #"{"a":1}"#),
            (#" { "a" : 1 } "#, [], #"{"a":1}"#),
            (#"{"a":1,"b":[1, 2]}"#, [("c", "null")], #"{"a":1,"b":[1, 2],"c":null}"#),
            (#"{"a":1,"b":2,"c":3}"#, [("b", "0"), ("d", "4")], #"{"a":1,"c":3,"b":0,"d":4}"#),
            (#"{"a":1,"b":2,"a":3}"#, [("a", "\"x\"")], #"{"b":2,"a":"x"}"#),
            (#"{"\u0061":1}"#, [("a", "2")], #"{"a":2}"#),
            (#"{"\n\"\\\u0001é":1.0}"#, [("z\t", "{}")], #"{"\n\"\\\u0001é":1.0,"z\t":{}}"#),
        ] as [(String, [(String, String)], String)])
    func setting(_ before: String, members: [(String, String)], after: String) throws {
        let args = try JobArguments(json: before)
        let result = args.setting(members.map { (key: $0.0, json: bytes($0.1)) })
        #expect(result.description == after)
        #expect(try JobArguments(json: result.bytes) == result)
    }

    @Test("args are equal when their bytes are")
    func equality() throws {
        let (tight, loose) = (try JobArguments(json: "{}"), try JobArguments(json: "{ }"))
        #expect(tight == JobArguments())
        #expect(tight != loose)
        #expect(tight.value == loose.value)
    }
}
