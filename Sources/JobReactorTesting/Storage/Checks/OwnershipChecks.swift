internal import JobReactorCore

private typealias Failure = StorageConformanceFailure

/// Who has a storage, and what is there for the next.
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
}
