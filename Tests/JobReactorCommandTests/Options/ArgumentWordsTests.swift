import JobReactorCore
import Testing

@testable import JobReactorCommand

@Suite struct ArgumentWordsTests {
    @Test(arguments: [
        ("n=3", #"{"n":3}"#), ("n=2.50", #"{"n":2.50}"#), ("ok=true", #"{"ok":true}"#),
        ("none=null", #"{"none":null}"#),
        ("list=[1,\"a\"]", #"{"list":[1,"a"]}"#), (#"o={"b":1,"a":2}"#, #"{"o":{"b":1,"a":2}}"#),
        ("path=cat.png", #"{"path":"cat.png"}"#), ("zip=02139", #"{"zip":"02139"}"#), (#"zip="12""#, #"{"zip":"12"}"#),
        ("empty=", #"{"empty":""}"#), ("q=a=b", #"{"q":"a=b"}"#), ("half=[1", #"{"half":"[1"}"#),
        ("big=1e400", #"{"big":"1e400"}"#), ("say=a\"b", #"{"say":"a\"b"}"#),
    ])
    func aValueIsJSONWhereItReadsAsSuch(word: String, json: String) throws {
        #expect(try ArgumentWords.arguments([word], json: nil).description == json)
    }

    @Test func wordsGoOverTheObject() throws {
        let arguments = try ArgumentWords.arguments(["b=3", "c=4"], json: #"{"a":1,"b":2}"#)
        #expect(arguments.description == #"{"a":1,"b":3,"c":4}"#)
        #expect(try ArgumentWords.arguments([], json: nil) == JobArguments())
    }

    @Test func mistakesAreTold() {
        func message(_ words: [String], json: String? = nil) -> String? {
            failure { _ = try ArgumentWords.arguments(words, json: json) }?.message
        }
        #expect(message(["foo"]) == "'foo' is not an argument of a job: write key=value")
        #expect(message(["=1"]) == "'=1' is not an argument of a job: write key=value")
        #expect(message(["a=1", "a=2"]) == "the argument 'a' is given twice: keep one of them")
        #expect(message([], json: "[1]")?.hasPrefix("--args: invalid JSON at byte 0: expected an object") == true)
        #expect(failure { _ = try ArgumentWords.jobName("a b") }?.code == .usage)
    }
}
