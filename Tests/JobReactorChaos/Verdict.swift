import Foundation

/// What is left when all is mended, against what was accepted and what was broken.
struct Verdict {
    private let work: Work.Result
    private let faults: [Fault]
    private let runs: [Int: [ChaosInstallation.Run]]
    private let surprises: [Member.Surprise]
    /// Producers that have not come to their end.
    private let unfinished: [String]

    init(
        work: Work.Result, faults: [Fault], runs: [ChaosInstallation.Run], surprises: [Member.Surprise] = [],
        unfinished: [String] = []
    ) {
        self.work = work
        self.faults = faults
        self.runs = Dictionary(grouping: runs, by: \.number)
        self.surprises = surprises
        self.unfinished = unfinished
    }

    var lost: [Int] { work.accepted.filter { runs[$0] == nil }.sorted() }
    var untold: [Int] { work.outcomes.filter { $0.value == 0 }.map(\.key).sorted() }
    var toldTwice: [Int] { work.outcomes.filter { $0.value > 1 }.map(\.key).sorted() }

    // MARK: Runs

    /// Runs beyond those that a job has by itself: a flaky one has two.
    private func extra(_ number: Int) -> Int { (runs[number]?.count ?? 0) - (number % 10 == 0 ? 2 : 1) }

    var repeated: [Int] { runs.keys.filter { extra($0) > 0 }.sorted() }

    /// The faults that explain that the job ran again: see ``Fault/maySpoil``. They struck the node that ran it, or a
    /// distributor, which may not remember where it has sent it, between its first run and its last.
    func excuses(of number: Int) -> [Fault] {
        guard let runs = runs[number], let first = runs.map(\.second).min(), let last = runs.map(\.second).max()
        else { return [] }
        return faults.filter { fault in
            guard fault.maySpoil, fault.what.hasPrefix("d") || runs.contains(where: { $0.member == fault.what }) else {
                return false
            }
            // The runs are known to the second, and a process notes a run before it ends.
            let until = fault.what.hasPrefix("d") ? lasting(fault) : fault.until
            return until.timeIntervalSince1970 >= Double(first) - 1
                && fault.from.timeIntervalSince1970 <= Double(last) + 1
        }
    }

    /// Until when runs can be late for what a distributor has forgotten: as long as one fault follows the other without a
    /// second between, such as a stop of the node that has the job, or a storage that refuses. A storage is tried again some
    /// seconds after it is back: what a node was to store then runs only now.
    private func lasting(_ fault: Fault) -> Date {
        var end = fault.until
        for next in faults.sorted(by: { $0.from < $1.from }) where next.from <= end.addingTimeInterval(1) {
            let isOfStorage = [.server, .refuse, .full, .stall].contains(next.kind)
            end = max(end, next.until.addingTimeInterval(isOfStorage ? Self.longestRetry : 0))
        }
        return end
    }

    /// Seconds until a process has noticed that its storage is back, on a busy machine.
    private static let longestRetry = 5.0

    /// Each fault explains one run more; of a flaky job two, as it fails again with the next attempt.
    var unexplained: [Int] {
        repeated.filter { extra($0) > excuses(of: $0).count * ($0 % 10 == 0 ? 2 : 1) }
    }

    // MARK: Processes

    /// Processes that ended by themselves, or did not end. One may end with an error: that finds its SQLite file broken when
    /// it starts. Of a Redis server all wait until it serves.
    var badEnds: [String] {
        let broken = faults.filter(\.breaksStorage)
        return surprises.filter { surprise in
            !surprise.isRefusal
                || !broken.contains { fault in
                    // It waits 5 s for a lock before it gives up.
                    fault.what == SQLiteChaos.name(of: surprise.member) && fault.from <= surprise.at
                        && surprise.at <= fault.until.addingTimeInterval(7)
                }
        }.map { "\(Int($0.at.timeIntervalSince1970)) \($0.member) \($0.what)" }
    }

    var isGood: Bool {
        lost.isEmpty && untold.isEmpty && toldTwice.isEmpty && unexplained.isEmpty && badEnds.isEmpty
            && unfinished.isEmpty
    }

    // MARK: Report

    var report: String {
        let unknown = work.jobs - work.accepted.count
        var lines = [
            "jobs accepted     \(work.accepted.count)",
            "jobs refused      \(unknown) (or of unknown fate, at a connection or a producer that was cut short)",
            "jobs run          \(runs.count), in \(runs.values.reduce(0) { $0 + $1.count }) runs",
            "faults            \(faults.count): \(Self.counts(faults.map(\.kind.rawValue)))",
            "at one moment     \(pairs)",
            "repeated runs     \(repeated.count) jobs, \(unexplained.count) of them without a crash between",
        ]
        let excused = repeated.flatMap { excuses(of: $0).map { "\($0.kind.rawValue) \($0.what)" } }
        if !excused.isEmpty { lines.append("excused by        \(Self.counts(excused))") }
        lines += [
            "outcomes          \(work.outcomes.values.filter { $0 > 0 }.count) of \(work.outcomes.count)"
                + ", \(toldTwice.count) twice",
            "lost              \(lost.count)",
        ]
        for (name, numbers) in [
            ("lost", lost), ("without outcome", untold), ("told twice", toldTwice), ("unexplained", unexplained),
        ] where !numbers.isEmpty {
            lines.append("\(name): \(numbers.prefix(20).map(describe).joined(separator: " "))")
        }
        if !badEnds.isEmpty { lines.append("ended by themselves, or not: \(badEnds.joined(separator: "; "))") }
        if !unfinished.isEmpty { lines.append("not finished: \(unfinished.joined(separator: ", "))") }
        if !isGood { lines += faults.map { "  " + $0.description } }
        return lines.joined(separator: "\n")
    }

    private func describe(_ number: Int) -> String {
        "\(number)@\((runs[number] ?? []).map { "\($0.member):\($0.second)" })"
    }

    /// How often a fault began while another lasted.
    private var pairs: Int {
        zip(faults, faults.dropFirst()).filter { $1.from < $0.until }.count
    }

    private static func counts(_ words: [String]) -> String {
        Dictionary(grouping: words) { $0 }.map { "\($0.value.count) \($0.key)" }.sorted().joined(separator: ", ")
    }
}

extension Fault: CustomStringConvertible {
    var description: String {
        let words = [how, wasCutShort ? "cut short" : ""].filter { !$0.isEmpty }
        return "\(Int(from.timeIntervalSince1970))…\(Int(until.timeIntervalSince1970)) \(kind.rawValue) \(what)"
            + (words.isEmpty ? "" : " (\(words.joined(separator: ", ")))")
    }
}
