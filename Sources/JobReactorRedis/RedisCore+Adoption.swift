internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

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

    /// A node that was not closed may live, and renew its lease, in a full lease after the server, or this process, was away:
    /// it is waited for.
    ///
    /// Moves, then reads what is noted as moved, and forgets the notes only when they have arrived: so nothing is missed,
    /// whichever of the calls has to be made again. One adoption at a time, as they share the notes.
    func adopt(
        _ node: String, defining names: Set<String>, after id: JobID?, limit: Int,
        _ done: @escaping (Result<AdoptedJobs, StorageError>) -> Void
    ) {
        let begin = {
            self.move(node, defining: names, after: id, limit: limit) { result in
                self.adoptions.removeFirst()
                switch result {
                case .success(.moved(let adopted)): done(.success(adopted))
                case .success(.tooEarly(let seconds)):
                    _ = self.schedule(seconds) {
                        self.adopt(node, defining: names, after: id, limit: limit, done)
                    }
                case .failure(let error): done(.failure(error))
                }
                self.adoptions.first?()
            }
        }
        adoptions.append(begin)
        if adoptions.count == 1 { begin() }
    }

    private enum Move {
        case moved(AdoptedJobs)
        /// The other may still come to renew its lease.
        case tooEarly(seconds: Double)
    }

    private func move(
        _ node: String, defining names: Set<String>, after id: JobID?, limit: Int,
        _ done: @escaping (Result<Move, StorageError>) -> Void
    ) {
        guard case .open(let owner, _) = state else { return done(.failure(StorageError.notOpen)) }
        var words = RESPWords()
        words.add(id.map { "(\($0)" } ?? "-")
        words.add(max(1, limit))
        words.add(owner.name)
        words.add(leaseMilliseconds)
        words.add(Int((loop.now - attachedAt).nanoseconds / 1_000_000))
        for name in names.sorted() { words.add(name) }
        var moved: Result<JobID?, StorageError> = .success(nil)
        var wait: Double?
        call(.adopt, keys: ["\(location.prefix)node:\(node)", served], words) { result in
            moved = result.map { frame in
                guard frame.kind(ofToken: 0) == .integer else { return JobID(hexadecimal: frame.bytes(ofToken: 0)) }
                wait = Double(frame.value(ofToken: 0)) / 1000
                return nil
            }
        }
        var read = RESPWords()
        read.add(0)
        call(.adopted, read) { result in
            let adopted = result.flatMap { self.adopted($0) }.flatMap { adopted in
                moved.map { AdoptedJobs(jobs: adopted.jobs, reports: adopted.reports, next: $0) }
            }
            guard case .success = adopted else { return done(adopted.map { .moved($0) }) }
            if let wait { return done(.success(.tooEarly(seconds: wait))) }
            var forget = RESPWords()
            forget.add(1)
            self.call(.adopted, forget) { result in done(result.flatMap { _ in adopted.map { .moved($0) } }) }
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
