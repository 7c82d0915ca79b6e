package import JobReactorCore
package import NIOCore

/// What passes between two ends of a link after the handshake: RESP arrays, both ways, on their own.
///
/// The *giver* has jobs (a distributor towards its nodes, a ``JobClient`` towards its distributor), the *taker* takes
/// them. See <doc:LinkProtocol> for the protocol with examples.
package enum LinkMessage: Hashable, Sendable {
    // From the giver.
    /// A job to take. Its options carry no id.
    case job(JobID, JobRequest)
    /// As ``job(_:_:)``, of a job that the taker may have had before, over a connection that was lost: it looks whether
    /// it has it, or has reported it.
    case again(JobID, JobRequest)
    /// A `JOB` or `AGAIN` with a job that breaks a rule, and why. Its end is that reason; the link goes on. Never written.
    case unacceptable(JobID, name: String, reason: String)
    /// The next `n` reports, in the order they were sent, have arrived; the taker may forget them.
    case taken(Int)
    /// The job is not to run, or not to go on.
    case cancel(JobID)
    /// Asks for the record of a job that the taker has.
    case show(JobID)

    /// The node of that name does not come back: take over its jobs, in the storage that you share. Without a name, those
    /// of every node that has left some there.
    case adopt(String?)

    // From the taker.
    /// What ``adopt(_:)`` asked for is done, or, when it says false, could not be.
    case adopted(String?, Bool)
    /// The taker can take `n` more jobs.
    case credit(Int)
    /// The next `n` jobs, in the order they were sent, are dealt with: those that were not returned are saved.
    case saved(Int)
    /// The outcome of a run.
    case result(JobReport)
    /// How far a job that runs is.
    case progress(Progress)
    /// The record that ``show(_:)`` asked for, name and value in turn; empty when there is none.
    case shown(JobID, [String])
    /// Jobs that the taker will not run; the giver has them again.
    case returned([JobID])
    /// The taker defines exactly these jobs.
    case jobs([String])
    /// The taker stops: no more jobs.
    case drain

    // From either.
    /// Still here.
    case ping

    /// Reads a message; throws what is wrong with it.
    package init(_ frame: RESPFrame) throws(CommandError) {
        guard let count = frame.wordCount else {
            throw CommandError("ERR a link message is an array of strings")
        }
        let verb = frame.word(0)
        if CommandWord.matches(verb, "JOB"), count >= 4 {
            self = try Self.given(frame, count, isAgain: false)
        } else if CommandWord.matches(verb, "AGAIN"), count >= 4 {
            self = try Self.given(frame, count, isAgain: true)
        } else if CommandWord.matches(verb, "RESULT"), count == 7 {
            self = .result(try Self.report(frame))
        } else if CommandWord.matches(verb, "TAKEN"), count == 2 {
            self = .taken(try Self.count(frame.word(1)))
        } else if CommandWord.matches(verb, "CREDIT"), count == 2 {
            self = .credit(try Self.count(frame.word(1)))
        } else if CommandWord.matches(verb, "PROGRESS"), count == 5 {
            self = .progress(try Self.progress(frame))
        } else if CommandWord.matches(verb, "ADOPT"), count == 2 {
            self = .adopt(frame.word(1).isEmpty ? nil : frame.text(1))
        } else if CommandWord.matches(verb, "ADOPTED"), count == 3, let flag = CommandWord.integer(frame.word(2)) {
            self = .adopted(frame.word(1).isEmpty ? nil : frame.text(1), flag != 0)
        } else if CommandWord.matches(verb, "CANCEL"), count == 2 {
            self = .cancel(try Self.id(frame, 1))
        } else if CommandWord.matches(verb, "SHOW"), count == 2 {
            self = .show(try Self.id(frame, 1))
        } else if CommandWord.matches(verb, "SHOWN"), count >= 2, count % 2 == 0 {
            self = .shown(try Self.id(frame, 1), (2..<count).map { frame.text($0) })
        } else if CommandWord.matches(verb, "SAVED"), count == 2 {
            self = .saved(try Self.count(frame.word(1)))
        } else if CommandWord.matches(verb, "RETURN") {
            self = .returned(try Self.ids(frame, count))
        } else if CommandWord.matches(verb, "JOBS") {
            self = .jobs((1..<count).map { frame.text($0) })
        } else if CommandWord.matches(verb, "DRAIN") {
            self = .drain
        } else if CommandWord.matches(verb, "PING") {
            self = .ping
        } else {
            throw CommandError("ERR unknown link message '\(CommandWord.shown(verb))' with \(count - 1) arguments")
        }
    }

    private static func id(_ frame: RESPFrame, _ index: Int) throws(CommandError) -> JobID {
        guard let id = JobID(hexadecimal: frame.word(index)) else {
            throw CommandError("ERR '\(CommandWord.shown(frame.word(index)))' is no job id")
        }
        return id
    }

    /// What is wrong with a job ends that job; what cannot be answered for a job is no message.
    private static func given(
        _ frame: RESPFrame, _ count: Int, isAgain: Bool
    ) throws(CommandError) -> LinkMessage {
        let id = try Self.id(frame, 1)
        do throws(CommandError) {
            let request = try JobRequest.parse(frame, from: 2, count: count, checksArgs: false)
            return isAgain ? .again(id, request) : .job(id, request)
        } catch {
            return .unacceptable(id, name: CommandWord.shown(frame.word(2)), reason: error.reason)
        }
    }

    private static func ids(_ frame: RESPFrame, _ count: Int) throws(CommandError) -> [JobID] {
        var ids: [JobID] = []
        ids.reserveCapacity(count - 1)
        for index in 1..<count { ids.append(try id(frame, index)) }
        return ids
    }

    private static func count(_ word: UnsafeRawBufferPointer) throws(CommandError) -> Int {
        guard let value = CommandWord.integer(word), value >= 0, value <= 1 << 32 else {
            throw CommandError("ERR '\(CommandWord.shown(word))' is no count")
        }
        return value
    }

    private static func report(_ frame: RESPFrame) throws(CommandError) -> JobReport {
        guard let kind = Feedback.Kind(word: frame.word(3)), let status = JobStatus(word: frame.word(4)),
            let run = CommandWord.integer(frame.word(5)).flatMap(Int32.init(exactly:))
        else { throw CommandError("ERR a RESULT that says neither what nor when") }
        let args = JobArguments(unchecked: Array(frame.word(6)))
        return JobReport(
            id: try id(frame, 1), name: frame.text(2), feedback: Feedback(kind, args: args), status: status, run: run)
    }

    private static func progress(_ frame: RESPFrame) throws(CommandError) -> Progress {
        let word = frame.word(3)
        let fraction = word.isEmpty ? nil : CommandWord.number(word)
        guard let run = CommandWord.integer(frame.word(2)).flatMap(Int32.init(exactly:)),
            word.isEmpty || fraction.map({ (0...1).contains($0) }) == true
        else { throw CommandError("ERR a PROGRESS takes a run and a fraction from 0 to 1") }
        return Progress(id: try id(frame, 1), run: run, fraction: fraction, text: frame.text(4))
    }
}

