internal import JobReactorCore
internal import JobReactorWire

/// Taking over what a node has left that is gone.
extension RedisCore {
    func abandoned(_ done: @escaping (Result<[String], StorageError>) -> Void) {
        var words = RESPWords()
        words.add(location.prefix)
        call(.abandoned, keys: [owners], words) { result in
            done(
                result.map { frame in
                    (1..<frame.tokenCount).map { String(decoding: frame.bytes(ofToken: $0), as: UTF8.self) }
                })
        }
    }

    /// Moves, then reads what is noted as moved, and forgets the notes only when they have arrived: so nothing is missed,
    /// whichever of the calls has to be made again. One adoption at a time, as they share the notes.
    func adopt(
        _ node: String, defining names: Set<String>, after id: JobID?, limit: Int,
        _ done: @escaping (Result<AdoptedJobs, StorageError>) -> Void
    ) {
        let begin = {
            self.move(node, defining: names, after: id, limit: limit) { result in
                self.adoptions.removeFirst()
                done(result)
                self.adoptions.first?()
            }
        }
        adoptions.append(begin)
        if adoptions.count == 1 { begin() }
    }

    private func move(
        _ node: String, defining names: Set<String>, after id: JobID?, limit: Int,
        _ done: @escaping (Result<AdoptedJobs, StorageError>) -> Void
    ) {
        guard case .open(let owner, _) = state else { return done(.failure(.notOpen)) }
        var words = RESPWords()
        words.add(id.map { "(\($0)" } ?? "-")
        words.add(max(1, limit))
        words.add(owner.name)
        for name in names.sorted() { words.add(name) }
        var moved: Result<JobID?, StorageError> = .success(nil)
        call(.adopt, keys: ["\(location.prefix)node:\(node)"], words) { result in
            moved = result.map { JobID(hexadecimal: $0.bytes(ofToken: 0)) }
        }
        var read = RESPWords()
        read.add(0)
        call(.adopted, read) { result in
            let adopted = result.flatMap { self.adopted($0) }.flatMap { adopted in
                moved.map { AdoptedJobs(jobs: adopted.jobs, reports: adopted.reports, next: $0) }
            }
            guard case .success = adopted else { return done(adopted) }
            var forget = RESPWords()
            forget.add(1)
            self.call(.adopted, forget) { result in done(result.flatMap { _ in adopted }) }
        }
    }

    func adopted(_ frame: RESPFrame) -> Result<AdoptedJobs, StorageError> {
        var adopted = AdoptedJobs(jobs: [], reports: [], next: nil)
        var token = 2
        for _ in 0..<frame.value(ofToken: 1) {
            // Of those that are gone again nothing is left.
            if let job = JobRecord.job(frame, at: token) { adopted.jobs.append(job) }
            token += 1 + frame.value(ofToken: token)
        }
        let count = frame.value(ofToken: token)
        token += 1
        for _ in 0..<count {
            if let report = ReportRecord.report(frame, at: token) { adopted.reports.append(report) }
            token += 1 + frame.value(ofToken: token)
        }
        return .success(adopted)
    }
}
