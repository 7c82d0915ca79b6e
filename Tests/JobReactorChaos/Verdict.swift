import Foundation

/// What is left when all is mended, against what was accepted and what was broken.
struct Verdict {
    private let work: Work.Result
    private let faults: [Fault]
    private let runs: [Int: [ChaosInstallation.Run]]

    init(work: Work.Result, faults: [Fault], runs: [ChaosInstallation.Run]) {
        self.work = work
        self.faults = faults
        self.runs = Dictionary(grouping: runs, by: \.number)
    }

    private var lost: [Int] { work.accepted.filter { runs[$0] == nil }.sorted() }
    private var untold: [Int] { work.outcomes.filter { $0.value == 0 }.map(\.key).sorted() }
    private var toldTwice: [Int] { work.outcomes.filter { $0.value > 1 }.map(\.key).sorted() }

    /// Runs beyond those that a job has by itself: a flaky one has two.
    private var repeated: [Int] {
        runs.filter { number, runs in runs.count > (number % 10 == 0 ? 2 : 1) }.map(\.key).sorted()
    }

    /// Repeated runs that no crash explains: only the end of the process that ran the job, or of a distributor, which may
    /// not remember where it has sent it, or a node so long away that another took its jobs over. Cut connections, short
    /// freezes, and a storage that is killed or frozen explain none.
    private var unexplained: [Int] {
        let crashes = faults.filter { [.kill, .lose, .hang].contains($0.kind) }
        return repeated.filter { number in
            guard let runs = runs[number], let first = runs.map(\.second).min(), let last = runs.map(\.second).max()
            else { return false }
            return !crashes.contains { crash in
                guard crash.what.hasPrefix("d") || runs.contains(where: { $0.member == crash.what }) else {
                    return false
                }
                // The runs are known to the second, and a process notes a run before it ends.
                return crash.until.timeIntervalSince1970 >= Double(first) - 1
                    && crash.from.timeIntervalSince1970 <= Double(last) + 1
            }
        }
    }

    var isGood: Bool { lost.isEmpty && untold.isEmpty && toldTwice.isEmpty && unexplained.isEmpty }

    var report: String {
        let byKind = Dictionary(grouping: faults, by: \.kind).map { "\($0.value.count) \($0.key.rawValue)" }.sorted()
        var lines = [
            "jobs accepted     \(work.accepted.count)",
            "jobs refused      \(work.refused) (or of unknown fate, at a cut connection)",
            "jobs run          \(runs.count), in \(runs.values.reduce(0) { $0 + $1.count }) runs",
            "faults            \(faults.count): \(byKind.joined(separator: ", "))",
            "repeated runs     \(repeated.count) jobs, \(unexplained.count) of them without a crash between",
            "outcomes          \(work.outcomes.values.filter { $0 > 0 }.count) of \(work.outcomes.count)"
                + ", \(toldTwice.count) twice",
            "lost              \(lost.count)",
        ]
        for (name, numbers) in [
            ("lost", lost), ("without outcome", untold), ("told twice", toldTwice), ("unexplained", unexplained),
        ] where !numbers.isEmpty {
            lines.append(
                "\(name): \(numbers.prefix(20).map { number in "\(number)@\((runs[number] ?? []).map { "\($0.member):\($0.second)" })" }.joined(separator: " "))"
            )
        }
        if !isGood {
            for fault in faults {
                lines.append(
                    "  \(Int(fault.from.timeIntervalSince1970))…\(Int(fault.until.timeIntervalSince1970)) "
                        + "\(fault.kind.rawValue) \(fault.what)")
            }
        }
        return lines.joined(separator: "\n")
    }
}
