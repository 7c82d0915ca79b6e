internal import JobReactorCore

private typealias Failure = StorageConformanceFailure

/// What is kept for the distributor.
extension StorageConformance {
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
        Check("a report that is stored and taken in one call is gone, one taken and stored again is there") {
            probe async throws(Failure) in
            try await probe.save([Sample.plain(1), Sample.plain(2)])
            let (first, second) = (Sample.report(1, run: 1), Sample.report(2, run: 1))
            try await probe.apply([.update(Sample.plain(1), first), .taken(first.report.key)])
            try await probe.expectReports([], "of one that was stored, then taken")
            try await probe.apply([.update(Sample.plain(2), second)])
            try await probe.apply([.taken(second.report.key), .update(Sample.plain(2), second)])
            try await probe.expectReports([second], "of one that was taken, then stored again")
            try await probe.apply([.remove(Sample.id(1), first), .taken(second.report.key), .taken(first.report.key)])
            try await probe.expectReports([], "of two that were taken after one of them was stored")
            try await probe.expectAll([Sample.plain(2)], "after a removal with a report")
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
        Check("a page of large reports is short, and none is missed") { probe async throws(Failure) in
            try await probe.save((1...3).map { Sample.plain($0) })
            let reports = (1...3).map { number in
                var stored = Sample.report(number, run: 1)
                if number != 2 { stored.report.feedback.args = Sample.large }
                return stored
            }
            try await probe.apply(reports.map { .remove($0.report.id, $0) })
            var listed: [StoredReport] = []
            while true {
                let page = try await probe.reports(after: listed.last?.report.key, limit: 10)
                try probe.expectRoom(for: page.map(\.report.feedback.args), "of reports")
                if page.isEmpty { break }
                listed += page
                try probe.expect(
                    listed.map(\.report.key), reports.prefix(listed.count).map(\.report.key),
                    "the keys of the pages so far")
            }
            try probe.expect(listed.count, reports.count, "the number of reports before an empty page")
            try probe.expect(listed == reports, true, "whether they are as they were stored")
        },
    ]
}
