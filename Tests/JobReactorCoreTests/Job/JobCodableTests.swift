import Foundation
import JobReactorCore
import Testing

/// Records through an encoder and back. That whole records survive is what the conformance suite checks of the storage in
/// Examples/OwnStorage; here is what damaged ones come to.
@Suite struct JobCodableTests {
    @Test("args keep their bytes, ids and times read as everywhere")
    func words() throws {
        let args = try JobArguments(json: #"{ "b":1.0, "a":[ ], "é":"\u0000" }"#)
        var job = Job(id: id(255), name: "resize", args: args, createdAt: start)
        job.makeAfter = 0.1
        let text = String(decoding: try JSONEncoder().encode(job), as: UTF8.self)
        #expect(text.contains("\"id\":\"000000000000000000000000000000ff\""))
        #expect(text.contains("\"due_at\":\(start.microseconds)"))
        let again = try JSONDecoder().decode(Job.self, from: Data(text.utf8))
        #expect(again == job && again.args.bytes == args.bytes)
    }

    @Test(
        "what is no record is refused, and what is wrong is said",
        arguments: [
            (#""ff""#, "'ff' is not a job id"), (#""000000000000000000000000000000fg""#, "is not a job id"),
        ])
    func badID(_ text: String, says: String) throws {
        let error = #expect(throws: DecodingError.self) { try JSONDecoder().decode(JobID.self, from: Data(text.utf8)) }
        #expect(error.map { "\($0)" }?.contains(says) == true)
    }

    @Test("args that are not a JSON object are refused", arguments: [#""[1]""#, #""{""#, #""""#, "7"])
    func badArguments(_ text: String) throws {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(JobArguments.self, from: Data(text.utf8)) }
    }
}
