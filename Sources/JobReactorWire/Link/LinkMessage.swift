package import JobReactorCore

/// The messages of a link after the handshake: RESP arrays in both directions, without replies.
///
/// The *giver* hands jobs over (a distributor to its nodes, a ``JobClient`` to its distributor), the *taker* receives
/// them. See <doc:LinkProtocol> for the protocol with examples.
package enum LinkMessage: Hashable, Sendable {
    // From the giver.
    /// A job for the taker. Its options contain no id. For a suspect see ``begun(_:attempt:of:)``.
    case job(HandOver, JobRequest)
    /// As ``job(_:_:)``, for a job that the taker may have received over a lost connection: it checks whether it has
    /// the job or has reported it.
    case again(HandOver, JobRequest)
    /// A `JOB` or `AGAIN` with an invalid job, and the reason. The job is refused; the link continues. Never written.
    case unacceptable(HandOver, name: String, reason: String)
    /// The reports up to the one of this number have arrived; the taker may forget them.
    case taken(Int)
    /// The job must not run, or must stop.
    case cancel(JobID)
    /// Asks for the record of a job that the taker has.
    case show(JobID)

    /// A job with the same key was enqueued anew: its args and options are those that the taker's job of the hand-over's id is to
    /// have, as ``JobUnique/onConflict`` says. The number is that of the message, which the answer names.
    case replace(HandOver, JobRequest)
    /// The run requested with ``permit(_:priority:_:)`` may begin.
    case permitted(JobID)
    /// The requested run must not begin: a limit is full and discards jobs. The job ends as cancelled, with this reason
    /// as its last error.
    case discarded(JobID, String)
    /// No run of these jobs begins, or of any job if the taker itself is paused; current runs continue. Replaces the
    /// previous message.
    case hold(isNode: Bool, jobs: [String])

    /// The node of that name does not come back: take over its jobs in the shared storage. Without a name: take over
    /// the jobs of all nodes that have left some there.
    case adopt(String?)

    // From the taker.
    /// The answer to ``adopt(_:)``: true if it was done, false if it was not possible.
    case adopted(String?, Bool)
    /// The taker can take `n` more jobs.
    case credit(Int)
    /// The hand-overs from the first number to the second are saved, except those that were answered otherwise before.
    case saved(Int, through: Int)
    /// The outcome of a run, with the number of the report: a process of the taker counts its reports to one giver from
    /// 1, over all links.
    case result(Int, JobReport)
    /// A run of a suspect is about to begin, with its attempt and the maximum number of attempts. Sent before any code
    /// of the job runs.
    case begun(HandOver, attempt: Int32, of: Int32)
    /// The run of a suspect has suspended for the first time, and others run.
    case paused(HandOver)
    /// This attempt of a suspect has failed, and the job waits at the taker for the next.
    case waits(HandOver, attempt: Int32)
    /// The progress of a running job.
    case progress(Progress)
    /// The record requested with ``show(_:)``, alternating names and values; empty if there is none.
    case shown(JobID, [String])
    /// The taker does not run the jobs of these hand-overs; the giver has the jobs again.
    case returned([HandOver])
    /// The taker can never run the job, for this reason.
    case refused(HandOver, String)
    /// The taker's storage refuses to store, for this reason; empty when it works again.
    case storageError(String)
    /// The taker defines exactly these jobs.
    case jobs([String])
    /// The definitions in the taker's scripts of when jobs run, and nothing else; sent before the ``jobs(_:)`` to which
    /// it belongs.
    case defines(NodeDefinitions, problems: [String])
    /// The args of ``replace(_:_:)`` are stored: the job has them at its next run.
    case replaced(HandOver)
    /// ``replace(_:_:)`` has no effect: the job already runs and will not run once more for it, or has ended.
    case kept(HandOver)
    /// A run with this priority wants to begin, and needs these parts of limits. Answered by ``permitted(_:)`` or
    /// ``discarded(_:_:)``.
    case permit(JobID, priority: Int, [LimitNeed])
    /// The permitted run is over without a ``result(_:_:)``, or the job no longer waits for a permit.
    case release(JobID)
    /// A run that was permitted over an earlier link continues; it began this many seconds ago.
    case holds(JobID, secondsAgo: Double, [LimitNeed])
    /// The first run of the job of a tick begins.
    case began(JobID)
    /// The taker is stopping: send no more jobs.
    case drain

    // From either.
    /// Still here.
    case ping
    /// A heartbeat from a taker that accepts jobs with the options of later releases: `AWAITED`, `TRACE`, `PRIORITY`,
    /// `UNIQUE`, `SCHEDULE` and `PERMITTED`. A side of an earlier release refuses such jobs, and reads this as a
    /// ``ping``.
    case takesLaterOptions

    /// Reads a ``result(_:_:)``, the most frequent message; nil for any other message.
    package static func result(in frame: RESPFrame) throws(CommandError) -> (number: Int, report: JobReport)? {
        guard frame.wordCount == 8, CommandWord.matches(frame.word(0), "RESULT") else { return nil }
        return (try count(frame.word(1)), try report(frame))
    }

    /// Reads a message; throws if it is invalid. `giver` is the sender of jobs, if the message may contain one.
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
        } else if CommandWord.matches(verb, "PERMIT"), count >= 3, count % 2 == 1 {
            self = .permit(
                try Self.id(frame, 1), priority: try Self.priority(frame.word(2)), Self.needs(frame, from: 3, count))
        } else if CommandWord.matches(verb, "PERMITTED"), count == 2 {
            self = .permitted(try Self.id(frame, 1))
        } else if CommandWord.matches(verb, "DISCARDED"), count == 3 {
            self = .discarded(try Self.id(frame, 1), frame.text(2))
        } else if CommandWord.matches(verb, "RELEASE"), count == 2 {
            self = .release(try Self.id(frame, 1))
        } else if CommandWord.matches(verb, "HOLDS"), count >= 3, count % 2 == 1 {
            guard let seconds = CommandWord.number(frame.word(2)), seconds >= 0, seconds <= JobLimits.seconds else {
                throw CommandError("ERR HOLDS takes seconds from 0, not '\(CommandWord.shown(frame.word(2)))'")
            }
            self = .holds(try Self.id(frame, 1), secondsAgo: seconds, Self.needs(frame, from: 3, count))
        } else if CommandWord.matches(verb, "BEGAN"), count == 2 {
            self = .began(try Self.id(frame, 1))
        } else if CommandWord.matches(verb, "REPLACE"), count >= 5 {
            let request = try JobRequest.parse(frame, from: 3, count: count, sender: giver)
            self = .replace(try Self.handOver(frame, 1), request)
        } else if CommandWord.matches(verb, "REPLACED"), count == 3 {
            self = .replaced(try Self.handOver(frame, 1))
        } else if CommandWord.matches(verb, "KEPT"), count == 3 {
            self = .kept(try Self.handOver(frame, 1))
        } else if CommandWord.matches(verb, "HOLD"), count >= 2, let flag = CommandWord.integer(frame.word(1)) {
            self = .hold(isNode: flag != 0, jobs: (2..<count).map { frame.text($0) })
        } else if CommandWord.matches(verb, "DEFINES"), count == 2 {
            self = try Self.defines(frame.word(1))
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
            self = count > 1 && CommandWord.matches(frame.word(1), "LATER_OPTIONS") ? .takesLaterOptions : .ping
        } else {
            throw CommandError("ERR unknown link message '\(CommandWord.shown(verb))' with \(count - 1) arguments")
        }
    }

    private static func id(_ frame: RESPFrame, _ index: Int) throws(CommandError) -> JobID {
        guard let id = JobID(hexadecimal: frame.word(index)) else {
            throw CommandError("ERR '\(CommandWord.shown(frame.word(index)))' is not a job id")
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
            var (isAwaited, isPermitted) = (false, false)
            var (schedule, tick) = (nil as String?, nil as Timestamp?)
            var request = try JobRequest.parse(frame, from: 3, count: count, sender: giver) {
                (option, value) throws(CommandError) in
                if CommandWord.matches(option, "AWAITED") {
                    isAwaited = try self.count(value) > 0
                } else if CommandWord.matches(option, "SUSPECT") {
                    suspect = try attempt(value)
                } else if CommandWord.matches(option, "PERMITTED") {
                    isPermitted = try self.count(value) > 0
                } else if CommandWord.matches(option, "SCHEDULE") {
                    schedule = String(decoding: value, as: UTF8.self)
                } else if CommandWord.matches(option, "TICK"), let time = CommandWord.integer(value) {
                    tick = Timestamp(microseconds: Int64(time))
                } else {
                    return false
                }
                return true
            }
            (request.suspect, request.isAwaited, request.isPermitted) = (suspect, isAwaited, isPermitted)
            if let schedule, let tick, Name.problem(in: schedule) == nil {
                request.options.tick = JobTick(schedule: schedule, at: tick)
            }
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
            throw CommandError("ERR '\(CommandWord.shown(word))' is not a count")
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
            throw CommandError("ERR '\(CommandWord.shown(word))' is not a number of attempts")
        }
        return value
    }

    private static func priority(_ word: UnsafeRawBufferPointer) throws(CommandError) -> Int {
        guard let value = CommandWord.integer(word), JobPriority.range.contains(value) else {
            throw CommandError("ERR '\(CommandWord.shown(word))' is not a priority")
        }
        return value
    }

    /// Limit and key in turn; the key is empty where the limit has none.
    private static func needs(_ frame: RESPFrame, from start: Int, _ count: Int) -> [LimitNeed] {
        stride(from: start, to: count - 1, by: 2).map { index in
            LimitNeed(limit: frame.text(index), key: frame.word(index + 1).isEmpty ? nil : frame.text(index + 1))
        }
    }

    private static func defines(_ word: UnsafeRawBufferPointer) throws(CommandError) -> LinkMessage {
        var problems: [String] = []
        do throws(JSONError) {
            let definitions = try NodeDefinitions(json: word) { problems.append($0) }
            return .defines(definitions, problems: problems)
        } catch {
            throw CommandError("ERR DEFINES takes a JSON object: \(error)")
        }
    }

    private static func report(_ frame: RESPFrame) throws(CommandError) -> JobReport {
        guard let kind = Feedback.Kind(word: frame.word(4)), let status = JobStatus(word: frame.word(5)),
            let run = CommandWord.integer(frame.word(6)).flatMap(Int32.init(exactly:))
        else { throw CommandError("ERR a RESULT has an invalid kind, status or run") }
        let (id, name) = (try id(frame, 2), frame.text(3))
        do throws(JSONError) {
            let args = try JobArguments(json: Array(frame.word(7)))
            return JobReport(id: id, name: name, feedback: Feedback(kind, args: args), status: status, run: run)
        } catch {
            // Nobody could read it: that is no success.
            var report = JobReport.refusal(
                of: id, name: name, reason: "the reported args of the job are not a JSON object: \(error)")
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
