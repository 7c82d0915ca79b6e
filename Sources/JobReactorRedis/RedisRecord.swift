internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// Records as the words of a hash: name and value in turn, fields that are nil left out. Times are microseconds.
enum RedisRecord {
    static func write(_ job: Job, to words: inout RedisWords) {
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
    }

    static func write(_ stored: StoredReport, to words: inout RedisWords) {
        let report = stored.report
        words.add("id", report.id)
        words.add("run", Int(report.run))
        words.add("name", report.name)
        words.add("kind", report.feedback.kind.rawValue)
        words.add("status", report.status.rawValue)
        words.add("args", report.feedback.args.bytes)
        words.add("distributor", stored.distributor)
        words.add("made_at", Int(stored.madeAt.microseconds))
    }

    /// The record in the array at `token`; nil when it is none of ours.
    static func job(_ frame: RESPFrame, at token: Int) -> Job? {
        job(Fields(frame, at: token))
    }

    /// The same, of a reply that was read as a tree.
    static func job(_ words: [RESPValue]) -> Job? {
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

    private static func job(_ fields: Fields) -> Job? {
        guard let id = fields["id"].flatMap({ JobID(hexadecimal: $0) }), let name = fields.text("name"),
            let args = fields["args"], let status = fields.text("status").flatMap(JobStatus.init(rawValue:)),
            let attempt = fields.integer("attempt").flatMap(Int32.init(exactly:)),
            let runs = fields.integer("runs").flatMap(Int32.init(exactly:)), let dueAt = fields.time("due_at"),
            let distributor = fields.text("distributor")
        else { return nil }
        let options = JobOptions(
            period: fields.number("period"), node: fields.text("node"), notNode: fields.text("not_node"),
            isDeferred: fields["defer"] != nil, maxAttempt: fields.integer("max_attempt"),
            retryMultiplier: fields.number("retry_multiplier"))
        var job = Job(
            id: id, name: name, args: JobArguments(unchecked: Array(args)), options: options, distributor: distributor,
            createdAt: dueAt)
        job.dueAt = dueAt
        job.status = status
        job.attempt = attempt
        job.runs = runs
        job.runAt = fields.time("run_at")
        job.failedAt = fields.time("failed_at")
        job.makeAfter = fields.number("make_after")
        job.lastError = fields.text("last_error")
        job.lastTraceback = fields.text("traceback")
        return job
    }

    static func report(_ frame: RESPFrame, at token: Int) -> StoredReport? {
        let fields = Fields(frame, at: token)
        guard let id = fields["id"].flatMap({ JobID(hexadecimal: $0) }), let name = fields.text("name"),
            let run = fields.integer("run").flatMap(Int32.init(exactly:)), let args = fields["args"],
            let kind = fields.text("kind").flatMap(Feedback.Kind.init(rawValue:)),
            let status = fields.text("status").flatMap(JobStatus.init(rawValue:)),
            let distributor = fields.text("distributor"), let madeAt = fields.time("made_at")
        else { return nil }
        return StoredReport(
            JobReport(
                id: id, name: name, feedback: Feedback(kind, args: JobArguments(unchecked: Array(args))),
                status: status, run: run),
            distributor: distributor, madeAt: madeAt)
    }

    /// Names and values in turn, as the server hands out a hash.
    private struct Fields {
        private var values: [String: UnsafeRawBufferPointer] = [:]

        init(_ frame: RESPFrame, at token: Int) {
            guard frame.kind(ofToken: token) == .array else { return }
            for index in stride(from: token + 1, to: token + frame.value(ofToken: token), by: 2) {
                values[String(decoding: frame.bytes(ofToken: index), as: UTF8.self)] = frame.bytes(ofToken: index + 1)
            }
        }

        subscript(name: String) -> UnsafeRawBufferPointer? { values[name] }
        func text(_ name: String) -> String? { values[name].map { String(decoding: $0, as: UTF8.self) } }
        func integer(_ name: String) -> Int? { text(name).flatMap { Int($0) } }
        func number(_ name: String) -> Double? { text(name).flatMap { Double($0) } }
        func time(_ name: String) -> Timestamp? {
            text(name).flatMap { Int64($0) }.map { Timestamp(microseconds: $0) }
        }
    }
}

/// Words of a command, as they are sent, and how many there are.
struct RedisWords {
    private(set) var bytes = ByteBuffer()
    private(set) var count = 0

    mutating func add(_ word: StaticString) {
        bytes.writeRESPBulk(word)
        count += 1
    }

    mutating func add(_ word: String) {
        bytes.writeRESPBulk(word)
        count += 1
    }

    mutating func add(_ word: [UInt8]) {
        bytes.writeRESPBulk(word)
        count += 1
    }

    mutating func add(_ number: Int) {
        bytes.writeRESPBulk(number: number)
        count += 1
    }

    mutating func add(_ id: JobID) {
        bytes.writeRESPBulk(id)
        count += 1
    }

    mutating func add(_ words: RedisWords) {
        bytes.writeImmutableBuffer(words.bytes)
        count += words.count
    }

    mutating func add(_ name: StaticString, _ value: String) {
        add(name)
        add(value)
    }

    mutating func add(_ name: StaticString, _ value: [UInt8]) {
        add(name)
        add(value)
    }

    mutating func add(_ name: StaticString, _ value: Int) {
        add(name)
        add(value)
    }

    mutating func add(_ name: StaticString, _ id: JobID) {
        add(name)
        add(id)
    }
}
