import JobReactorTesting
import Testing

@testable import JobReactorCore

/// Which jobs an operator means.
@Suite struct JobFilterTests {
    private static func failed(_ error: String?, at time: Timestamp = start) -> Job {
        var job = job(1)
        (job.status, job.runs, job.attempt) = (.failed, 1, 1)
        (job.lastError, job.failedAt, job.runAt) = (error, time, time)
        return job
    }

    @Test("nothing said means every job; what is said must all be so")
    func all() {
        let failed = Self.failed("jobs/a.lua:3: no disk")
        #expect(JobFilter().matches(failed) && JobFilter().isEmpty)
        #expect(JobFilter(name: "resize", status: .failed, since: start, error: "No Disk").matches(failed))
        for wrong in [
            JobFilter(name: "other"), JobFilter(status: .queued), JobFilter(since: start.advanced(bySeconds: 1)),
            JobFilter(error: "no  disk"), JobFilter(name: "resize", error: "x"),
        ] {
            #expect(!wrong.matches(failed) && !wrong.isEmpty, "\(wrong)")
        }
        #expect(!JobFilter(error: "x").matches(Self.failed(nil)))
    }

    @Test("a job counts as of its last failure, its last run or its making, whatever came last")
    func since() {
        let filter = JobFilter(since: start)
        var waiting = job(1)
        #expect(filter.matches(waiting))
        // One that is due later was made when it was said to wait.
        waiting = Job(
            id: id(1), name: "a", args: [:], options: JobOptions(after: 100), createdAt: start.advanced(bySeconds: -50))
        #expect(waiting.madeAt == start.advanced(bySeconds: -50))
        #expect(!filter.matches(waiting))
        waiting.runs = 1
        // Now its due time says nothing of its making.
        #expect(waiting.madeAt == nil && !filter.matches(waiting))
        waiting.runAt = start
        #expect(filter.matches(waiting))
        // By its id, whatever its due time.
        let made = Timestamp(seconds: 1_700_000_000)
        var generator = JobID.Generator()
        let old = Job(id: generator.next(at: made.advanced(bySeconds: -1)), name: "a", args: [:], createdAt: made)
        #expect(!JobFilter(since: made).matches(old))
    }

    @Test("a text is found as the standard library finds it, letters of both cases alike")
    func texts() {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<20_000 {
            func text(_ most: Int) -> String {
                String(
                    (0..<Int.random(in: 0...most, using: &random)).map { _ in
                        "aAbB".randomElement(using: &random) ?? "a"
                    })
            }
            let (part, whole) = (text(5), text(12))
            let expected = part.isEmpty || whole.lowercased().contains(part.lowercased())
            #expect(TextSearch(part).isFound(in: whole) == expected, "\(part) in \(whole)")
        }
        #expect(TextSearch("größe").isFound(in: "keine größe"))
        for (part, whole) in [("Ö", "ö"), ("GRÖSSE é", "keine Grösse É"), ("ДИСК", "нет диска"), ("диск", "ДИСК A")] {
            #expect(TextSearch(part).isFound(in: whole), "\(part) in \(whole)")
        }
        #expect(!TextSearch("Ö").isFound(in: "o") && !TextSearch("o").isFound(in: "Ö"))
    }

    @Test("a text that begins as it goes on is looked for in one pass")
    func repetitive() {
        let long = String(repeating: "a", count: 200_000)
        #expect(!TextSearch(String(repeating: "a", count: 1000) + "b").isFound(in: long))
        #expect(TextSearch(String(repeating: "a", count: 1000)).isFound(in: long))
    }

    @Test("it is told in words")
    func words() {
        #expect("\(JobFilter())" == "all")
        #expect(
            "\(JobFilter(name: "a", status: .failed, since: Timestamp(seconds: 7), error: "disk"))"
                == "name a, status failed, 'disk' in the error, since 7.0")
    }
}
