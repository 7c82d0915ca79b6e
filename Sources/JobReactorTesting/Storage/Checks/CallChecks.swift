internal import JobReactorCore

private typealias Failure = StorageConformanceFailure

/// Order and number of the answers.
extension StorageConformance {
    static let calls = [
        Check("calls take effect in the order they are made, without waiting") {
            probe async throws(Failure) in
            let job = Sample.plain(1)
            let saved = probe.startSave([job])
            let savedAgain = probe.startSave([Sample.full(1)])
            var loads: [(expected: Job, call: StorageCall<Job?>)] = []
            for attempt in 1...100 {
                var update = job
                update.attempt = Int32(attempt)
                _ = probe.startApply([.update(update)])
                loads.append((update, probe.startLoad(job.id)))
            }
            _ = probe.startApply([.remove(job.id)])
            let removed = probe.startLoad(job.id)
            let list = probe.startJobs(after: nil, limit: 10)
            let savedAfterwards = probe.startSave([Sample.full(1)])

            try probe.expect(try await probe.value(of: saved), [job.id], "the new ids")
            try probe.expect(try await probe.value(of: savedAgain), [], "the new ids of the same save again")
            for (expected, call) in loads {
                let loaded = try await probe.value(of: call)
                try probe.expect(loaded?.attempt, expected.attempt, "the attempt in a load right after its update")
            }
            try probe.expect(try await probe.value(of: removed), nil, "a load right after a removal")
            try probe.expect(try await probe.value(of: list), [], "all jobs right after a removal")
            try probe.expect(try await probe.value(of: savedAfterwards), [job.id], "the new ids after a removal")
            try await probe.expectAll([Sample.full(1)], "after all calls")
        },
        Check("of concurrent saves of one id, one is new") { probe async throws(Failure) in
            let batches = try await concurrently(8) { caller async throws(Failure) in
                var new: [JobID] = []
                for start in stride(from: 1, through: 200, by: 10) {
                    let batch = (start..<start + 10).map { number in
                        var job = Sample.plain(number)
                        job.distributor = "caller \(caller)"
                        return job
                    }
                    new += try await probe.save(batch)
                }
                return new
            }
            try probe.expect(
                batches.flatMap { $0 }.sorted(), (1...200).map { Sample.id($0) }, "the new ids of all callers")
            for (caller, new) in batches.enumerated() {
                for id in new {
                    let distributor = try await probe.load(id)?.distributor
                    try probe.expect(distributor, "caller \(caller)", "the distributor of a job that was new to it")
                }
            }
        },
        Check("concurrent callers do not disturb each other") { probe async throws(Failure) in
            let left = try await concurrently(8) { caller async throws(Failure) in
                var jobs: [Job] = []
                for number in 0..<40 {
                    var job = Sample.plain(100 * caller + number)
                    try await probe.save([job])
                    job.attempt = Int32(caller)
                    try await probe.apply([.update(job)])
                    try await probe.expectStored(job, "amid other callers")
                    if number % 2 == 0 { jobs.append(job) } else { try await probe.apply([.remove(job.id)]) }
                }
                return jobs
            }
            try await probe.expectAll(left.flatMap { $0 }, "after eight callers")
        },
        // Every check ends by counting the answers; this one makes each kind of call, good and idle.
        Check("done is called once for every call") { probe async throws(Failure) in
            for _ in 1...3 {
                try await probe.save([Sample.plain(1), Sample.plain(1)])
                try await probe.save([])
                try await probe.apply([.update(Sample.full(1)), .remove(Sample.id(1)), .update(Sample.full(1))])
                try await probe.apply([])
                _ = try await probe.load(Sample.id(1))
                _ = try await probe.jobs(after: Sample.id(1), limit: 1)
            }
        },
    ]

    /// Runs the body for that many callers at once.
    private static func concurrently<Value: Sendable>(
        _ callers: Int, _ body: @escaping @Sendable (Int) async throws(StorageConformanceFailure) -> Value
    ) async throws(StorageConformanceFailure) -> [Value] {
        let results = await withTaskGroup(of: (Int, Result<Value, StorageConformanceFailure>).self) { group in
            for caller in 0..<callers {
                group.addTask {
                    do throws(StorageConformanceFailure) {
                        return (caller, .success(try await body(caller)))
                    } catch {
                        return (caller, .failure(error))
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var values: [Value] = []
        for (_, result) in results.sorted(by: { $0.0 < $1.0 }) { values.append(try result.get()) }
        return values
    }
}