extension LinkMessage {
    package static func writeJob(
        _ id: JobID, _ request: JobRequest, isAgain: Bool = false, to buffer: inout ByteBuffer
    ) {
        let words = request.wordCount
        let capacity = request.name.utf8.count + request.args.bytes.count + RESPCursor.idWord
        buffer.writeRESP(capacity: capacity + 4 * RESPCursor.aroundWord) { message in
            message.array(count: 2 + words)
            message.bulk(isAgain ? "AGAIN" : "JOB" as StaticString)
            message.bulk(id)
            message.bulk(request.name)
            message.bulk(request.args.bytes)
        }
        if words > 2 { request.writeOptions(to: &buffer) }
    }

    package static func writeResult(_ report: JobReport, to buffer: inout ByteBuffer) {
        let args = report.feedback.args.bytes
        // The words of fixed lengths take less than twice what is around them.
        let capacity = report.name.utf8.count + args.count + RESPCursor.idWord + 12 * RESPCursor.aroundWord
        buffer.writeRESP(capacity: capacity) { message in
            message.array(count: 7)
            message.bulk("RESULT" as StaticString)
            message.bulk(report.id)
            message.bulk(report.name)
            message.bulk(report.feedback.kind.rawValue)
            message.bulk(report.status.rawValue)
            message.bulk(number: Int(report.run))
            message.bulk(args)
        }
    }

