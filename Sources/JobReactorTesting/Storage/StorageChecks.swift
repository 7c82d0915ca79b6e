internal import JobReactorCore

// The checks of `StorageConformance`, by what they are about.

private typealias Failure = StorageConformanceFailure

extension StorageConformance {
    static let opening = [
        Check("a storage that is not open serves nobody", isOpened: false) { probe async throws(Failure) in
            try await probe.expectRefused(probe.startSave([Sample.plain(1)]), .closed, "before the opening")
            try await probe.expectRefused(probe.startApply([.remove(Sample.id(1))]), .closed, "before the opening")
            try await probe.expectRefused(probe.startLoad(Sample.id(1)), .closed, "before the opening")
            try await probe.expectRefused(probe.startJobs(after: nil, limit: 1), .closed, "before the opening")
            try await probe.expectRefused(probe.startReports(after: nil, limit: 1), .closed, "before the opening")
            try await probe.open()
            try await probe.expectAll([], "right after the opening")
        },
        Check("an open storage is not opened again, and says who has it") { probe async throws(Failure) in
            let message = try await probe.expectRefused(
                probe.startOpen(StorageOwner(name: "worker_1")), .held, "while it is open")
            guard message.contains("worker_1") else { throw probe.failure("the error to name worker_1", message) }
            try await probe.save([Sample.plain(1)])
            try await probe.expectAll([Sample.plain(1)], "after a second opening was refused")
        },
        Check("a storage that was closed serves nobody, until it is opened again") { probe async throws(Failure) in
            try await probe.save([Sample.plain(1), Sample.full(2)])
            try await probe.apply([.update(Sample.full(2), Sample.report(2, run: 1))])
            try await probe.close()
            try await probe.expectRefused(probe.startLoad(Sample.id(1)), .closed, "after the closing")
            try await probe.close()
            try await probe.open()
            try await probe.expectAll([Sample.plain(1), Sample.full(2)], "after it was closed and opened again")
            try await probe.expectReports([Sample.report(2, run: 1)], "after it was closed and opened again")
        },
    ]

    static let durability = [
        Check("a durable storage says so") { probe async throws(Failure) in
            try probe.expect(probe.storage.isDurable, true, "isDurable")
        },
        Check("what was stored is there for the next") { probe async throws(Failure) in
            let jobs = (1...2500).map { Sample.plain($0) } + [Sample.full(3001), Sample.extreme(3002)]
            try await probe.save(jobs)
            let reports = [Sample.report(7, run: 1), Sample.report(8, run: 3)]
            try await probe.apply([.update(jobs[6], reports[0]), .remove(jobs[7].id, reports[1])])
            // Closing waits for what was given before.
            _ = probe.startApply([.remove(jobs[8].id)])
            try await probe.close()
            try await probe.make()
            try await probe.open()
            try await probe.expectAll(Array(jobs[..<7] + jobs[9...]), "for the next")
            try await probe.expectReports(reports, "for the next")
        },
        Check("a second is refused while the first has the place open") { probe async throws(Failure) in
            try await probe.save([Sample.plain(1)])
            try await probe.make()
            let message = try await probe.expectRefused(probe.startOpen(), .held, "while the first is open")
            guard message.contains("localhost:5001") else {
                throw probe.failure("the error to tell where the first is", message)
            }
            probe.useFirst()
            try await probe.expectAll([Sample.plain(1)], "after a second was refused")
        },
        Check("one after another, each has the jobs of those before") { probe async throws(Failure) in
            for number in 1...5 {
                try await probe.expectAll((1..<number).map { Sample.plain($0) }, "in storage \(number)")
                try await probe.save([Sample.plain(number)])
                try await probe.close()
                try await probe.make()
                try await probe.open()
            }
        },
    ]

