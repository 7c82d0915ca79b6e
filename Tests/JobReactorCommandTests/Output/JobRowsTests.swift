import Foundation
import JobReactor
import JobReactorCore
import JobReactorTesting
import Testing

@testable import JobReactorCommand

/// How jobs are listed and shown.
@Suite struct JobRowsTests {
    private static let now = Timestamp(seconds: 1_700_000_000)
    private static let clock = LocalTime(zone: TimeZone(secondsFromGMT: 7200) ?? .gmt, now: now)

    private static func id(_ ago: Double, _ low: UInt64 = 0xABCD_0000_0000_0000) -> JobID {
        JobID(high: UInt64((now.seconds - ago) * 1000) << 16, low: low)
    }

    private static func failed(_ error: String, ago: Double = 60) -> Job {
        var job = Job(id: id(ago), name: "mail", args: [:], createdAt: now.advanced(bySeconds: -ago))
        (job.status, job.attempt, job.runs, job.lastError) = (.failed, 3, 3, error)
        job.runAt = now.advanced(bySeconds: -10)
        job.failedAt = now.advanced(bySeconds: -8.75)
        return job
    }

    private static func found(_ job: Job, isOpen: Bool = true, waitsFor: String? = nil) -> JobMonitor.Found {
        JobMonitor.Found(job: job, owner: StoredOwner(role: .node, name: "n1", isOpen: isOpen), waitsFor: waitsFor)
    }

    private static func table(_ jobs: [JobMonitor.Found], width: Int? = nil) -> [String] {
        JobRows(jobs, clock, isCut: width != nil).table(width: width).text.split(separator: "\n").map(String.init)
    }

