public import JobReactorCore

private typealias Failure = StorageConformanceFailure

/// What a storage does while it refuses, and when that is over.
extension StorageConformance {
    /// Checks for a storage that refuses, as on a full disk. Run them if a test can cause that.
    public static let refusalChecks = [
        RefusalCheck("a save that is refused has stored nothing") { probe, refuse async throws(Failure) in
            try await probe.save([Sample.plain(1)])
            try await refuse(true)
            let batch = (2...51).map { Sample.plain($0) }
            let calls = [probe.startSave(batch), probe.startSave([Sample.full(100)])]
            for call in calls { try await probe.expectFailure(of: call) }
            try await refuse(false)
            try await probe.expectAll([Sample.plain(1)], "after saves that were refused")
        },
        RefusalCheck("a change that is refused is stored in whole or not at all, and the error says which") {
            probe, refuse async throws(Failure) in
            let jobs = (1...20).map { Sample.plain($0) }
            try await probe.save(jobs)
            try await refuse(true)
            let changed = jobs.map { job in
                var job = job
                job.attempt = 7
                return job
            }
            let reports = (1...20).map { Sample.report($0, run: 1) }
            let call = probe.startApply(zip(changed, reports).map { .update($0, $1) })
            let isStored =
                switch await call.result() {
                case .success?: true
                case .failure?: false
                case nil: throw probe.failure("done to be called for the \(call.name)", "nothing")
                }
            try await refuse(false)
            try await probe.expectAll(isStored ? changed : jobs, "after changes \(isStored ? "" : "that were refused")")
            try await probe.expectReports(isStored ? reports : [], "after the changes")
        },
        RefusalCheck("a storage that refused works again, and takes the same once more") {
            probe, refuse async throws(Failure) in
            for round in 1...3 {
                let job = Sample.plain(round)
                try await refuse(true)
                try await probe.expectFailure(of: probe.startSave([job]))
                try await refuse(false)
                try probe.expect(try await probe.save([job]), [job.id], "the new ids in round \(round)")
                try await probe.apply([.update(job, Sample.report(round, run: 1))])
            }
            try await probe.expectAll((1...3).map { Sample.plain($0) }, "after three refusals")
            try await probe.expectReports((1...3).map { Sample.report($0, run: 1) }, "after three refusals")
        },
    ]

    /// One requirement for a storage that refuses.
    public struct RefusalCheck: Sendable, CustomStringConvertible {
        typealias Switch = (Bool) async throws(StorageConformanceFailure) -> Void

        /// The requirement as a sentence. Unique in the suite.
        public let name: String
        private let body: @Sendable (StorageProbe, Switch) async throws(StorageConformanceFailure) -> Void

        init(
            _ name: String,
            _ body: @escaping @Sendable (StorageProbe, Switch) async throws(StorageConformanceFailure) -> Void
        ) {
            self.name = name
            self.body = body
        }

        /// The name.
        public var description: String { name }

        /// Runs the check with a new, empty storage; throws if the storage fails it. `refuse` makes the storage refuse
        /// to store anything, as on a full disk, or lets it work again.
        public func run(
            patience: Duration = .seconds(30), makeStorage: @escaping @Sendable () async throws -> any JobStorage,
            refuse: @escaping @Sendable (_ refuses: Bool) async throws -> Void
        ) async throws(StorageConformanceFailure) {
            let probe = StorageProbe(check: name, patience: patience, makeStorage)
            try await probe.make()
            try await probe.open()
            let result: Result<Void, StorageConformanceFailure>
            do throws(StorageConformanceFailure) {
                try await body(probe) { refuses async throws(StorageConformanceFailure) in
                    do { try await refuse(refuses) } catch {
                        throw probe.failure("refuse(\(refuses)) to return", "\(error)")
                    }
                }
                try await probe.expectOneAnswerEach()
                result = .success(())
            } catch {
                result = .failure(error)
            }
            await probe.closeAll()
            try result.get()
        }
    }
}