    static let reporting = [
        Check("a report is kept with its change until it is taken") { probe async throws(Failure) in
            try await probe.save([Sample.plain(1), Sample.plain(2)])
            try await probe.expectReports([], "before any")
            let (first, second) = (Sample.report(1, run: 1), Sample.report(2, run: 5))
            try await probe.apply([.remove(Sample.id(2), second), .update(Sample.full(1), first)])
            try await probe.expectReports([first, second], "of an update and a removal")
            try await probe.expectAll([Sample.full(1)], "after changes with reports")
            try await probe.apply([.taken(first.report.key)])
            try await probe.expectReports([second], "after the first was taken")
            try await probe.apply([.taken(first.report.key), .taken(second.report.key)])
            try await probe.expectReports([], "after both were taken, one of them twice")
            try await probe.expectAll([Sample.full(1)], "after reports were taken")
        },
        Check("each run of a job has a report of its own") { probe async throws(Failure) in
            try await probe.save([Sample.plain(1)])
            let reports = [1, 2, 3, 300, 70_000].map { Sample.report(1, run: $0) }
            for report in reports.reversed() { try await probe.apply([.update(Sample.plain(1), report)]) }
            try await probe.expectReports(reports, "of five runs")
            try await probe.apply([.taken(reports[1].report.key)])
            try await probe.expectReports([reports[0]] + reports[2...], "after the second was taken")
        },
        Check("of a job that is not there no report is kept") { probe async throws(Failure) in
            try await probe.apply([
                .update(Sample.plain(1), Sample.report(1, run: 1)), .remove(Sample.id(2), Sample.report(2, run: 1)),
            ])
            try await probe.expectReports([], "of missing jobs")
            try await probe.save([Sample.plain(3)])
            try await probe.apply([
                .remove(Sample.id(3), Sample.report(3, run: 1)), .remove(Sample.id(3), Sample.report(3, run: 2)),
            ])
            try await probe.expectReports([Sample.report(3, run: 1)], "of a job that was removed twice")
        },
        Check("reports come back byte for byte") { probe async throws(Failure) in
            var reports: [StoredReport] = []
            for (index, text) in (Sample.arguments + ["{}"]).enumerated() {
                guard let args = try? JobArguments(json: text) else {
                    throw probe.failure("the suite's own args to be JSON", text)
                }
                let name = Sample.texts[index % Sample.texts.count]
                let kind: Feedback.Kind = index % 2 == 0 ? .success : .error
                let status = JobStatus.allCases[index % JobStatus.allCases.count]
                reports.append(
                    StoredReport(
                        JobReport(
                            id: Sample.id(index), name: name, feedback: Feedback(kind, args: args), status: status,
                            run: .max - Int32(index)),
                        distributor: name, madeAt: Timestamp(microseconds: Int64(index) - 1)))
            }
            try await probe.save(reports.map { Sample.plain($0.report.id) })
            try await probe.apply(reports.map { .remove($0.report.id, $0) })
            try await probe.expectReports(reports, "each with other args")
        },
        Check("pages of reports begin after the key and hold at most the limit") { probe async throws(Failure) in
            try await probe.save((1...9).map { Sample.plain($0) })
            let reports = (1...9).flatMap { id in (1...3).map { Sample.report(id, run: $0) } }
            try await probe.apply(reports.map { .update(Sample.plain($0.report.id), $0) })
            for limit in [1, 4, 27, 28] {
                var listed: [StoredReport] = []
                while true {
                    let page = try await probe.reports(after: listed.last?.report.key, limit: limit)
                    let expected = min(limit, reports.count - listed.count)
                    try probe.expect(page.count, expected, "the length of a page after \(listed.count) of 27 reports")
                    if page.isEmpty { break }
                    listed += page
                }
                try probe.expect(listed.map(\.report.key), reports.map(\.report.key), "the keys of all pages")
            }
        },
    ]

