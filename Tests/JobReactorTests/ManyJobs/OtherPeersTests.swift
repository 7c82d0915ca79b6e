import JobReactor
import JobReactorCore
import JobReactorTesting
import JobReactorWire
import NIOCore
import Testing

/// What a monitor makes of peers of an earlier release, and of hostile ones.
@Suite("A monitor and other peers", .timeLimit(.minutes(5))) struct OtherPeersTests {
    private static func job(_ number: Int, _ status: JobStatus = .failed) -> Job {
        var job = Job(
            id: JobID(high: 7, low: UInt64(number)), name: number % 2 == 0 ? "even" : "odd", args: [:],
            createdAt: Timestamp(microseconds: 0))
        (job.status, job.attempt, job.runs) = (status, 1, 1)
        job.lastError = "no disk"
        return job
    }

    private static func writeInfo(_ name: String, to buffer: inout ByteBuffer) {
        buffer.writeRESPBulk("# Server\r\nrole:node\r\nname:\(name)\r\n")
    }

    @Test("a node of an earlier release is asked page by page, and for each job by itself")
    func earlier() async throws {
        let changed = Locked<[String]>([])
        let port = try await ScriptedPort.open { words, reply in
            switch words[0] {
            case "INFO": Self.writeInfo("old", to: &reply)
            case "RECORDS"
            where !Set(words).isDisjoint(with: ["NEWEST", "BEFORE", "NAME", "STATUS", "ERROR", "SINCE"]):
                reply.writeRESPError("ERR RECORDS takes AFTER id and COUNT n, not '\(words[1])'")
            case "RECORDS":
                let after = words.firstIndex(of: "AFTER").flatMap { JobID(words[$0 + 1]) }
                let rest = (1...1100).filter { after?.low ?? 0 < UInt64($0) }.prefix(500)
                reply.writeRESPArray(count: rest.count)
                for number in rest { JobRecord.write(Self.job(number), to: &reply) }
            case _ where words.count != 2:
                reply.writeRESPError("ERR wrong number of arguments for '\(words[0].lowercased())' command")
            default:
                changed.withLock { $0.append("\(words[0]) \(words[1].suffix(4))") }
                reply.writeRESPInteger(1)
            }
        }
        let monitor = JobMonitor(node: port.address)
        let newest = try await monitor.newestJobs(JobMonitor.Filter(name: "even"), limit: 3)
        #expect(newest.map(\.job.id.low) == [1100, 1098, 1096])
        let odd = try await monitor.jobs(JobMonitor.Filter(name: "odd", error: "DISK"))
        #expect(odd.map(\.job.id.low) == stride(from: 1, to: 1100, by: 2).map { UInt64($0) })
        #expect(try await monitor.change(.retry, all: JobMonitor.Filter(name: "odd"), isDry: true) == 550)
        #expect(changed.withLock { $0 }.isEmpty)
        #expect(try await monitor.change(.destroy, all: JobMonitor.Filter(name: "even", error: "disk")) == 550)
        #expect(changed.withLock { $0 }.count == 550 && changed.withLock { $0.first } == "DESTROY 0002")
        await port.close()
    }

    @Test(
        "answers that cannot be right are errors, and are not read for ever",
        arguments: [
            ([1, 1], "records out of order"), ([2, 1], "records out of order"),
            (Array(1...600), "more records than requested"), ([-1], "a record of another release"),
        ])
    func hostile(numbers: [Int], text: String) async throws {
        let port = try await ScriptedPort.open { words, reply in
            guard words[0] == "RECORDS" else { return Self.writeInfo("evil", to: &reply) }
            reply.writeRESPArray(count: numbers.count)
            for number in numbers {
                if number < 0 {
                    reply.writeRESPCommand(["id", "x"])
                } else {
                    JobRecord.write(Self.job(number), to: &reply)
                }
            }
        }
        let monitor = JobMonitor(node: port.address)
        let error = await #expect(throws: StorageError.self) { try await monitor.jobs() }
        #expect(error?.message == "\(port.address) answers with \(text)")
        await port.close()
    }

    @Test("the same page again and again is an error, and so is a page of others' jobs")
    func endless() async throws {
        let port = try await ScriptedPort.open { words, reply in
            switch words[0] {
            case "INFO": Self.writeInfo("evil", to: &reply)
            case "RECORDS":
                reply.writeRESPArray(count: 1)
                JobRecord.write(Self.job(5), to: &reply)
            case "RECORD": JobRecord.write(Self.job(5), to: &reply)
            default: reply.writeRESPSimple("OK")
            }
        }
        let monitor = JobMonitor(node: port.address)
        for order in [true, false] {
            let error = await #expect(throws: StorageError.self) {
                _ = try await order ? monitor.jobs() : monitor.newestJobs(limit: 10)
            }
            #expect(error?.message.hasSuffix("records out of order") == true)
        }
        // What was not asked for is left out.
        let error = await #expect(throws: StorageError.self) { try await monitor.load(JobID(high: 1, low: 1)) }
        #expect(error?.message.hasSuffix("a record of another job") == true)
        let changed = await #expect(throws: StorageError.self) {
            try await monitor.change(.retry, all: JobMonitor.Filter(name: "odd"))
        }
        #expect(changed?.message == "evil answers RETRY with something other than a number")
        await port.close()
    }

    @Test(
        "a peer whose name is none is no peer", arguments: ["a b", "", "\u{1B}[2J", String(repeating: "n", count: 300)])
    func names(_ name: String) async throws {
        let port = try await ScriptedPort.open { _, reply in Self.writeInfo(name, to: &reply) }
        let error = await #expect(throws: StorageError.self) { try await JobMonitor(node: port.address).jobs() }
        #expect(error?.message.contains("is neither a node nor a distributor") == true)
        await port.close()
    }
}
