internal import JobReactorCore

private typealias Failure = StorageConformanceFailure

/// What storages must do that keep an audit log.
extension StorageConformance {
    /// Additional checks for an `AuditStorage`, beside ``checks``. Run them with a closure that makes one storage after
    /// another for the same place, which is empty at first.
    public static let auditChecks = [
        Check("entries come back as they were, the newest first, as many as asked for") {
            probe async throws(Failure) in
            try await probe.expectAudit([], limit: 10, "before any")
            let entries = (1...5).map { entry($0) }
            try await probe.note(Array(entries[..<2]))
            try await probe.note([])
            try await probe.note(Array(entries[2...]))
            try await probe.expectAudit(entries.reversed(), limit: 10, "of five entries")
            try await probe.expectAudit([entries[4], entries[3]], limit: 2, "of five entries")
            try await probe.expectAudit([], limit: 0, "of five entries")
        },
        Check("entries of one moment stay in their order") { probe async throws(Failure) in
            let entries = (1...50).map { number in
                var entry = entry(number)
                entry.at = Sample.createdAt
                return entry
            }
            try await probe.note(entries)
            try await probe.expectAudit(entries.reversed(), limit: 50, "of fifty entries")
        },
        Check("entries have any text") { probe async throws(Failure) in
            let entries = Sample.texts.enumerated().map { index, text in
                AuditEntry(
                    id: Sample.id(index), at: Sample.createdAt.advanced(bySeconds: Double(index)), user: text,
                    address: text, command: text, change: text + text)
            }
            try await probe.note(entries)
            try await probe.expectAudit(entries.reversed(), limit: entries.count + 1, "of all texts")
        },
        Check("entries are apart from jobs and reports") { probe async throws(Failure) in
            try await probe.save([Sample.plain(1)])
            try await probe.note([entry(1)])
            try await probe.apply([.remove(Sample.id(1), Sample.report(1, run: 1))])
            try await probe.expectAll([], "after its removal")
            try await probe.expectReports([Sample.report(1, run: 1)], "after an entry")
            try await probe.expectAudit([entry(1)], limit: 10, "after the removal of a job")
        },
        Check("entries older than a year go in time") { probe async throws(Failure) in
            var old = entry(1)
            old.at = Sample.createdAt.advanced(bySeconds: -2 * AuditEntry.seconds)
            try await probe.note([old])
            for start in stride(from: 2, to: 10_000, by: 1000) {
                try await probe.note((start..<(start + 1000)).map { entry($0) })
            }
            let listed = try await probe.audit(limit: 20_000)
            // What is in memory ends with the process.
            let isKept = probe.storage.isDurable && listed.contains(old)
            try probe.expect(isKept, false, "whether the old entry is there")
        },
        Check("the next process has the entries") { probe async throws(Failure) in
            guard probe.storage.isDurable else { return }
            try await probe.note((1...3).map { entry($0) })
            try await probe.close()
            try await probe.make()
            try await probe.open()
            try await probe.note([entry(4)])
            try await probe.expectAudit((1...4).reversed().map { entry($0) }, limit: 10, "for the next")
        },
    ]

    private static func entry(_ number: Int) -> AuditEntry {
        AuditEntry(
            id: Sample.id(number), at: Sample.createdAt.advanced(bySeconds: Double(number)), user: "ann",
            address: "10.0.0.1:40000", command: "CANCEL", change: "the job \(Sample.id(number)) is cancelled")
    }
}

extension StorageProbe {
    fileprivate func note(_ entries: [AuditEntry]) async throws(Failure) {
        let storage = try auditStorage()
        try await value(of: start("note of \(entries.count) entries") { storage.note(entries, done: $0) })
    }

    fileprivate func audit(limit: Int) async throws(Failure) -> [AuditEntry] {
        let storage = try auditStorage()
        return try await value(of: start("audit, limit \(limit)") { storage.audit(limit: limit, done: $0) })
    }

    fileprivate func expectAudit(_ entries: [AuditEntry], limit: Int, _ when: String) async throws(Failure) {
        let listed = try await audit(limit: limit)
        try expect(listed.map(\.id), entries.map(\.id), "the ids of the newest \(limit) entries \(when)")
        for (stored, entry) in zip(listed, entries) where stored != entry {
            throw failure("the entry \(entry.id) \(when) to be \(entry)", "\(stored)")
        }
    }

    private func auditStorage() throws(Failure) -> any AuditStorage {
        guard let storage = storage as? any AuditStorage else {
            throw failure("a storage that is an AuditStorage", "\(type(of: storage))")
        }
        return storage
    }
}