    static let saving = [
        Check("a new job is saved and returned as new") { probe async throws(Failure) in
            let job = Sample.plain(1)
            try probe.expect(try await probe.save([job]), [job.id], "the new ids")
            try await probe.expectStored(job)
        },
        Check("an id that is already there changes nothing") { probe async throws(Failure) in
            let (first, other) = (Sample.plain(1), Sample.plain(2))
            try await probe.save([first])
            let again = Sample.full(1)
            try probe.expect(try await probe.save([again, other]), [other.id], "the new ids")
            try await probe.expectAll([first, other], "after one of them was saved again with other fields")
        },
        Check("an id twice in one batch is one job, the first") { probe async throws(Failure) in
            let job = Sample.plain(1)
            try probe.expect(try await probe.save([job, Sample.full(1), Sample.extreme(1)]), [job.id], "the new ids")
            try await probe.expectAll([job], "after its id came three times in one batch")
        },
        Check("an id whose record was removed is new again") { probe async throws(Failure) in
            try await probe.save([Sample.plain(1)])
            try await probe.apply([.remove(Sample.id(1))])
            let job = Sample.full(1)
            try probe.expect(try await probe.save([job]), [job.id], "the new ids")
            try await probe.expectStored(job)
        },
        Check("an empty batch is saved as nothing") { probe async throws(Failure) in
            try probe.expect(try await probe.save([]), [], "the new ids")
            try await probe.expectAll([], "after an empty save")
        },
        Check("10,000 jobs in a batch are saved, listed, updated and removed") { probe async throws(Failure) in
            var jobs = (1...10_000).map { Sample.plain($0) }
            let ids = Set(jobs.map(\.id))
            let new = try await probe.save(jobs.reversed())
            try probe.expect(new.count, 10_000, "the number of new ids")
            try probe.expect(new == ids, true, "whether the new ids are those of the batch")
            for index in jobs.indices { jobs[index].attempt = Int32(index) }
            try await probe.apply(jobs.map { .update($0) })
            try await probe.expectAll(jobs, "after an update of all")
            try await probe.apply(jobs.map { .remove($0.id) })
            try await probe.expectAll([], "after a removal of all")
        },
    ]

    static let changing = [
        Check("an update replaces the whole record") { probe async throws(Failure) in
            let other = Sample.plain(2)
            try await probe.save([Sample.plain(1), other])
            try await probe.apply([.update(Sample.full(1))])
            try await probe.expectAll([Sample.full(1), other], "after an update of the first")
            try await probe.apply([.update(Sample.plain(1))])
            try await probe.expectAll([Sample.plain(1), other], "after an update that takes fields away")
        },
        Check("a removal removes that job alone") { probe async throws(Failure) in
            let jobs = (1...3).map { Sample.plain($0) }
            try await probe.save(jobs)
            try await probe.apply([.remove(jobs[1].id)])
            try await probe.expectAbsent(jobs[1].id, "after its removal")
            try await probe.expectAll([jobs[0], jobs[2]], "after the removal of the second")
        },
        Check("an update of a missing job changes nothing") { probe async throws(Failure) in
            var job = Sample.plain(1)
            try await probe.save([job])
            job.status = .queued
            try await probe.apply([.update(Sample.plain(2)), .update(job), .update(Sample.plain(3))])
            try await probe.expectAll([job], "after an update of it between updates of missing ones")
        },
        Check("a removal of a missing job is no error") { probe async throws(Failure) in
            let job = Sample.plain(1)
            try await probe.save([job, Sample.plain(2)])
            try await probe.apply([.remove(Sample.id(3)), .remove(Sample.id(2)), .remove(Sample.id(2))])
            try await probe.expectAll([job], "after removals of missing jobs and of another")
        },
        Check("the changes of a batch take effect in order") { probe async throws(Failure) in
            let (removed, kept) = (Sample.plain(1), Sample.plain(2))
            try await probe.save([removed, kept])
            let updates = (1...20).map { attempt in
                var job = kept
                job.attempt = Int32(attempt)
                return job
            }
            try await probe.apply(
                [.update(Sample.full(1)), .remove(removed.id), .update(Sample.full(1))] + updates.map { .update($0) })
            try await probe.expectAll(Array(updates.suffix(1)), "after twenty updates, the other having been removed")
        },
        Check("an empty batch of changes is applied as nothing") { probe async throws(Failure) in
            let job = Sample.plain(1)
            try await probe.save([job])
            try await probe.apply([])
            try await probe.expectAll([job], "after an empty batch of changes")
        },
    ]

