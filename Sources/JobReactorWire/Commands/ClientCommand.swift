package import JobReactorCore

/// A parsed command of a Redis client. Names and options are case-insensitive.
package enum ClientCommand: Hashable, Sendable {
    case ping(String?)
    /// The receiver checks the password.
    case auth(Credentials)
    case hello(version: Int?, Credentials?)
    /// The user that has logged in, and its roles.
    case whoAmI
    case quit
    /// `COMMAND …` and `CLIENT …`: what client libraries send when they connect.
    case commandTable(isCount: Bool)
    case clientSetting
    case enqueue(JobRequest)
    /// `timeout` in seconds.
    case perform(JobRequest, timeout: Double?)
    case nodes
    case info(section: String?)
    case jobs
    /// Reloads the job scripts.
    case reload
    case job(JobID)
    /// Whole records, in pages.
    case records(RecordQuery)
    case record(JobID)
    case cancel(JobID)
    /// Runs the job now, also if it is finished.
    case retry(JobID)
    /// Cancels an unfinished job, and removes its record.
    case destroy(JobID)
    /// One of these three for all jobs that match the filter; a dry order only counts them.
    case orders(JobOrder, JobFilter, isDry: Bool)
    /// Begins no runs of jobs of a name, or on a node; current runs continue.
    case pause(PauseTarget)
    case resume(PauseTarget)
    /// All pauses, with user and time.
    case pauses
    case schedule(ScheduleOrder)
    case schedules
    /// The limits with their usage.
    case limits
    /// The newest entries of the audit log.
    case audit(count: Int)
    case handshake(Handshake)

    /// A user, nil if none is named, and its password.
    package struct Credentials: Hashable, Sendable {
        package var user: String?
        package var password: [UInt8]

        package init(user: String? = nil, password: [UInt8]) {
            self.user = user
            self.password = password
        }
    }

    /// Those that take the id of a job and nothing else.
    private static let ofOneJob: [(name: StaticString, command: @Sendable (JobID) -> ClientCommand)] = [
        ("JOB", { .job($0) }), ("RECORD", { .record($0) }), ("CANCEL", { .cancel($0) }), ("RETRY", { .retry($0) }),
        ("DESTROY", { .destroy($0) }),
    ]

    /// Whether it is answered before AUTH.
    package var isAllowedBeforeAuthentication: Bool {
        switch self {
        case .ping, .auth, .hello, .quit: true
        // It carries a proof of its own.
        case .handshake(.link): true
        default: false
        }
    }

    /// The required role; nil for any user that has logged in.
    package var role: Role? {
        switch self {
        case .ping, .auth, .hello, .whoAmI, .quit, .commandTable, .clientSetting: nil
        case .enqueue, .perform, .handshake(.producer): .producer
        case .nodes, .info, .jobs, .records, .record, .job, .pauses, .schedules, .limits, .schedule(.get): .viewer
        case .pause, .resume, .schedule: .operator
        case .retry, .destroy, .audit, .cancel, .orders: .operator
        case .reload: .author
        case .handshake(.node): .node
        case .handshake: nil
        }
    }

    /// Whether a producer may also send it for its own jobs; the receiver checks whose job it is.
    package var isForOwnJobs: Bool {
        switch self {
        case .job, .cancel: true
        default: false
        }
    }

    package init(_ frame: RESPFrame) throws(CommandError) {
        guard let count = frame.wordCount else {
            throw CommandError("ERR Protocol error: a command is an array of bulk strings")
        }
        let verb = frame.word(0)
        func wrongCount(_ name: String) -> CommandError {
            CommandError("ERR wrong number of arguments for '\(name)' command")
        }
        if CommandWord.matches(verb, "ENQUEUE") {
            guard count >= 2 else { throw wrongCount("enqueue") }
            self = .enqueue(try JobRequest.parse(frame, from: 1, count: count))
        } else if CommandWord.matches(verb, "PERFORM") {
            guard count >= 2 else { throw wrongCount("perform") }
            var timeout: Double?
            let request = try JobRequest.parse(frame, from: 1, count: count) { (option, value) throws(CommandError) in
                guard CommandWord.matches(option, "TIMEOUT") else { return false }
                guard let seconds = CommandWord.number(value), seconds >= 0, seconds <= JobLimits.seconds else {
                    throw CommandError("ERR TIMEOUT takes seconds from 0, not '\(CommandWord.shown(value))'")
                }
                timeout = seconds
                return true
            }
            self = .perform(request, timeout: timeout)
        } else if CommandWord.matches(verb, "PING") {
            guard count <= 2 else { throw wrongCount("ping") }
            self = .ping(count == 2 ? frame.text(1) : nil)
        } else if CommandWord.matches(verb, "AUTH") {
            guard count == 2 || count == 3 else { throw wrongCount("auth") }
            let user = count == 3 ? frame.text(1) : nil
            self = .auth(Credentials(user: user, password: Array(frame.word(count - 1))))
        } else if CommandWord.matches(verb, "HELLO") {
            self = try Self.hello(frame, count)
        } else if CommandWord.matches(verb, "WHOAMI") {
            guard count == 1 else { throw wrongCount("whoami") }
            self = .whoAmI
        } else if CommandWord.matches(verb, "QUIT") {
            self = .quit
        } else if CommandWord.matches(verb, "COMMAND") {
            self = .commandTable(isCount: count > 1 && CommandWord.matches(frame.word(1), "COUNT"))
        } else if CommandWord.matches(verb, "CLIENT") {
            guard count >= 2 else { throw wrongCount("client") }
            guard CommandWord.matches(frame.word(1), "SETINFO") || CommandWord.matches(frame.word(1), "SETNAME") else {
                throw CommandError(
                    "ERR unknown subcommand '\(CommandWord.shown(frame.word(1)))': CLIENT knows SETINFO and SETNAME")
            }
            self = .clientSetting
        } else if CommandWord.matches(verb, "NODES") {
            guard count == 1 else { throw wrongCount("nodes") }
            self = .nodes
        } else if CommandWord.matches(verb, "INFO") {
            guard count <= 2 else { throw wrongCount("info") }
            self = .info(section: count == 2 ? frame.text(1).lowercased() : nil)
        } else if CommandWord.matches(verb, "JOBS") {
            guard count == 1 else { throw wrongCount("jobs") }
            self = .jobs
        } else if CommandWord.matches(verb, "RELOAD") {
            guard count == 1 else { throw wrongCount("reload") }
            self = .reload
        } else if CommandWord.matches(verb, "AUDIT") {
            guard count == 1 || count == 3 && CommandWord.matches(frame.word(1), "COUNT") else {
                throw CommandError("ERR AUDIT takes COUNT n, or nothing for the last 100")
            }
            self = .audit(count: count == 1 ? 100 : try Self.pageCount(frame.word(2)))
        } else if CommandWord.matches(verb, "RECORDS") {
            self = .records(try RecordQuery(frame, count))
        } else if count > 1, let order = Self.order(verb), JobID(hexadecimal: frame.word(1)) == nil,
            count > 2 || CommandWord.matches(frame.word(1), "ALL") || CommandWord.matches(frame.word(1), "DRY")
        {
            self = try Self.orders(order, frame, count)
        } else if let make = Self.ofOneJob.first(where: { CommandWord.matches(verb, $0.name) }) {
            guard count == 2 else { throw wrongCount("\(make.name)".lowercased()) }
            self = make.command(try Self.id(frame.word(1)))
        } else if CommandWord.matches(verb, "PAUSE") {
            self = .pause(try PauseTarget(frame, count, verb: "PAUSE"))
        } else if CommandWord.matches(verb, "RESUME") {
            self = .resume(try PauseTarget(frame, count, verb: "RESUME"))
        } else if CommandWord.matches(verb, "PAUSES") {
            guard count == 1 else { throw wrongCount("pauses") }
            self = .pauses
        } else if CommandWord.matches(verb, "SCHEDULE") {
            self = .schedule(try ScheduleOrder(frame, count))
        } else if CommandWord.matches(verb, "SCHEDULES") {
            guard count == 1 else { throw wrongCount("schedules") }
            self = .schedules
        } else if CommandWord.matches(verb, "LIMITS") {
            guard count == 1 else { throw wrongCount("limits") }
            self = .limits
        } else if let handshake = try Handshake(frame) {
            self = .handshake(handshake)
        } else {
            let arguments = (1..<count).prefix(3).map { "'\(CommandWord.shown(frame.word($0)))' " }.joined()
            throw CommandError(
                "ERR unknown command '\(CommandWord.shown(verb))', with args beginning with: \(arguments)")
        }
    }

    private static func order(_ verb: UnsafeRawBufferPointer) -> JobOrder? {
        if CommandWord.matches(verb, "RETRY") { return .retry }
        if CommandWord.matches(verb, "CANCEL") { return .cancel }
        return CommandWord.matches(verb, "DESTROY") ? .destroy : nil
    }

    static func id(_ word: UnsafeRawBufferPointer) throws(CommandError) -> JobID {
        guard let id = JobID(hexadecimal: word) else {
            throw CommandError("ERR '\(CommandWord.shown(word))' is not a job id: an id has 32 hexadecimal digits")
        }
        return id
    }

    /// The largest `COUNT`: an answer stays below the limit of a message with args of usual size.
    package static let mostRows = 1000

    static func pageCount(_ word: UnsafeRawBufferPointer) throws(CommandError) -> Int {
        guard let number = CommandWord.integer(word), 1...mostRows ~= number else {
            throw CommandError("ERR COUNT takes a number from 1 to \(mostRows), not '\(CommandWord.shown(word))'")
        }
        return number
    }

    private static func hello(_ frame: RESPFrame, _ count: Int) throws(CommandError) -> ClientCommand {
        guard count > 1 else { return .hello(version: nil, nil) }
        guard let version = CommandWord.integer(frame.word(1)) else {
            throw CommandError("ERR Protocol version is not an integer or out of range")
        }
        guard version == 2 else { throw CommandError("NOPROTO unsupported protocol version") }
        var credentials: Credentials?
        var index = 2
        while index < count {
            if CommandWord.matches(frame.word(index), "AUTH"), index + 2 < count {
                credentials = Credentials(user: frame.text(index + 1), password: Array(frame.word(index + 2)))
                index += 3
            } else if CommandWord.matches(frame.word(index), "SETNAME"), index + 1 < count {
                index += 2
            } else {
                throw CommandError("ERR Syntax error in HELLO option '\(CommandWord.shown(frame.word(index)))'")
            }
        }
        return .hello(version: version, credentials)
    }
}