    @Test("a table has age, time of failure, run time and error; what no job has is left out")
    func columns() {
        let lines = Self.table([Self.found(Self.failed("/srv/app/reactor_jobs/mail/send.lua:3: no route\nmore"))])
        #expect(
            lines == [
                "ID" + String(repeating: " ", count: 32)
                    + "JOB   STATUS  ATTEMPT   AGE  FAILED           RUN TIME  NODE  ERROR",
                "\(Self.id(60))  mail  failed        3  60 s  00:13:11 +02:00     1.3 s  n1    mail/send.lua:3: no route",
            ])
        let plain = Job(id: Self.id(5), name: "a", args: [:], createdAt: Self.now.advanced(bySeconds: -5))
        #expect(Self.table([Self.found(plain)])[0].hasSuffix("ATTEMPT  AGE  NODE"))
    }

    @Test("what a job does on its lane has a column where one does something; one whose turn has not come waits")
    func doing() {
        var (running, next) = (Self.failed("no"), Self.failed("no", ago: 30))
        (running.status, next.status) = (.inProgress, .inProgress)
        (running.doing, next.doing) = ("running for 12.3 s, jobs.lua:3 in os.execute", "waiting behind mail")
        let lines = Self.table([Self.found(running), Self.found(next), Self.found(Self.failed("no", ago: 90))])
        #expect(lines[0].contains("  NODE  DOING  "))
        #expect(lines[1].contains("  in progress  ") && lines[1].contains("  n1    running for 12.3 s, jobs.lua:3 in"))
        #expect(lines[2].contains("  waiting      ") && lines[2].contains("  n1    waiting behind mail"))
        #expect(lines[3].contains("  failed       "))
        #expect(JobTimes(running, Self.now).ran == 10 && JobTimes(next, Self.now).ran == nil)
    }

    @Test("what a job waits for is said in words")
    func waits() {
        func waiting(_ job: Job, isOpen: Bool = true, _ reason: String? = nil) -> String? {
            Self.found(job, isOpen: isOpen, waitsFor: reason).waiting(Self.clock)
        }
        var job = Job(id: Self.id(5), name: "a", args: [:], options: JobOptions(after: 3600), createdAt: Self.now)
        #expect(waiting(job) == "not before 01:13:20 +02:00 (in 60 min)")
        #expect(waiting(job, "no node defines it") == "not before 01:13:20 +02:00 (in 60 min), no node defines it")
        job.dueAt = Self.now
        #expect(waiting(job) == nil)
        #expect(waiting(job, isOpen: false) == "its node n1 is away")
        job.status = .inProgress
        job.dueAt = Timestamp(microseconds: .max)
        #expect(waiting(job) == nil)
        job.status = .failed
        #expect(waiting(job, isOpen: false, "anything") == nil)
    }

    @Test("on a terminal ids are as long as they have to be, and the error has the room that is left")
    func terminal() {
        let error = "/srv/app/reactor_jobs/mail/send.lua:3: no route to host mail.example.org, which is told at length"
        let lines = Self.table([Self.found(Self.failed(error)), Self.found(Self.failed(error, ago: 61))], width: 100)
        #expect(lines.allSatisfy { $0.count <= 100 })
        let ids = lines.dropFirst().map { $0.prefix { $0 != " " } }
        #expect(Set(ids).count == 2 && ids.allSatisfy { $0.count < 16 })
        #expect(lines[1].contains("send.lua:3: no route") && lines[1].hasSuffix("…"))
        #expect(JobRows.digits([]) == 8)
        #expect(JobRows.digits([Self.id(1), Self.id(1), Self.id(1, 0xABCD_0000_0000_0001)]) == 32)
        #expect(JobRows.digits([JobID(high: 0, low: 0), JobID(high: 1 << 63, low: 0)]) == 8)
    }

    @Test(
        "of an error's place stays what tells it from others",
        arguments: [
            ("/a/b/jobs/a.lua:3: boom", "jobs/a.lua:3: boom"), ("jobs/a.lua:3: boom", "jobs/a.lua:3: boom"),
            ("a.lua:3: boom", "a.lua:3: boom"), ("./x/jobs/a.lua:3: boom", "jobs/a.lua:3: boom"),
            ("/a b/c d/jobs/a.lua:12: boom", "jobs/a.lua:12: boom"),
            ("cannot read: /a/b/c.lua:3: is no file", "cannot read: /a/b/c.lua:3: is no file"),
            ("see /a/b/c.lua:3", "see /a/b/c.lua:3"), ("no place", "no place"), ("", ""), ("\n\n x\ny", " x"),
            ("/a/b/c.lua: no line", "/a/b/c.lua: no line"),
        ])
    func places(error: String, line: String) {
        #expect(ErrorLine.short(error) == line)
    }

    @Test("what peers say makes no line, and moves no cursor")
    func escaped() throws {
        var job = Self.failed("\u{1B}[2Ja.lua:1: x")
        let name = "mail\n1234  other\u{9B}m\u{7F}"
        job = Job(id: job.id, name: name, args: JobArguments(unchecked: Array("{\n}oops".utf8)), createdAt: Self.now)
        job.lastError = "\u{1B}[2J"
        let found = Self.found(job, waitsFor: "its\r\nturn")
        let lines = Self.table([found])
        #expect(lines.count == 2)
        #expect(lines[1].contains("mail\\n1234  other\\x9bm\\x7f") && lines[1].contains("its\\xd\\nturn"))
        let json = Terminal.escaped(json: JobFields(found, Self.clock).json)
        #expect(json.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        let read = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        #expect(read["name"] as? String == name && read["args"] is NSNull)
        let text = JobFields(found, Self.clock).text
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
    }

    @Test("each field has the type of JSON that the table gives it")
    func types() throws {
        let found = JobMonitor.Found(
            job: FieldSample.recorded, owner: StoredOwner(role: .node, name: "n1", isOpen: true), waitsFor: nil)
        let json = try JSONValue(parsing: JobFields(found, Self.clock).json.utf8)
        #expect(json["args"] == ["path": "cat.png"])
        #expect(json["again"]?.string == #"{"n":1}"#)
        #expect(json["priority"]?.int == 9 && json["max_attempt"]?.int == 3 && json["defer"]?.bool == true)
        #expect(json["tick"]?.double == 1_767_225_540)
        #expect(json["tick_local"]?.string == "2026-01-01T01:59:00+02:00")
        #expect(json["unique_until"]?.double == 1_767_225_602.623456)
        #expect(json["unique_until_local"]?.string?.hasPrefix("2026-01-01T02:00:02") == true)
        #expect(json["period"]?.double == 60 && json["status"]?.string == "in progress")
    }

    @Test("a record has each time as seconds and as a local one")
    func fields() throws {
        let fields = JobFields(Self.found(Self.failed("no")), Self.clock)
        let read = try #require(try JSONSerialization.jsonObject(with: Data(fields.json.utf8)) as? [String: Any])
        #expect(read["made_at"] as? Double == 1_699_999_940)
        #expect(read["made_at_local"] as? String == "2023-11-15T00:12:20+02:00")
        #expect(read["failed_at"] as? Double == 1_699_999_991.25)
        #expect(read["failed_at_local"] as? String == "2023-11-15T00:13:11+02:00")
        #expect(read["run_time"] as? Double == 1.25 && read["attempt"] as? Int == 3)
        #expect(read["on_node"] as? String == "n1" && read["waits_for"] == nil)
        #expect(fields.text.contains("failed_at    2023-11-15T00:13:11+02:00"))
        // What a distributor says of a job has the same.
        let times = ["run_at", "1699999990", "failed_at", "1699999991.25"]
        let due = ["due_at", "1700003600", "waits_for", "its turn"]
        let reply = JobFields(reply: ["id", "x", "status", "queued"] + times + due, Self.clock).json
        let told = try #require(try JSONSerialization.jsonObject(with: Data(reply.utf8)) as? [String: Any])
        #expect(told["run_time"] as? Double == 1.25)
        #expect(told["waits_for"] as? String == "not before 01:13:20 +02:00 (in 60 min), its turn")
        let early = JobFields(reply: ["status", "queued", "due_at", "1700003600"], Self.clock).text
        #expect(early.contains("waits_for  not before 01:13:20 +02:00 (in 60 min)"))
        let done = JobFields(reply: ["status", "complete", "due_at", "1700003600", "run_at", "nan"], Self.clock).text
        #expect(!done.contains("waits_for") && !done.contains("run_time"))
        // Times that are none are told as they are.
        let wrong = JobFields(words: ["id", "x", "due_at", "inf", "run_at", "soon", "odd"], Self.clock)
        #expect(wrong.json == #"{"id":"x","due_at":null,"run_at":null}"#)
        #expect(wrong.text == "id      x\ndue_at  inf\nrun_at  soon")
    }

    @Test("the last column of a table has the room of the terminal, and 20 characters at least")
    func fitted() {
        var table = TextTable(["A", "B"])
        table.add(["xxxx", String(repeating: "b", count: 50)])
        #expect(table.fitted(to: 40).text.split(separator: "\n").map(\.count) == [7, 40])
        #expect(table.fitted(to: 3).text.split(separator: "\n").map(\.count) == [7, 26])
        table.add(["", ""])
        #expect(table.withoutEmpty(["A"]).text.hasPrefix("A "))
        var empty = TextTable(["A", "B", "C"], numbers: [2])
        empty.add(["a", "", "1"])
        empty.add(["b", "", "22"])
        #expect(empty.withoutEmpty(["B", "C"]).text == "A   C\na   1\nb  22")
    }
}
