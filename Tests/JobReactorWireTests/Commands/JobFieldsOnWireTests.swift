import JobReactorCore
import JobReactorTesting
import NIOCore
import Testing

@testable import JobReactorWire

/// What is written by hand on the wire, beside the tables of fields and options.
@Suite("Fields and options of jobs on the wire") struct JobFieldsOnWireTests {
    private static func words(_ body: (inout ByteBuffer) -> Void) throws -> [RESPValue] {
        try #require(read([bytes(written(body))], .client).frames.first?.elements)
    }

    // MARK: Records

    private static let records = JobFieldTable.all.filter { $0.places.contains(.records) }

    @Test("a record has every field under its name, and is read back the same", arguments: records.map(\.name))
    func record(_ name: String) throws {
        let field = try #require(JobFieldTable.named(name))
        for value in field.type.samples where field.isSettable {
            guard let job = FieldSample.job(1, field, value) else { continue }
            let words = try Self.words { JobRecord.write(job, to: &$0) }
            let names = stride(from: 0, to: words.count, by: 2).compactMap { words[$0].text }
            // What stands where nobody says it is left out.
            if value != .text(UniqueConflict.keep.rawValue) { #expect(names.contains(name), "\(value)") }
            #expect(JobRecord.job(words) == job, "\(value)")
        }
        let full = try Self.words { JobRecord.write(FieldSample.full, to: &$0) }
        #expect(full.contains(bulk(name)) == field.places.contains(.storages))
        #expect(JobRecord.job(full) == FieldSample.full)
    }

    @Test("records have not changed") func format() throws {
        // As releases before the table have written them.
        let recorded = [
            "id", "019b0000000000010000000000000002", "name", "resize", "args", #"{"path":"cat.png"}"#, "status",
            "in progress", "attempt", "2", "runs", "5", "due_at", "1767225601000000", "distributor", "app", "defer",
            "1",
            "run_at", "1767225602000001", "failed_at", "1767225603000002", "make_after", "0.5", "period", "60.0",
            "node",
            "a", "not_node", "b", "max_attempt", "3", "retry_multiplier", "0.25", "last_error", "no disk", "traceback",
            "stack", "trace", #"{"traceparent":"00-1-2-01"}"#, "priority", "9", "unique", "k", "unique_for", "2.5",
            "on_conflict", "again", "accepted_at", "1767225600123456", "schedule", "s", "tick", "1767225540000000",
            "again", #"{"n":1}"#,
        ]
        #expect(try Self.words { JobRecord.write(FieldSample.recorded, to: &$0) } == recorded.map(bulk))
        #expect(JobRecord.job(recorded.map(bulk)) == FieldSample.recorded)
    }

    @Test("JOB shows a record as it always has") func shown() {
        let shown = [
            "id", "019b0000000000010000000000000002", "name", "resize", "args", #"{"path":"cat.png"}"#, "status",
            "in progress", "attempt", "2", "defer", "true", "distributor", "app", "due_at", "1767225601.0", "run_at",
            "1767225602.000001", "period", "60.0", "make_after", "0.5", "node", "a", "not_node", "b", "max_attempt",
            "3",
            "retry_multiplier", "0.25", "priority", "9", "unique", "k", "unique_until", "1767225602.623456", "schedule",
            "s", "tick", "1767225540.0", "again", #"{"n":1}"#, "failed_at", "1767225603.000002", "last_error",
            "no disk",
            "traceback", "stack", "trace", #"{"traceparent":"00-1-2-01"}"#, "on_success",
            "019b0000000000010000000000000002", "on_error", "019b0000000000010000000000000002",
        ]
        #expect(FieldSample.recorded.shownFields == shown)
    }

    // MARK: Options

    private static let commands = JobOptionTable.ofCommands.map(\.name)

    private static func option(_ name: String) throws -> JobOption {
        try #require(JobOptionTable.all.first { $0.name == name })
    }

    /// As a client says it.
    private static func words(_ option: JobOption, _ value: FieldValue) -> [String] {
        option.type == .flag ? [option.word] : [option.word, value.text]
    }

    private static func parse(_ words: [String]) throws -> JobRequest {
        let words = ["ENQUEUE", "j", "{}"] + words
        return try withCommand(words) { try JobRequest.parse($0, from: 1, count: words.count) }
    }

    @Test("ENQUEUE takes every option", arguments: commands) func enqueue(_ name: String) throws {
        let option = try Self.option(name)
        let sample = try #require(option.type.samples.first)
        let part = try option.part.map { try Self.option($0) }
        let first = try part.map { Self.words($0, try #require($0.type.samples.first)) } ?? []
        let request = try Self.parse(first + Self.words(option, sample))
        #expect(request.options == option.options(sample))
        guard option.type != .flag, option.type != .name, option.type != .key else { return }
        let error = #expect(throws: CommandError.self) { try Self.parse([option.word, "?"]) }
        #expect(error?.reason == "\(option.word) takes \(option.type.allowed), not '?'")
    }

    @Test("a link carries every option but the id, which stands before", arguments: JobOptionTable.all.map(\.name))
    func link(_ name: String) throws {
        let option = try Self.option(name)
        for value in option.type.samples {
            guard name != "id", let options = option.options(value), option.value(options) == value else { continue }
            // Dates and ticks are limited otherwise.
            if option.type == .time, value != option.type.samples.first { continue }
            let request = JobRequest(name: "j", args: [:], options: options)
            let words = try Self.words { LinkMessage.writeJob(HandOver(1, id(9)), request, to: &$0) }
            let isUsual = value == .text(UniqueConflict.keep.rawValue)
            #expect(words.contains(bulk(option.word)) != isUsual, "\(value)")
            let message = try withCommand(words.compactMap(\.text)) { try LinkMessage($0, from: .distributor) }
            #expect(message == .job(HandOver(1, id(9)), request), "\(value)")
        }
    }
}
