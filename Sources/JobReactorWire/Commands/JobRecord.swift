package import JobReactorCore
package import NIOCore

/// The whole record of a job as words: alternating names and values, without nil fields. Times are in microseconds. A
/// Redis storage and a node's port use this form.
package enum JobRecord {
    /// As an array.
    package static func write(_ job: Job, to buffer: inout ByteBuffer) {
        var words = RESPWords()
        write(job, to: &words)
        words.write(to: &buffer)
    }

    package static func write(_ job: Job, to words: inout RESPWords) {
        words.add("id", job.id)
        words.add("name", job.name)
        words.add("args", job.args.bytes)
        words.add("status", job.status.rawValue)
        words.add("attempt", Int(job.attempt))
        words.add("runs", Int(job.runs))
        words.add("due_at", Int(job.dueAt.microseconds))
        words.add("distributor", job.distributor)
        if job.isDeferred { words.add("defer", "1") }
        if let time = job.runAt { words.add("run_at", Int(time.microseconds)) }
        if let time = job.failedAt { words.add("failed_at", Int(time.microseconds)) }
        if let wait = job.makeAfter { words.add("make_after", "\(wait)") }
        if let period = job.period { words.add("period", "\(period)") }
        if let node = job.node { words.add("node", node) }
        if let node = job.notNode { words.add("not_node", node) }
        if let attempts = job.maxAttempt { words.add("max_attempt", attempts) }
        if let multiplier = job.retryMultiplier { words.add("retry_multiplier", "\(multiplier)") }
        if let error = job.lastError { words.add("last_error", error) }
        if let traceback = job.lastTraceback { words.add("traceback", traceback) }
        if let doing = job.doing { words.add("doing", doing) }
        if let trace = job.trace { words.add("trace", trace.json) }
        if let priority = job.priority { words.add("priority", priority) }
        if let unique = job.unique { write(unique, to: &words) }
        if let tick = job.tick {
            words.add("schedule", tick.schedule)
            words.add("tick", Int(tick.at.microseconds))
        }
        if let args = job.again { words.add("again", args.bytes) }
    }

    private static func write(_ unique: JobUnique, to words: inout RESPWords) {
        words.add("unique", unique.key ?? "")
        if unique.seconds > 0 { words.add("unique_for", "\(unique.seconds)") }
        if unique.onConflict != .keep { words.add("on_conflict", unique.onConflict.rawValue) }
        if let time = unique.acceptedAt { words.add("accepted_at", Int(time.microseconds)) }
    }

    private static func unique(_ fields: RecordFields) -> JobUnique? {
        guard let key = fields.text("unique") else { return nil }
        var unique = JobUnique(
            key, for: fields.number("unique_for") ?? 0,
            onConflict: fields.text("on_conflict").flatMap(UniqueConflict.init(rawValue:)) ?? .keep)
        unique.acceptedAt = fields.time("accepted_at")
        return unique
    }

    /// The record in the array at `token`; nil if it is not a valid record.
    package static func job(_ frame: RESPFrame, at token: Int) -> Job? {
        job(RecordFields(frame, at: token))
    }

    /// The same, for a reply that was read as a tree.
    package static func job(_ words: [RESPValue]) -> Job? {
        var buffer = ByteBuffer()
        buffer.writeRESPArray(count: words.count)
        for word in words { if case .bulk(let bytes) = word { buffer.writeRESPBulk(bytes) } }
        let stream = RESPStream(side: .client, limits: RESPLimits(frameBytes: 1 << 30))
        var job: Job?
        try? buffer.withUnsafeReadableBytes { bytes in
            try stream.consume(bytes) { frame in
                job = self.job(frame, at: 0)
                return false
            }
        }
        return job
    }

    private static func job(_ fields: RecordFields) -> Job? {
        guard let id = fields["id"].flatMap({ JobID(hexadecimal: $0) }), let name = fields.text("name"),
            let args = fields["args"], let status = fields.text("status").flatMap(JobStatus.init(rawValue:)),
            let attempt = fields.integer("attempt").flatMap(Int32.init(exactly:)),
            let runs = fields.integer("runs").flatMap(Int32.init(exactly:)), let dueAt = fields.time("due_at"),
            let distributor = fields.text("distributor")
        else { return nil }
        var options = JobOptions(
            period: fields.number("period"), node: fields.text("node"), notNode: fields.text("not_node"),
            isDeferred: fields["defer"] != nil, maxAttempt: fields.integer("max_attempt"),
            retryMultiplier: fields.number("retry_multiplier"), priority: fields.integer("priority"))
        if let schedule = fields.text("schedule"), let time = fields.time("tick") {
            options.tick = JobTick(schedule: schedule, at: time)
        }
        var job = Job(
            id: id, name: name, args: JobArguments(unchecked: Array(args)), options: options, distributor: distributor,
            createdAt: dueAt)
        job.dueAt = dueAt
        // Not among the options: a new job's key is held from now on.
        if let unique = unique(fields) { job.unique = unique }
        job.status = status
        job.attempt = attempt
        job.runs = runs
        job.runAt = fields.time("run_at")
        job.failedAt = fields.time("failed_at")
        job.makeAfter = fields.number("make_after")
        job.lastError = fields.text("last_error")
        job.lastTraceback = fields.text("traceback")
        job.doing = fields.text("doing")
        job.again = fields["again"].map { JobArguments(unchecked: Array($0)) }
        job.trace = fields["trace"].flatMap { JobTrace(json: $0) }
        return job
    }
}

