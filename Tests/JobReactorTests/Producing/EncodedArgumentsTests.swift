import Foundation
import JobReactor
import JobReactorTesting
import Testing

/// Args that are values of an application's own types.
@Suite("Encoded args") struct EncodedArgumentsTests {
    private struct Visit: Codable, Equatable {
        var at: Date
        var earlier: [Date]?
        var length: Double?
        var sizes: [[String: Float]]?
        var price: Decimal?
    }

    private static let moment = Date(timeIntervalSince1970: 1_767_225_600.25)

    private static func refusal(_ body: () throws -> Void) throws -> JobError {
        do { try body() } catch { return try #require(error as? JobError) }
        throw JobError(.timedOut, "nothing was refused")
    }

    @Test("have dates as seconds since 1970, in both directions")
    func dates() throws {
        let visit = Visit(at: Self.moment, earlier: [Date(timeIntervalSince1970: -1)])
        let args = try JobArguments(encoding: visit)
        #expect(args.value == ["at": 1_767_225_600.25, "earlier": [-1]])
        #expect(try args.decode(Visit.self) == visit)
        let producer = RecordingProducer()
        try producer.enqueue("j", ["at": Self.moment])
        try producer.enqueue("j", ["at": Self.moment, "n": 1])
        try producer.enqueue("j", visit)
        #expect(producer.args == [["at": 1_767_225_600.25], ["at": 1_767_225_600.25, "n": 1], args.value])
    }

    @Test("what a script says of time is a date")
    func datesOfScripts() throws {
        let args = try JobArguments(json: #"{"at":1767225600.25,"earlier":[-1]}"#)
        #expect(try args.decode(Visit.self).at == Self.moment)
    }

    @Test("NaN and infinite numbers are refused with their place, however they come")
    func notNumbers() throws {
        let producer = RecordingProducer()
        let (none, endless) = (Double.nan, -Double.infinity)
        let size: [String: Float] = ["w": .nan]
        let isNaN = "NaN cannot be stored as JSON"
        let isInfinite = "an infinite number cannot be stored as JSON"
        let cases: [(String, () throws -> Void)] = [
            ("args.n: \(isNaN)", { try producer.enqueue("j", ["n": .number(.nan)]) }),
            ("args.n[1]: \(isInfinite)", { try producer.enqueue("j", ["n": [1, .number(.infinity)]]) }),
            ("args.n: \(isNaN)", { try producer.enqueue("j", ["n": none]) }),
            ("args.n: \(isInfinite)", { try producer.enqueue("j", ["n": endless, "path": "cat.png"]) }),
            ("args.n[1]: \(isNaN)", { try producer.enqueue("j", ["n": [1, none], "path": "cat.png"]) }),
            ("args.length: \(isNaN)", { try producer.enqueue("j", Visit(at: Self.moment, length: .nan)) }),
            ("args.sizes[0].w: \(isNaN)", { try producer.enqueue("j", Visit(at: Self.moment, sizes: [size])) }),
            ("args.at: \(isNaN)", { try producer.enqueue("j", Visit(at: Date(timeIntervalSince1970: .nan))) }),
            ("args.n: \(isNaN)", { try producer.enqueue("j", ["n": JSONValue.number(.nan), "none": none]) }),
            (
                "args.n: \(isNaN)",
                {
                    let bad: JobArguments = ["n": .number(.nan)]
                    try producer.enqueue("j", ["bad": bad, "path": "cat.png"])
                }
            ),
            (
                "args.n: \(isNaN)",
                { try producer.enqueue(contentsOf: [JobSubmission("j"), JobSubmission("j", ["n": .number(.nan)])]) }
            ),
        ]
        for (message, enqueue) in cases {
            let error = try Self.refusal(enqueue)
            #expect(error == JobError(.invalidArguments, message))
        }
        #expect(producer.args == [[:]])
        let decimal = try Self.refusal { try producer.enqueue("j", Visit(at: Self.moment, price: .nan)) }
        #expect(decimal.code == .invalidArguments)
        let late = try Self.refusal { try producer.enqueue("j", [:], JobOptions(runAt: Timestamp(seconds: .nan))) }
        #expect(late.code == .invalidOption)
    }

    @Test("what is refused by a Distributor and a JobClient is what a test's producer refuses")
    func everywhere() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let client = try await JobClient.connect(port: try #require(distributor.port))
            for producer in [distributor, client] as [any JobProducer] {
                let error = try Self.refusal { try producer.enqueue("j", ["n": .number(.nan)]) }
                #expect(error == JobError(.invalidArguments, "args.n: NaN cannot be stored as JSON"))
            }
            await client.stop()
        }
    }

    @Test("what is no object is refused")
    func noObject() throws {
        let error = try Self.refusal { _ = try JobArguments(encoding: [1, 2]) }
        #expect(error.message.hasPrefix("args must be a JSON object, but Array<Int> encodes to something else"))
    }

    @Test("what cannot be encoded is told with its place")
    func notEncodable() throws {
        struct Stubborn: Encodable {
            func encode(to encoder: any Encoder) throws {
                throw EncodingError.invalidValue(
                    7, .init(codingPath: encoder.codingPath, debugDescription: "seven is no number of ours"))
            }
        }
        let error = try Self.refusal { _ = try JobArguments(encoding: ["list": [Stubborn()]]) }
        #expect(error == JobError(.invalidArguments, "args.list[0]: Int cannot be encoded: seven is no number of ours"))
    }
}
