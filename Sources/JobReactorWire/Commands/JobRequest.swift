package import JobReactorCore
internal import NIOCore

/// The request of a producer: a job's name, args and options, which are the words after `ENQUEUE`, `PERFORM` and `JOB`.
package struct JobRequest: Hashable, Sendable {
    package var name: String
    package var args: JobArguments
    package var options: JobOptions
    /// For a suspect, a job that was at a lost node: the number of its counted attempts. Only on a link to a node.
    package var suspect: Int32?
    /// Whether a run of another job waits for its outcome. Only on links.
    package var isAwaited = false
    /// Whether its first run already has its place in the limits of its job. Only on a link to a node.
    package var isPermitted = false

    package init(name: String, args: JobArguments, options: JobOptions = JobOptions()) {
        self.name = name
        self.args = args
        self.options = options
    }

    /// The sender of a request, which determines what must be checked.
    package enum Sender: Sendable {
        /// A client: everything is checked.
        case client
        /// A producer's process: everything except dates is checked, because its clock may differ.
        case producer
        /// A distributor, which has checked the args and may have added to them.
        case distributor
    }

    /// Reads the words from `index` on: `name [args-json] [OPTION value …]`. `extra` may handle further options: it
    /// gets the option's word and its value and returns whether it handled them.
    package static func parse(
        _ frame: RESPFrame, from index: Int, count: Int, sender: Sender = .client,
        extra: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws(CommandError) -> Bool = { _, _ in false }
    ) throws(CommandError) -> JobRequest {
        let nameBytes = frame.word(index)
        guard let name = text(nameBytes) else { throw CommandError("ERR the job's name must be UTF-8") }
        try refusing { () throws(JobError) in try JobLimits.check(name: name) }
        var request = JobRequest(name: name, args: JobArguments())
        var position = index + 1
        if position < count, !isOption(frame.word(position)) {
            let word = frame.word(position)
            let isChecked = sender == .distributor
            let limit = isChecked ? JobLimits.argsBytes + JobLimits.addedBytes : JobLimits.argsBytes
            try refusing { () throws(JobError) in try JobLimits.check(argsBytes: word.count, limit: limit) }
            let bytes = Array(word)
            if isChecked {
                request.args = JobArguments(unchecked: bytes)
            } else {
                do throws(JSONError) { request.args = try JobArguments(json: bytes) } catch {
                    throw CommandError("ERR args must be one JSON object: \(error)")
                }
            }
            position += 1
        }
        var unique = UniqueWords()
        while position < count {
            let option = frame.word(position)
            if CommandWord.matches(option, "DEFER") {
                request.options.isDeferred = true
                position += 1
                continue
            }
            guard position + 1 < count else {
                throw isOption(option)
                    ? CommandError("ERR \(CommandWord.shown(option)) needs a value") : unknown(option)
            }
            let value = frame.word(position + 1)
            if try !request.options.read(option, value), try !unique.read(option, value), try !extra(option, value) {
                throw unknown(option)
            }
            position += 2
        }
        if let unique = try unique.made() { request.options.unique = unique }
        // What was accepted by one clock is not refused by another, however wrong one of them is.
        let secondsApart = sender == .client ? 0 : JobLimits.seconds
        try refusing { () throws(JobError) in
            try request.options.validate(secondsApart: secondsApart, names: .plain)
        }
        return request
    }

    private static func unknown(_ option: UnsafeRawBufferPointer) -> CommandError {
        CommandError(
            "ERR unknown option '\(CommandWord.shown(option))': the options are \(JobOptionTable.usageOfCommands)")
    }

    private static func refusing(_ check: () throws(JobError) -> Void) throws(CommandError) {
        do throws(JobError) { try check() } catch { throw CommandError("ERR \(error.message)") }
    }

    /// The library's check is a generic one that is not specialised; most names are ASCII.
    private static func text(_ bytes: UnsafeRawBufferPointer) -> String? {
        if bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Args start with `{`; whatever else stands there is an option, or args that are wrong.
    private static func isOption(_ word: UnsafeRawBufferPointer) -> Bool {
        guard let first = word.first else { return false }
        return (first >= UInt8(ascii: "A") && first <= UInt8(ascii: "Z"))
            || (first >= UInt8(ascii: "a") && first <= UInt8(ascii: "z") && !CommandWord.matches(word, "NULL")
                && !CommandWord.matches(word, "TRUE") && !CommandWord.matches(word, "FALSE"))
    }

    /// The number of words that ``parse(_:from:count:sender:extra:)`` reads, without the id.
    var wordCount: Int {
        2 + options.wordCount + (suspect == nil ? 0 : 2) + (isAwaited ? 2 : 0) + (isPermitted ? 2 : 0)
    }

    /// Writes those behind name and args.
    func writeOptions(to buffer: inout ByteBuffer) {
        options.write(args, to: &buffer)
        if isPermitted {
            buffer.writeRESPBulk("PERMITTED" as StaticString)
            buffer.writeRESPBulk(number: 1)
        }
        if isAwaited {
            buffer.writeRESPBulk("AWAITED" as StaticString)
            buffer.writeRESPBulk(number: 1)
        }
        guard let suspect else { return }
        buffer.writeRESPBulk("SUSPECT" as StaticString)
        buffer.writeRESPBulk(number: Int(suspect))
    }
}

extension JobOptions {
    /// Takes one option of the command grammar; false when it is none.
    fileprivate mutating func read(
        _ option: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(CommandError) -> Bool {
        if CommandWord.matches(option, "AFTER") {
            after = try seconds(value, "AFTER")
        } else if CommandWord.matches(option, "RUN_AT") {
            runAt = Timestamp(seconds: try seconds(value, "RUN_AT"))
        } else if CommandWord.matches(option, "PERIOD") {
            period = try seconds(value, "PERIOD")
        } else if CommandWord.matches(option, "NODE") {
            node = try name(value, "NODE")
        } else if CommandWord.matches(option, "NOT_NODE") {
            notNode = try name(value, "NOT_NODE")
        } else if CommandWord.matches(option, "MAX_ATTEMPT") {
            guard let number = CommandWord.integer(value) else {
                throw CommandError("ERR MAX_ATTEMPT takes a whole number from 1, not '\(CommandWord.shown(value))'")
            }
            maxAttempt = number
        } else if CommandWord.matches(option, "RETRY_MULTIPLIER") {
            retryMultiplier = try seconds(value, "RETRY_MULTIPLIER")
        } else if CommandWord.matches(option, "PRIORITY") {
            guard let number = CommandWord.integer(value) else {
                throw CommandError(
                    "ERR PRIORITY takes a whole number from 0 (last) to 9 (first), not '\(CommandWord.shown(value))'")
            }
            priority = number
        } else if CommandWord.matches(option, "ID") {
            guard let id = JobID(hexadecimal: value) else {
                throw CommandError("ERR ID takes 32 hexadecimal digits, not '\(CommandWord.shown(value))'")
            }
            self.id = id
        } else if CommandWord.matches(option, "TRACE") {
            guard let trace = JobTrace(json: value) else {
                throw CommandError(
                    "ERR TRACE takes a JSON object of strings, of at most \(JobLimits.traceBytes) bytes, not"
                        + " '\(CommandWord.shown(value))'")
            }
            self.trace = trace
        } else {
            return false
        }
        return true
    }

    private func name(_ value: UnsafeRawBufferPointer, _ option: String) throws(CommandError) -> String {
        guard let name = String(validating: value, as: UTF8.self) else {
            throw CommandError("ERR \(option) must be UTF-8")
        }
        return name
    }

    private func seconds(_ value: UnsafeRawBufferPointer, _ option: String) throws(CommandError) -> Double {
        guard let number = CommandWord.number(value) else {
            throw CommandError("ERR \(option) takes seconds, not '\(CommandWord.shown(value))'")
        }
        return number
    }

    fileprivate var wordCount: Int {
        if isPlain { return isDeferred ? 1 : 0 }
        func words(_ isThere: Bool) -> Int { isThere ? 2 : 0 }
        return words(after != nil) + words(runAt != nil) + words(period != nil) + words(node != nil)
            + words(notNode != nil) + words(maxAttempt != nil) + words(retryMultiplier != nil) + words(trace != nil)
            + (isDeferred ? 1 : 0) + (hasTurn ? turnWordCount : 0)
    }

    /// Whether it says anything about when the job has its turn: most jobs do not.
    private var hasTurn: Bool { priority != nil || unique != nil || tick != nil }

    private var turnWordCount: Int {
        var count = (priority == nil ? 0 : 2) + (tick == nil ? 0 : 4)
        if let unique { count += 2 + (unique.seconds > 0 ? 2 : 0) + (unique.onConflict == .keep ? 0 : 2) }
        return count
    }

    private func writeTurn(_ args: JobArguments, to buffer: inout ByteBuffer) {
        func option(_ name: StaticString, _ value: String) {
            buffer.writeRESPBulk(name)
            buffer.writeRESPBulk(value)
        }
        if let priority { option("PRIORITY", "\(priority)") }
        if let unique {
            option("UNIQUE", unique.keyed(args).key ?? "")
            if unique.seconds > 0 { option("UNIQUE_FOR", "\(unique.seconds)") }
            if unique.onConflict != .keep { option("ON_CONFLICT", unique.onConflict.rawValue.uppercased()) }
        }
        if let tick {
            option("SCHEDULE", tick.schedule)
            option("TICK", "\(tick.at.microseconds)")
        }
    }

    fileprivate func write(_ args: JobArguments, to buffer: inout ByteBuffer) {
        defer { if isDeferred { buffer.writeRESPBulk("DEFER") } }
        if isPlain { return }
        func option(_ name: StaticString, _ value: String?) {
            guard let value else { return }
            buffer.writeRESPBulk(name)
            buffer.writeRESPBulk(value)
        }
        option("AFTER", after.map { "\($0)" })
        option("RUN_AT", runAt.map { "\($0.seconds)" })
        option("PERIOD", period.map { "\($0)" })
        option("NODE", node)
        option("NOT_NODE", notNode)
        option("MAX_ATTEMPT", maxAttempt.map { "\($0)" })
        option("RETRY_MULTIPLIER", retryMultiplier.map { "\($0)" })
        option("TRACE", trace?.json)
        if hasTurn { writeTurn(args, to: &buffer) }
    }
}

/// The words of a key, in whatever order they come.
private struct UniqueWords {
    private var key: String?
    private var seconds: Double?
    private var onConflict: UniqueConflict?

    /// Takes one option; false when it is none of a key.
    mutating func read(
        _ option: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(CommandError) -> Bool {
        if CommandWord.matches(option, "UNIQUE") {
            guard let text = String(validating: value, as: UTF8.self) else {
                throw CommandError("ERR UNIQUE must be UTF-8")
            }
            key = text
        } else if CommandWord.matches(option, "UNIQUE_FOR") {
            guard let number = CommandWord.number(value) else {
                throw CommandError("ERR UNIQUE_FOR takes seconds, not '\(CommandWord.shown(value))'")
            }
            seconds = number
        } else if CommandWord.matches(option, "ON_CONFLICT") {
            let text = String(decoding: value.prefix(32), as: UTF8.self).lowercased()
            guard let conflict = UniqueConflict(rawValue: text) else {
                throw CommandError(
                    "ERR ON_CONFLICT takes keep, replace, again or raise, not '\(CommandWord.shown(value))'")
            }
            onConflict = conflict
        } else {
            return false
        }
        return true
    }

    /// The key that they say; nil for none.
    func made() throws(CommandError) -> JobUnique? {
        if let key { return JobUnique(key, for: seconds ?? 0, onConflict: onConflict ?? .keep) }
        guard seconds == nil, onConflict == nil else {
            throw CommandError("ERR \(seconds == nil ? "ON_CONFLICT" : "UNIQUE_FOR") needs UNIQUE key")
        }
        return nil
    }
}