/// Alternating names and values, as the server returns a hash.
package struct RecordFields {
    private var values: [String: UnsafeRawBufferPointer] = [:]

    package init(_ frame: RESPFrame, at token: Int) {
        guard frame.kind(ofToken: token) == .array else { return }
        for index in stride(from: token + 1, to: token + frame.value(ofToken: token), by: 2) {
            values[String(decoding: frame.bytes(ofToken: index), as: UTF8.self)] = frame.bytes(ofToken: index + 1)
        }
    }

    package subscript(name: String) -> UnsafeRawBufferPointer? { values[name] }
    package func text(_ name: String) -> String? { values[name].map { String(decoding: $0, as: UTF8.self) } }
    package func integer(_ name: String) -> Int? { text(name).flatMap { Int($0) } }
    package func number(_ name: String) -> Double? { text(name).flatMap { Double($0) } }
    package func time(_ name: String) -> Timestamp? {
        text(name).flatMap { Int64($0) }.map { Timestamp(microseconds: $0) }
    }
}

// MARK: - For people

extension Job {
    /// The record as shown by `JOB id`: alternating names and values, without unset fields. Times are seconds since
    /// 1970, waits are seconds.
    package var shownFields: [String] {
        JobFieldTable.shown.flatMap { field in field.shown(self).map { [field.name, $0.text] } ?? [] }
    }
}

extension User {
    /// Stands for the args of a job that are hidden.
    private static let hiddenArgs: JobArguments = ["(hidden)": true]

    /// Whether these args, as ``JobReactorCore/Job/shownFields`` has them, stand for some that are hidden.
    package static func areHidden(_ args: String?) -> Bool { args == hiddenArgs.description }

    private func sees(_ hidesArgs: Bool) -> Bool { !hidesArgs || has(.operator) || has(.author) }

    /// The job as this user may see it.
    package func sees(_ job: Job, hidesArgs: Bool) -> Job {
        guard !sees(hidesArgs) else { return job }
        var job = job
        job.args = Self.hiddenArgs
        if job.again != nil { job.again = Self.hiddenArgs }
        return job
    }

    /// The same, for ``JobReactorCore/Job/shownFields``.
    package func sees(_ fields: [String], hidesArgs: Bool) -> [String] {
        guard !sees(hidesArgs) else { return fields }
        var fields = fields
        for index in stride(from: 0, to: fields.count - 1, by: 2) where ["args", "again"].contains(fields[index]) {
            fields[index + 1] = Self.hiddenArgs.description
        }
        return fields
    }
}
