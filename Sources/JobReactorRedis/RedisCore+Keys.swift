internal import JobReactorCore
internal import JobReactorWire

/// The keys of jobs of all owners that share the place: a hash of name and key. A key is held as long as the record is there of the
/// job that has it.
extension RedisCore {
    var keys: String { "\(location.prefix)unique" }

    func saveUnique(_ jobs: [Job], _ done: @escaping (Result<[JobID: JobID], StorageError>) -> Void) {
        var words = RESPWords()
        words.add(owner)
        words.add(location.prefix)
        for job in jobs {
            var record = RESPWords()
            JobRecord.write(job, to: &record)
            words.add(job.id)
            words.add("\(job.name) \(job.unique?.key ?? "")")
            words.add(record.count)
            words.add(record)
        }
        call(.saveUnique, keys: [keys], words) { result in
            done(
                result.map { frame in
                    var held: [JobID: JobID] = [:]
                    for token in stride(from: 1, to: frame.tokenCount - 1, by: 2) {
                        guard let id = JobID(hexadecimal: frame.bytes(ofToken: token)),
                            let holder = JobID(hexadecimal: frame.bytes(ofToken: token + 1))
                        else { continue }
                        held[id] = holder
                    }
                    return held
                })
        }
    }

    func freeKeys(
        _ freed: [(key: UniqueKey, job: JobID)], _ done: @escaping (Result<Void, StorageError>) -> Void
    ) {
        var words = RESPWords()
        words.add(owner)
        for (key, job) in freed {
            words.add("\(key.job) \(key.key)")
            words.add(job)
        }
        call(.freeKeys, keys: [keys], words) { result in done(result.map { _ in }) }
    }
}
