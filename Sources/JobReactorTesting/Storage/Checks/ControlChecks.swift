internal import JobReactorCore

private typealias Failure = StorageConformanceFailure

/// What storages must do that keep what decides when jobs run.
extension StorageConformance {
    /// Additional checks for a `ControlStorage`, beside ``checks``. Run them with a closure that makes one storage
    /// after another for the same place, which is empty at first.
    public static let controlChecks = [
        Check("what is kept comes back in the order of kinds and names, one of each") { probe async throws(Failure) in
            try await probe.expectControls([], "before any")
            let controls = StoredControl.Kind.allCases.flatMap { kind in
                ["b", "a"].map { control(kind, $0, "\(kind) \($0)") }
            }
            try await probe.change(controls.map { .set($0) })
            try await probe.change([])
            try await probe.expectControls(controls, "of each kind")
            let changed = control(.schedule, "a", "another")
            try await probe.change([.set(changed), .remove(.init(.ticks, "a")), .remove(.init(.ticks, "none"))])
            let left = controls.filter { $0.key != changed.key && $0.key != .init(.ticks, "a") }
            try await probe.expectControls(left + [changed], "after changes")
        },
        Check("changes of one call count in their order") { probe async throws(Failure) in
            let (first, last) = (control(.pausedJob, "a", "first"), control(.pausedJob, "a", "last"))
            try await probe.change([.set(first), .remove(first.key), .set(last)])
            try await probe.expectControls([last], "after three changes")
            try await probe.change([.set(first), .remove(first.key)])
            try await probe.expectControls([], "after a removal")
        },
        Check("names and values come back byte for byte") { probe async throws(Failure) in
            let controls = Sample.texts.enumerated().map { index, text in
                let name = Name.problem(in: text) == nil ? text : "name \(index)".replacingSpaces
                return StoredControl(.init(.ticks, name), Array(text.utf8) + [0, 255])
            }
            try await probe.change(controls.map { .set($0) })
            try await probe.expectControls(controls, "with any bytes")
        },
        Check("jobs are stored with them, each whose id is new") { probe async throws(Failure) in
            try await probe.save([Sample.plain(1)])
            var other = Sample.plain(1)
            other.args = ["another": true]
            let kept = control(.ticks, "s", "1")
            let new = try await probe.change([.set(kept)], saving: [other, Sample.full(2)])
            try probe.expect(new, [Sample.id(2)], "the new ids")
            try await probe.expectAll([Sample.plain(1), Sample.full(2)], "after a tick")
            try await probe.expectControls([kept], "after a tick")
            var finished = Sample.plain(1)
            finished.status = .complete
            try await probe.apply([.update(finished)])
            try probe.expect(try await probe.change([], saving: [other]), [Sample.id(1)], "that of a finished job")
            try await probe.expectStored(other, "in the place of a finished one")
        },
        Check("they are apart from jobs and reports") { probe async throws(Failure) in
            let kept = control(.pausedNode, "worker_1", "x")
            try await probe.change([.set(kept)], saving: [Sample.plain(1)])
            try await probe.apply([.remove(Sample.id(1), Sample.report(1, run: 1))])
            try await probe.expectAll([], "after its removal")
            try await probe.expectReports([Sample.report(1, run: 1)], "beside what is kept")
            try await probe.expectControls([kept], "after the removal of a job")
        },
        Check("the next process has them") { probe async throws(Failure) in
            guard probe.storage.isDurable else { return }
            let kept = control(.schedule, "s", "x")
            try await probe.change([.set(kept)], saving: [Sample.plain(1)])
            try await probe.close()
            try await probe.make()
            try await probe.open()
            try await probe.expectControls([kept], "for the next")
            try await probe.expectAll([Sample.plain(1)], "for the next")
        },
    ]

    private static func control(_ kind: StoredControl.Kind, _ name: String, _ value: String) -> StoredControl {
        StoredControl(.init(kind, name), Array(value.utf8))
    }
}

extension String {
    fileprivate var replacingSpaces: String { String(map { $0 == " " ? "_" : $0 }) }
}

extension StorageProbe {
    @discardableResult
    fileprivate func change(
        _ changes: [ControlChange], saving jobs: [Job] = []
    ) async throws(Failure) -> Set<JobID> {
        let storage = try controlStorage()
        if let shared = storage as? any SharedControlStorage {
            let leader = try await value(of: start("lead") { shared.lead(done: $0) })
            try expect(leader, nil, "the other that leads where nobody has led")
        }
        return try await value(
            of: start("change of \(changes.count) controls, \(jobs.count) jobs") {
                storage.change(changes, saving: jobs, done: $0)
            })
    }

    fileprivate func expectControls(_ controls: [StoredControl], _ when: String) async throws(Failure) {
        let storage = try controlStorage()
        let listed = try await value(of: start("controls") { storage.controls(done: $0) })
        try expect(listed, controls.sorted { $0.key < $1.key }, "what is kept \(when)")
    }

    private func controlStorage() throws(Failure) -> any ControlStorage {
        guard let storage = storage as? any ControlStorage else {
            throw failure("a storage that is a ControlStorage", "\(type(of: storage))")
        }
        return storage
    }
}
