internal import JobReactorCore

private typealias Failure = StorageConformanceFailure

/// What becomes of records: saved, changed, read back, listed.
extension StorageConformance {
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
        Check("a finished job makes room for a new one of its id, however it ended") { probe async throws(Failure) in
            for (index, status) in JobStatus.allCases.filter(\.isFinished).enumerated() {
                var first = Sample.full(index)
                let bystander = Sample.plain(100 + index)
                try probe.expect(try await probe.save([first, bystander]).count, 2, "the number of new ids")
                first.status = status
                try await probe.apply([.update(first)])
                // The new one lacks most fields of the old.
                let (second, third) = (Sample.plain(index), Sample.extreme(index))
                try probe.expect(
                    try await probe.save([second, bystander]), [second.id], "the new ids, after one that is \(status)")
                try await probe.expectStored(second, "after one that was \(status)")
                try probe.expect(try await probe.save([third]), [], "the new ids, after one that is not finished")
                var ended = second
                ended.status = status
                try await probe.apply([.update(ended)])
                try probe.expect(
                    try await probe.save([third, second]), [third.id], "the new ids, once more after its end")
                try await probe.expectStored(third, "after two that were \(status)")
                try await probe.apply([.remove(third.id), .remove(bystander.id)])
            }
            try await probe.expectAll([], "after all were removed")
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
            for job in [FieldSample.full, Sample.full(1), Sample.extreme(2), Sample.zero(3)] {
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
            var jobs: [Job] = []
            for field in JobFieldTable.stored {
                for value in field.type.samples {
                    if let job = FieldSample.job(jobs.count, field, value) { jobs.append(job) }
                }
            }
            try await probe.save(jobs)
            try await probe.expectAll(jobs, "each with one field that the others lack")
            let updates = jobs.map { Sample.plain($0.id) }
            try await probe.apply(updates.map { .update($0) })
            try await probe.expectAll(updates, "after updates that take those fields away")
            try await probe.apply(jobs.map { .update($0) })
            try await probe.expectAll(jobs, "after updates that bring them back")
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
        Check("pages from the other end have the greatest id first") { probe async throws(Failure) in
            let jobs = (1...25).map { Sample.plain(2 * $0) }
            try await probe.save(jobs)
            for limit in [1, 7, 25, 26] {
                var listed: [Job] = []
                while true {
                    let page = try await probe.jobs(before: listed.last?.id, limit: limit)
                    let expected = min(limit, jobs.count - listed.count)
                    try probe.expect(
                        page.count, expected, "the length of a page before the last \(listed.count) of 25 jobs")
                    if page.isEmpty { break }
                    listed += page
                }
                try probe.expect(listed.map(\.id), jobs.reversed().map(\.id), "the ids of all pages of \(limit)")
            }
            for (before, rest) in [(0, 0), (2, 0), (3, 1), (4, 1), (50, 24), (51, 25), (99, 25)] {
                let page = try await probe.jobs(before: Sample.id(before), limit: 100)
                try probe.expect(
                    page.map(\.id), jobs.prefix(rest).reversed().map(\.id), "the ids before \(Sample.id(before))")
            }
        },
        Check("ids at the edges are in their order from the other end, too") { probe async throws(Failure) in
            let words: [UInt64] = [.max, 1 << 63, 0, 1 << 63 - 1, 1]
            let jobs = words.flatMap { high in words.map { Sample.plain(JobID(high: high, low: $0)) } }
            try await probe.save(jobs)
            let page = try await probe.jobs(before: nil)
            try probe.expect(page.map(\.id), jobs.map(\.id).sorted(by: >), "the ids from the greatest on")
        },
        Check("a page of large jobs from the other end is short, and none is missed") { probe async throws(Failure) in
            let jobs = (1...3).map { $0 == 2 ? Sample.plain($0) : Sample.job($0, args: Sample.large) }
            try await probe.save(jobs)
            var listed: [Job] = []
            while true {
                let page = try await probe.jobs(before: listed.last?.id, limit: 10)
                try probe.expectRoom(for: page.map(\.args), "of jobs")
                if page.isEmpty { break }
                listed += page
                let newest = jobs.reversed().prefix(listed.count).map(\.id)
                try probe.expect(listed.map(\.id), newest, "the ids of the pages so far")
            }
            try probe.expect(listed.count, jobs.count, "the number of jobs before an empty page")
        },
        Check("a page of large jobs is short, and none is missed") { probe async throws(Failure) in
            let jobs = (1...3).map { $0 == 2 ? Sample.plain($0) : Sample.job($0, args: Sample.large) }
            try await probe.save(jobs)
            var listed: [Job] = []
            while true {
                let page = try await probe.jobs(after: listed.last?.id, limit: 10)
                try probe.expectRoom(for: page.map(\.args), "of jobs")
                if page.isEmpty { break }
                listed += page
                try probe.expect(listed.map(\.id), jobs.prefix(listed.count).map(\.id), "the ids of the pages so far")
            }
            try probe.expect(listed.count, jobs.count, "the number of jobs before an empty page")
            try probe.expect(listed == jobs, true, "whether they are as they were stored")
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
}