    static let fidelity = [
        Check("every field survives a save and an update") { probe async throws(Failure) in
            for job in [Sample.full(1), Sample.extreme(2), Sample.zero(3)] {
                try await probe.save([job])
                try await probe.expectStored(job, "after a save")
                try await probe.save([Sample.plain(4)])
                var update = job
                update.status = .error
                update.lastError = "another"
                try await probe.apply([.update(update)])
                try await probe.expectStored(update, "after an update")
                try await probe.apply([.remove(job.id)])
            }
        },
        Check("every status survives") { probe async throws(Failure) in
            let jobs = JobStatus.allCases.enumerated().map { index, status in
                var job = Sample.plain(index)
                job.status = status
                return job
            }
            try await probe.save(jobs)
            try await probe.expectAll(jobs, "one of each status")
        },
        Check("every optional field survives alone") { probe async throws(Failure) in
            let options = [
                JobOptions(period: 1.5), JobOptions(node: "n"), JobOptions(notNode: "n"), JobOptions(maxAttempt: 1),
                JobOptions(retryMultiplier: 0), JobOptions(after: 0.25),
            ]
            var jobs = options.enumerated().map { Sample.job($0.offset, options: $0.element) }
            for field in 0..<4 {
                var job = Sample.plain(jobs.count)
                switch field {
                case 0: job.runAt = Timestamp(microseconds: 0)
                case 1: job.failedAt = Timestamp(microseconds: 0)
                case 2: job.lastError = ""
                default: job.lastTraceback = ""
                }
                jobs.append(job)
            }
            try await probe.save(jobs)
            try await probe.expectAll(jobs, "each with one field that the others lack")
        },
        Check("args come back byte for byte") { probe async throws(Failure) in
            var jobs: [Job] = []
            for (index, text) in Sample.arguments.enumerated() {
                guard let args = try? JobArguments(json: text) else {
                    throw probe.failure("the suite's own args to be JSON", text)
                }
                jobs.append(Sample.job(index, args: args))
            }
            try await probe.save(jobs)
            try await probe.expectAll(jobs, "each with other args")
        },
        Check("texts come back byte for byte") { probe async throws(Failure) in
            let jobs = Sample.texts.enumerated().map { index, text in
                let name = Name.problem(in: text) == nil ? text : "name"
                var job = Sample.job(
                    index, name: name, options: JobOptions(node: name, notNode: name), distributor: name)
                job.lastError = text
                job.lastTraceback = text
                return job
            }
            try await probe.save(jobs)
            try await probe.expectAll(jobs, "each with other texts")
        },
    ]

    static let paging = [
        Check("there is no job in an empty storage") { probe async throws(Failure) in
            try await probe.expectAbsent(Sample.id(1), "in an empty storage")
            try await probe.expectAll([], "of an empty storage")
            try probe.expect(try await probe.jobs(after: Sample.id(1)).count, 0, "the jobs after an id")
        },
        Check("jobs are listed by id, all 128 bits of it, without a sign") { probe async throws(Failure) in
            let words: [UInt64] = [.max, 1 << 63, 0, 1 << 63 - 1, 1, 1 << 32, 255]
            let jobs = words.flatMap { high in words.map { Sample.plain(JobID(high: high, low: $0)) } }
            try await probe.save(jobs)
            try await probe.expectAll(jobs, "with ids at the edges")
            for job in jobs { try await probe.expectStored(job) }
        },
        Check("pages begin after the id and hold at most the limit") { probe async throws(Failure) in
            let jobs = (1...25).map { Sample.plain(2 * $0) }
            try await probe.save(jobs.reversed())
            for limit in [1, 7, 25, 26] {
                var listed: [Job] = []
                while true {
                    let page = try await probe.jobs(after: listed.last?.id, limit: limit)
                    let expected = min(limit, jobs.count - listed.count)
                    try probe.expect(page.count, expected, "the length of a page after \(listed.count) of 25 jobs")
                    if page.isEmpty { break }
                    listed += page
                }
                try probe.expect(listed.map(\.id), jobs.map(\.id), "the ids of all pages of \(limit)")
            }
        },
        Check("a page may begin after an id that is not there") { probe async throws(Failure) in
            let jobs = (1...5).map { Sample.plain(2 * $0) }
            try await probe.save(jobs)
            for (after, rest) in [(0, 0), (1, 0), (2, 1), (3, 1), (9, 4), (10, 5), (11, 5)] {
                let page = try await probe.jobs(after: Sample.id(after), limit: 10)
                try probe.expect(page.map(\.id), jobs.dropFirst(rest).map(\.id), "the ids after \(Sample.id(after))")
            }
        },
    ]

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