    package static func writeProgress(_ progress: Progress, to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 5)
        buffer.writeRESPBulk("PROGRESS")
        buffer.writeRESPBulk(progress.id)
        buffer.writeRESPBulk(number: Int(progress.run))
        buffer.writeRESPBulk(progress.fraction.map { "\($0)" } ?? "")
        buffer.writeRESPBulk(progress.text)
    }

    package static func writeCancel(_ id: JobID, to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 2)
        buffer.writeRESPBulk("CANCEL")
        buffer.writeRESPBulk(id)
    }

    package static func writeAdopt(_ node: String?, to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 2)
        buffer.writeRESPBulk("ADOPT")
        buffer.writeRESPBulk(node ?? "")
    }

    package static func writeAdopted(_ node: String?, _ isDone: Bool, to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 3)
        buffer.writeRESPBulk("ADOPTED")
        buffer.writeRESPBulk(node ?? "")
        buffer.writeRESPBulk(number: isDone ? 1 : 0)
    }

    package static func writeShow(_ id: JobID, to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 2)
        buffer.writeRESPBulk("SHOW")
        buffer.writeRESPBulk(id)
    }

    package static func writeShown(_ id: JobID, _ fields: [String], to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 2 + fields.count)
        buffer.writeRESPBulk("SHOWN")
        buffer.writeRESPBulk(id)
        for field in fields { buffer.writeRESPBulk(field) }
    }

    package static func writeTaken(_ count: Int, to buffer: inout ByteBuffer) {
        writeCount("TAKEN", count, to: &buffer)
    }

    package static func writeCredit(_ count: Int, to buffer: inout ByteBuffer) {
        writeCount("CREDIT", count, to: &buffer)
    }

    package static func writeSaved(_ count: Int, to buffer: inout ByteBuffer) {
        writeCount("SAVED", count, to: &buffer)
    }

    package static func writeJobs(_ names: [String], to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 1 + names.count)
        buffer.writeRESPBulk("JOBS")
        for name in names { buffer.writeRESPBulk(name) }
    }

    package static func writeDrain(to buffer: inout ByteBuffer) {
        buffer.writeStaticString("*1\r\n$5\r\nDRAIN\r\n")
    }

    package static func writePing(to buffer: inout ByteBuffer) {
        buffer.writeStaticString("*1\r\n$4\r\nPING\r\n")
    }

    /// One message, or several where there are more ids than one frame may hold.
    package static func writeReturned(_ ids: [JobID], to buffer: inout ByteBuffer) {
        var rest = ids[...]
        while !rest.isEmpty {
            let part = rest.prefix(10_000)
            buffer.writeRESPArray(count: 1 + part.count)
            buffer.writeRESPBulk("RETURN")
            for id in part { buffer.writeRESPBulk(id) }
            rest = rest.dropFirst(part.count)
        }
    }

    private static func writeCount(_ verb: StaticString, _ count: Int, to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 2)
        buffer.writeRESPBulk(verb)
        buffer.writeRESPBulk(number: count)
    }
}

// Read as bytes: making strings of them cost a distributor a twentieth of its time.

extension Feedback.Kind {
    fileprivate init?(word: UnsafeRawBufferPointer) {
        if CommandWord.equals(word, "SUCCESS") {
            self = .success
        } else if CommandWord.equals(word, "ERROR") {
            self = .error
        } else {
            return nil
        }
    }
}

extension JobStatus {
    /// How most runs end comes first.
    fileprivate init?(word: UnsafeRawBufferPointer) {
        if CommandWord.equals(word, "complete") {
            self = .complete
        } else {
            self.init(rawValue: String(decoding: word, as: UTF8.self))
        }
    }
}
