import Foundation
import JobReactorCore
import Testing

@testable import JobReactorTesting

@Suite("The table of the fields of a job") struct JobFieldTableTests {
    private static func encoded(_ job: Job) throws -> JSONValue {
        try JSONValue(parsing: try JSONEncoder().encode(job))
    }

    private static func decoded(_ json: JSONValue) throws -> Job {
        try JSONDecoder().decode(Job.self, from: Data(json.json.utf8))
    }

    @Test("names are there once, and parts belong to a field of it") func names() {
        let names = JobFieldTable.all.map(\.name)
        #expect(names.count > 30 && Set(names).count == names.count)
        for field in JobFieldTable.all {
            if let part = field.part { #expect(JobFieldTable.named(part) != nil, "\(field.name)") }
            #expect((field.column != nil) == field.places.contains(.storages), "\(field.name)")
        }
    }

    private static let stored = JobFieldTable.stored.map(\.name)

    @Test("what is set is what is there, and any encoder keeps it under its name", arguments: stored)
    func values(_ name: String) throws {
        let field = try #require(JobFieldTable.named(name))
        guard field.isSettable else { return }
        var count = 0
        for value in field.type.samples {
            guard let job = FieldSample.job(1, field, value) else { continue }
            count += 1
            #expect(field.value(job) == value)
            let json = try Self.encoded(job)
            #expect(json[name] != nil)
            #expect(try Self.decoded(json) == job)
        }
        #expect(count > 0, "none of its samples differs from a plain job")
        var job = Sample.plain(1)
        let isTaken = field.set(&job, field.type == .flag ? .whole(1) : .flag(true))
        #expect(!isTaken, "a value of another kind is taken")
    }

    @Test("the full record of the conformance suite sets all of them") func full() throws {
        for field in JobFieldTable.stored where field.isSettable {
            #expect(field.value(FieldSample.full) != field.value(Sample.plain(1)), "\(field.name)")
        }
        #expect(try Self.decoded(try Self.encoded(FieldSample.full)) == FieldSample.full)
    }

    /// As releases before the table have written it.
    private static let recorded = """
        {"accepted_at":1767225600123456,"again":"{\\"n\\":1}","args":"{\\"path\\":\\"cat.png\\"}","attempt":2,\
        "defer":true,"distributor":"app","due_at":1767225601000000,"failed_at":1767225603000002,\
        "id":"019b0000000000010000000000000002","last_error":"no disk","make_after":0.5,"max_attempt":3,\
        "name":"resize","node":"a","not_node":"b","on_conflict":"again","period":60,"priority":9,"retry_multiplier":0.25,\
        "run_at":1767225602000001,"runs":5,"schedule":"s","status":"in progress","tick":1767225540000000,\
        "trace":"{\\"traceparent\\":\\"00-1-2-01\\"}","traceback":"stack","unique":"k","unique_for":2.5}
        """

    @Test("encoded records have not changed") func format() throws {
        let json = try JSONValue(parsing: Self.recorded.utf8)
        #expect(try Self.decoded(json) == FieldSample.recorded)
        #expect(try Self.encoded(FieldSample.recorded) == json)
        let plain = try Self.encoded(Sample.plain(1)).object?.keys.sorted()
        #expect(plain == ["args", "attempt", "defer", "distributor", "due_at", "id", "name", "runs", "status"])
    }

    @Test("a record that lacks what all have, or has what none has, is refused; one with a damaged trace is read")
    func damaged() throws {
        let json = try JSONValue(parsing: Self.recorded.utf8)
        for field in JobFieldTable.stored where field.isAlwaysThere {
            guard case .object(var members) = json else { return }
            members[field.name] = nil
            #expect(throws: DecodingError.self, "\(field.name)") { try Self.decoded(.object(members)) }
        }
        guard case .object(var members) = json else { return }
        members["status"] = "asleep"
        #expect(throws: DecodingError.self) { try Self.decoded(.object(members)) }
        members["status"] = "queued"
        members["trace"] = "nonsense"
        #expect(try Self.decoded(.object(members)).trace == nil)
    }
}
