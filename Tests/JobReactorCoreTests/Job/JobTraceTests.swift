import JobReactorCore
import Testing

/// What goes with a job for tracing: as JSON and back, and never more than it may be.
@Suite struct JobTraceTests {
    @Test("fields are a JSON object, with those of the last run below them, and are read back") func json() throws {
        let trace = try #require(JobTrace(["tracestate": "a=\"1\"", "traceparent": "00-1-2-01"]))
        #expect(trace.json == #"{"traceparent":"00-1-2-01","tracestate":"a=\"1\""}"#)
        #expect(JobTrace(json: trace.json.utf8) == trace)
        let retried = try #require(JobTrace(trace.fields, lastRun: ["traceparent": "00-1-3-01"]))
        #expect(
            retried.json
                == #"{"last_run":{"traceparent":"00-1-3-01"},"traceparent":"00-1-2-01","tracestate":"a=\"1\""}"#)
        #expect(JobTrace(json: retried.json.utf8) == retried && retried != trace)
        let alone = try #require(JobTrace([:], lastRun: ["traceparent": "00-1-3-01"]))
        #expect(JobTrace(json: alone.json.utf8) == alone)
    }

    @Test("what is no object of strings is none", arguments: ["", "{", "[]", "7", "{}", #"{"a":1}"#, "\u{0}"])
    func bad(_ text: String) { #expect(JobTrace(json: text.utf8) == nil) }

    @Test("other members are left out") func members() {
        let trace = JobTrace(json: #"{"a":"b","n":1,"last_run":{"c":"d","n":null}}"#.utf8)
        #expect(trace?.fields == ["a": "b"] && trace?.lastRun == ["c": "d"])
    }

    @Test("of what is too much the context comes first, then other keys, then the last run") func bounds() throws {
        let large = String(repeating: "x", count: JobLimits.traceBytes / 2)
        let context = ["traceparent": "00-1-2-01", "tracestate": "a=1"]
        let fields = context.merging(["a-first": large, "b-second": large, "c-small": "1"]) { old, _ in old }
        let trace = try #require(JobTrace(fields, lastRun: ["a": large]))
        #expect(Set(trace.fields.keys) == ["traceparent", "tracestate", "a-first", "c-small"] && trace.lastRun.isEmpty)
        #expect(trace.json.utf8.count <= JobLimits.traceBytes)
        #expect(JobTrace(json: trace.json.utf8) == trace)
        // Six bytes each, as JSON.
        let escaped = try #require(JobTrace(["a": String(repeating: "\u{1}", count: 1000)], lastRun: context))
        #expect(escaped.fields.isEmpty && escaped.lastRun == context)
        #expect(JobTrace(["a": String(repeating: "x", count: JobLimits.traceBytes)]) == nil)
        let tooLong = #"{"a":"\#(String(repeating: "x", count: JobLimits.traceBytes))"}"#
        #expect(JobTrace(json: tooLong.utf8) == nil)
    }

    @Test("a record is as the others when it has none") func records() {
        var job = Job(id: id(1), name: "j", args: [:], createdAt: start)
        let plain = job
        job.trace = JobTrace(["traceparent": "00-1-2-01"])
        #expect(!job.isPlain && job != plain)
        job.trace = nil
        #expect(job.isPlain && job == plain)
        var options = JobOptions()
        options.trace = JobTrace(["traceparent": "00-1-2-01"])
        #expect(Job(id: id(1), name: "j", args: [:], options: options, createdAt: start).trace == options.trace)
    }
}
