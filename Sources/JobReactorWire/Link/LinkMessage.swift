package import JobReactorCore
package import NIOCore

/// What passes between two ends of a link after the handshake: RESP arrays, both ways, on their own.
///
/// The *giver* has jobs (a distributor towards its nodes, a ``JobClient`` towards its distributor), the *taker* takes
/// them. See <doc:LinkProtocol> for the protocol with examples.
package enum LinkMessage: Hashable, Sendable {
    // From the giver.
    /// A job to take. Its options carry no id. A suspect is to be run with care: see ``begun(_:attempt:of:)``.
    case job(HandOver, JobRequest)
    /// As ``job(_:_:)``, of a job that the taker may have had before, over a connection that was lost: it looks whether
    /// it has it, or has reported it.
    case again(HandOver, JobRequest)
    /// A `JOB` or `AGAIN` with a job that breaks a rule, and why. It is refused; the link goes on. Never written.
    case unacceptable(HandOver, name: String, reason: String)
    /// The reports up to the one of this number have arrived; the taker may forget them.
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
    /// The hand-overs from the first number to the second are saved, as far as they were not answered otherwise before.
    case saved(Int, through: Int)
    /// The outcome of a run. The number is that of the report: a process of the taker counts those to one giver from 1 on,
    /// over all links.
    case result(Int, JobReport)
    /// A run of a suspect is about to begin: this attempt, of so many. Said before any code of the job runs.
    case begun(HandOver, attempt: Int32, of: Int32)
    /// The run of a suspect pauses for the first time, and others run.
    case paused(HandOver)
    /// This attempt of a suspect has failed, and the job waits at the taker for the next.
    case waits(HandOver, attempt: Int32)
    /// How far a job that runs is.
    case progress(Progress)
    /// The record that ``show(_:)`` asked for, name and value in turn; empty when there is none.
    case shown(JobID, [String])
    /// The taker does not run what these hand-overs brought; the giver has the jobs again.
    case returned([HandOver])
    /// The taker can never run the job, for this reason.
    case refused(HandOver, String)
    /// The taker's storage refuses to store, for this reason; empty when it works again.
    case storageError(String)
    /// The taker defines exactly these jobs.
    case jobs([String])
    /// The taker stops: no more jobs.
    case drain

    // From either.
    /// Still here.
    case ping
    /// Still here, and takes jobs that are `AWAITED`, which a side of an earlier release would refuse. That takes it for a
    /// ``ping``.
    case takesAwaited

    /// A ``result(_:_:)``, of which there are most; nil for any other message.
    package static func result(in frame: RESPFrame) throws(CommandError) -> (number: Int, report: JobReport)? {
        guard frame.wordCount == 8, CommandWord.matches(frame.word(0), "RESULT") else { return nil }
        return (try count(frame.word(1)), try report(frame))
    }

    /// Reads a message; throws what is wrong with it. `giver` says who gives jobs, where the message may do that.
    package init(_ frame: RESPFrame, from giver: JobRequest.Sender = .distributor) throws(CommandError) {
        guard let count = frame.wordCount else {
            // The last word of a side that closes the link.
            if frame.kind(ofToken: 0) == .error, let reason = RESPValue(frame).text { throw CommandError(reason) }
            throw CommandError("ERR a link message is an array of strings")
        }
        let verb = frame.word(0)
        if CommandWord.matches(verb, "JOB"), count >= 5 {
            self = try Self.given(frame, count, from: giver, isAgain: false)
        } else if CommandWord.matches(verb, "AGAIN"), count >= 5 {
            self = try Self.given(frame, count, from: giver, isAgain: true)
        } else if CommandWord.matches(verb, "RESULT"), count == 8 {
            self = .result(try Self.count(frame.word(1)), try Self.report(frame))
        } else if CommandWord.matches(verb, "TAKEN"), count == 2 {
            self = .taken(try Self.count(frame.word(1)))
        } else if CommandWord.matches(verb, "CREDIT"), count == 2 {
            self = .credit(try Self.credit(frame.word(1)))
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
        } else if CommandWord.matches(verb, "SAVED"), count == 3 {
            self = .saved(try Self.count(frame.word(1)), through: try Self.count(frame.word(2)))
        } else if CommandWord.matches(verb, "RETURNED"), count % 2 == 1 {
            self = .returned(try Self.handOvers(frame, count))
        } else if CommandWord.matches(verb, "REFUSED"), count == 4 {
            self = .refused(try Self.handOver(frame, 1), frame.text(3))
        } else if CommandWord.matches(verb, "BEGUN"), count == 5 {
            self = .begun(
                try Self.handOver(frame, 1), attempt: try Self.attempt(frame.word(3)),
                of: try Self.attempt(frame.word(4)))
        } else if CommandWord.matches(verb, "PAUSED"), count == 3 {
            self = .paused(try Self.handOver(frame, 1))
        } else if CommandWord.matches(verb, "WAITS"), count == 4 {
            self = .waits(try Self.handOver(frame, 1), attempt: try Self.attempt(frame.word(3)))
        } else if CommandWord.matches(verb, "STORAGE_ERROR"), count == 2 {
            self = .storageError(frame.text(1))
        } else if CommandWord.matches(verb, "JOBS") {
            self = .jobs((1..<count).map { frame.text($0) })
        } else if CommandWord.matches(verb, "DRAIN") {
            self = .drain
        } else if CommandWord.matches(verb, "PING") {
            self = count > 1 && CommandWord.matches(frame.word(1), "AWAITED") ? .takesAwaited : .ping
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
        _ frame: RESPFrame, _ count: Int, from giver: JobRequest.Sender, isAgain: Bool
    ) throws(CommandError) -> LinkMessage {
        let handOver = try Self.handOver(frame, 1)
        do throws(CommandError) {
            var suspect: Int32?
            var isAwaited = false
            var request = try JobRequest.parse(frame, from: 3, count: count, sender: giver) {
                (option, value) throws(CommandError) in
                if CommandWord.matches(option, "AWAITED") {
                    isAwaited = try self.count(value) > 0
                } else if CommandWord.matches(option, "SUSPECT") {
                    suspect = try attempt(value)
                } else {
                    return false
                }
                return true
            }
            (request.suspect, request.isAwaited) = (suspect, isAwaited)
            return isAgain ? .again(handOver, request) : .job(handOver, request)
        } catch {
            return .unacceptable(handOver, name: CommandWord.shown(frame.word(3)), reason: error.reason)
        }
    }

    private static func handOver(_ frame: RESPFrame, _ index: Int) throws(CommandError) -> HandOver {
        HandOver(try self.count(frame.word(index)), try id(frame, index + 1))
    }

    private static func handOvers(_ frame: RESPFrame, _ count: Int) throws(CommandError) -> [HandOver] {
        var handOvers: [HandOver] = []
        handOvers.reserveCapacity(count / 2)
        for index in stride(from: 1, to: count, by: 2) { handOvers.append(try handOver(frame, index)) }
        return handOvers
    }

    private static func count(_ word: UnsafeRawBufferPointer) throws(CommandError) -> Int {
        guard let value = CommandWord.integer(word), value >= 0, value <= 1 << 53 else {
            throw CommandError("ERR '\(CommandWord.shown(word))' is no count")
        }
        return value
    }

    private static func credit(_ word: UnsafeRawBufferPointer) throws(CommandError) -> Int {
        let count = try count(word)
        guard count <= 1 << 32 else { throw CommandError("ERR a credit of \(count) is more than 4294967296") }
        return count
    }

    private static func attempt(_ word: UnsafeRawBufferPointer) throws(CommandError) -> Int32 {
        guard let value = CommandWord.integer(word).flatMap(Int32.init(exactly:)), value >= 0 else {
            throw CommandError("ERR '\(CommandWord.shown(word))' is no number of attempts")
        }
        return value
    }

    private static func report(_ frame: RESPFrame) throws(CommandError) -> JobReport {
        guard let kind = Feedback.Kind(word: frame.word(4)), let status = JobStatus(word: frame.word(5)),
            let run = CommandWord.integer(frame.word(6)).flatMap(Int32.init(exactly:))
        else { throw CommandError("ERR a RESULT that says neither what nor when") }
        let (id, name) = (try id(frame, 2), frame.text(3))
        do throws(JSONError) {
            let args = try JobArguments(json: Array(frame.word(7)))
            return JobReport(id: id, name: name, feedback: Feedback(kind, args: args), status: status, run: run)
        } catch {
            // Nobody could read it: that is no success.
            var report = JobReport.refusal(
                of: id, name: name, reason: "what was reported of the job is no JSON object: \(error)")
            report.run = run
            if status != .complete { report.status = status }
            return report
        }
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
        _ handOver: HandOver, _ request: JobRequest, isAgain: Bool = false, to buffer: inout ByteBuffer
    ) {
        let words = request.wordCount
        writeJob(handOver, request.name, request.args, words: words, isAgain: isAgain, to: &buffer)
        if words > 2 { request.writeOptions(to: &buffer) }
    }

    /// A job without options, as most are.
    package static func writePlainJob(
        _ handOver: HandOver, _ name: String, _ args: JobArguments, isAgain: Bool, to buffer: inout ByteBuffer
    ) {
        writeJob(handOver, name, args, words: 2, isAgain: isAgain, to: &buffer)
    }

    private static func writeJob(
        _ handOver: HandOver, _ name: String, _ args: JobArguments, words: Int, isAgain: Bool,
        to buffer: inout ByteBuffer
    ) {
        let capacity = name.utf8.count + args.bytes.count + RESPCursor.idWord
        // The number takes less than twice what is around a word.
        buffer.writeRESP(capacity: capacity + 6 * RESPCursor.aroundWord) { message in
            message.array(count: 3 + words)
            message.bulk(isAgain ? "AGAIN" : "JOB" as StaticString)
            message.bulk(number: handOver.number)
            message.bulk(handOver.id)
            message.bulk(name)
            message.bulk(args.bytes)
        }
    }

    package static func writeResult(_ number: Int, _ report: JobReport, to buffer: inout ByteBuffer) {
        let args = report.feedback.args.bytes
        // The words of fixed lengths take less than twice what is around them.
        let capacity = report.name.utf8.count + args.count + RESPCursor.idWord + 14 * RESPCursor.aroundWord
        buffer.writeRESP(capacity: capacity) { message in
            message.array(count: 8)
            message.bulk("RESULT" as StaticString)
            message.bulk(number: number)
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

    package static func writeTaken(_ number: Int, to buffer: inout ByteBuffer) {
        writeCount("TAKEN", number, to: &buffer)
    }

    package static func writeCredit(_ count: Int, to buffer: inout ByteBuffer) {
        writeCount("CREDIT", count, to: &buffer)
    }

    package static func writeSaved(_ first: Int, through last: Int, to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 3)
        buffer.writeRESPBulk("SAVED" as StaticString)
        buffer.writeRESPBulk(number: first)
        buffer.writeRESPBulk(number: last)
    }

    package static func writeRefused(_ handOver: HandOver, _ reason: String, to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 4)
        buffer.writeRESPBulk("REFUSED" as StaticString)
        buffer.writeRESPBulk(number: handOver.number)
        buffer.writeRESPBulk(handOver.id)
        buffer.writeRESPBulk(reason)
    }

    package static func writeBegun(
        _ handOver: HandOver, attempt: Int32, of most: Int32, to buffer: inout ByteBuffer
    ) {
        write("BEGUN", handOver, [attempt, most], to: &buffer)
    }

    package static func writePaused(_ handOver: HandOver, to buffer: inout ByteBuffer) {
        write("PAUSED", handOver, [], to: &buffer)
    }

    package static func writeWaits(_ handOver: HandOver, attempt: Int32, to buffer: inout ByteBuffer) {
        write("WAITS", handOver, [attempt], to: &buffer)
    }

    private static func write(
        _ verb: StaticString, _ handOver: HandOver, _ numbers: [Int32], to buffer: inout ByteBuffer
    ) {
        buffer.writeRESPArray(count: 3 + numbers.count)
        buffer.writeRESPBulk(verb)
        buffer.writeRESPBulk(number: handOver.number)
        buffer.writeRESPBulk(handOver.id)
        for number in numbers { buffer.writeRESPBulk(number: Int(number)) }
    }

    package static func writeStorageError(_ reason: String, to buffer: inout ByteBuffer) {
        buffer.writeRESPCommand(["STORAGE_ERROR", reason])
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

    package static func writeTakesAwaited(to buffer: inout ByteBuffer) {
        buffer.writeStaticString("*2\r\n$4\r\nPING\r\n$7\r\nAWAITED\r\n")
    }

    /// One message, or several where there are more than one frame may hold; none for none.
    package static func writeReturned(_ handOvers: [HandOver], to buffer: inout ByteBuffer) {
        var rest = handOvers[...]
        while !rest.isEmpty {
            let part = rest.prefix(10_000)
            buffer.writeRESPArray(count: 1 + 2 * part.count)
            buffer.writeRESPBulk("RETURNED")
            for handOver in part {
                buffer.writeRESPBulk(number: handOver.number)
                buffer.writeRESPBulk(handOver.id)
            }
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
