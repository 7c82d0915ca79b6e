internal import JobReactorCore
internal import JobReactorWire

/// The calls of the storage protocol, as words for the scripts.
extension RedisCore {
    func save(_ jobs: [Job], _ done: @escaping (Result<Set<JobID>, StorageError>) -> Void) {
        var words = RESPWords()
        add(jobs, to: &words)
        call(.save, words) { result in done(result.map(Self.ids)) }
    }

    func add(_ jobs: [Job], to words: inout RESPWords) {
        for job in jobs {
            var record = RESPWords()
            JobRecord.write(job, to: &record)
            words.add(job.id)
            words.add(record.count)
            words.add(record)
        }
    }

    static func ids(_ frame: RESPFrame) -> Set<JobID> {
        Set((1..<max(1, frame.tokenCount)).compactMap { JobID(hexadecimal: frame.bytes(ofToken: $0)) })
    }

    func apply(_ changes: [JobChange], _ done: @escaping (Result<Void, StorageError>) -> Void) {
        var words = RESPWords()
        words.add(Int(options.clock.now.microseconds / 1000))
        words.add(options.maximumFinished)
        words.add(Int(options.maximumFinishedAge * 1000))
        for change in changes {
            switch change {
            case .update(let job, let report):
                words.add("U", job.id)
                words.add(job.status.isFinished ? 1 : 0)
                var record = RESPWords()
                JobRecord.write(job, to: &record)
                words.add(record.count)
                words.add(record)
                add(report, to: &words)
            case .remove(let id, let report):
                words.add("R", id)
                add(report, to: &words)
            case .taken(let key): words.add("T", Self.text(key))
            }
        }
        call(.apply, words) { result in done(result.map { _ in }) }
    }

    func add(_ report: StoredReport?, to words: inout RESPWords) {
        guard let report else { return words.add(0) }
        words.add(1)
        words.add(Self.text(report.report.key))
        var record = RESPWords()
        ReportRecord.write(report, to: &record)
        words.add(record.count)
        words.add(record)
    }

    /// Sorts as the keys do: the run as ten digits, of which even the lowest is not negative.
    static func text(_ key: JobReport.Key) -> String {
        let run = String(Int64(key.run) + 1 << 31)
        return "\(key.id).\(String(repeating: "0", count: 10 - run.count))\(run)"
    }

    func load(_ id: JobID, _ done: @escaping (Result<Job?, StorageError>) -> Void) {
        var words = RESPWords()
        words.add(id)
        call(.load, words) { result in
            done(
                result.flatMap { frame in
                    if frame.value(ofToken: 0) == 0 { return .success(nil) }
                    guard let job = JobRecord.job(frame, at: 0) else { return .failure(self.damaged("\(id)")) }
                    return .success(job)
                })
        }
    }

    func jobs(after id: JobID?, limit: Int, _ done: @escaping (Result<[Job], StorageError>) -> Void) {
        page(.jobs, beyond: id?.description, limit: limit, read: JobRecord.job, done)
    }

    func jobs(before id: JobID?, limit: Int, _ done: @escaping (Result<[Job], StorageError>) -> Void) {
        page(.jobsBefore, beyond: id?.description, start: "+", limit: limit, read: JobRecord.job, done)
    }

    func reports(
        after key: JobReport.Key?, limit: Int, _ done: @escaping (Result<[StoredReport], StorageError>) -> Void
    ) {
        page(.reports, beyond: key.map(Self.text), limit: limit, read: ReportRecord.report, done)
    }

    /// `start` is where the range begins without a key.
    func page<Value>(
        _ script: RedisScript, beyond key: String?, start: String = "-", limit: Int,
        read: @escaping (RESPFrame, Int) -> Value?, _ done: @escaping (Result<[Value], StorageError>) -> Void
    ) {
        var words = RESPWords()
        words.add(key.map { "(\($0)" } ?? start)
        words.add(max(0, limit))
        call(script, words) { result in
            done(
                result.flatMap { frame in
                    var values: [Value] = []
                    var token = 1
                    while token < frame.tokenCount {
                        guard let value = read(frame, token) else { return .failure(self.damaged("\(token)")) }
                        values.append(value)
                        token += 1 + frame.value(ofToken: token)
                    }
                    return .success(values)
                })
        }
    }

    func damaged(_ what: String) -> StorageError {
        StorageError(
            "the record \(what) under \(base) in \(location) is not of this release: inspect it with redis-cli",
            code: .unusable)
    }
}
