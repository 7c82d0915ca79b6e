import JobReactorCore
import Testing

@Suite struct LimitTests {
    @Test("what is wrong with a limit is told")
    func wrong() {
        #expect(throws: Never.self) { try Limit(name: "crm", concurrency: 10).validate() }
        #expect(throws: Never.self) { try Limit(name: "api", rate: 1_000_000, per: 0.5, key: "account").validate() }
        for (limit, message) in [
            (Limit(name: "", concurrency: 1), "the limit's name must not be empty"),
            (Limit(name: "crm"), "the limit 'crm' limits nothing: give it a concurrency or a rate"),
            (Limit(name: "crm", concurrency: 0), "concurrency takes a whole number from 1 to 1000000, not 0"),
            (Limit(name: "crm", rate: 1_000_001), "rate takes a whole number from 1 to 1000000, not 1000001"),
            (Limit(name: "crm", rate: 1, per: 0), "per takes seconds above 0 up to 3155760000, not 0.0"),
            (Limit(name: "crm", rate: 1, per: .nan), "per takes seconds above 0 up to 3155760000, not nan"),
            (Limit(name: "crm", rate: 1, key: ""), "key takes the name of a member of args, of 1 to 255 bytes"),
        ] {
            let error = #expect(throws: JobError.self) { try limit.validate() }
            #expect(error?.message == message)
        }
        #expect(Limit.WhenFull.allCases.map(\.rawValue) == ["wait", "discard"])
    }

    @Test(
        "a key is a member of args, each of whose values counts apart",
        arguments: [
            (#"{"account": 7}"#, "7"), (#"{"account": "7"}"#, "\"7\""), (#"{"account": 7.0}"#, "7.0"),
            (#"{"account": {"b": 1, "a": 2}}"#, #"{"a":2,"b":1}"#),
            (#"{"account": {"a": 2, "b": 1}}"#, #"{"a":2,"b":1}"#),
            (#"{"account": null}"#, "null"), (#"{"other": 1}"#, "null"), ("{}", "null"),
        ])
    func needs(args: String, key: String) throws {
        let limit = Limit(name: "api", concurrency: 1, key: "account")
        #expect(limit.need(of: try JobArguments(json: args)) == LimitNeed(limit: "api", key: key))
        let shared = Limit(name: "crm", concurrency: 1)
        #expect(shared.need(of: try JobArguments(json: args)) == LimitNeed(limit: "crm"))
    }

    @Test("a long value has a short key of its own")
    func longKeys() throws {
        let limit = Limit(name: "api", concurrency: 1, key: "account")
        let keys = ["a", "b"].map { letter in
            limit.need(of: ["account": .string(String(repeating: letter, count: 1000))]).key ?? ""
        }
        #expect(keys[0] != keys[1] && keys.allSatisfy { $0.utf8.count == 71 })
        // SHA-256 of the JSON.
        #expect(keys[0] == "sha256:955d04731f2adae1d94c940c2b9f72677431310d92f650dc581251045f4dbcdb")
    }
}
