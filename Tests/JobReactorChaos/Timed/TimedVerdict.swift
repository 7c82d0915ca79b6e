import Foundation

/// What the traces of jobs say of keys, limits and schedules, whatever distributors say.
struct TimedVerdict {
    /// A run as its traces have it: a process that was killed notes no end.
    private struct Run {
        let kind: Trace.Kind
        let name: String
        let id: String
        let member: String
        let begin: Double
        var end: Double?
    }

    private let work: TimedWork.Result
    private let faults: [Fault]
    private let runs: [Run]
    private let byID: [String: [Run]]

    init(work: TimedWork.Result, traces: [Trace], faults: [Fault]) {
        self.work = work
        self.faults = faults
        var runs: [Run] = []
        var open: [String: Int] = [:]
        for trace in traces {
            let key = "\(trace.id) \(trace.member)"
            if trace.isEnd {
                if let index = open.removeValue(forKey: key) { runs[index].end = trace.at }
            } else {
                open[key] = runs.count
                runs.append(
                    Run(kind: trace.kind, name: trace.name, id: trace.id, member: trace.member, begin: trace.at))
            }
        }
        self.runs = runs.sorted { $0.begin < $1.begin }
        byID = Dictionary(grouping: runs, by: \.id)
    }

    /// A job that ran once, to its end, had what it needs all the time. Of one that ran again, which ``repeated`` has to explain, an
    /// earlier run may go on at a process that others believe dead.
    private func isWhole(_ run: Run) -> Bool { run.end != nil && byID[run.id]?.count == 1 }

    // MARK: Findings

    /// Jobs that were accepted, and have not run to their end.
    var waiting: [String] { work.answered.filter { id in byID[id]?.contains { $0.end != nil } != true }.sorted() }

    /// Two jobs of one key at a time, or of one schedule, whose jobs must not overlap.
    var overlaps: [String] { overlapping(.key) { $0.name } + overlapping(.tick) { Self.schedule(of: $0) } }

    private static func schedule(of run: Run) -> String { String(run.name.prefix { $0 != ":" }) }

    private func overlapping(_ kind: Trace.Kind, _ name: (Run) -> String) -> [String] {
        var found: [String] = []
        for (name, runs) in Dictionary(grouping: runs.lazy.filter { $0.kind == kind && isWhole($0) }, by: name) {
            for (first, next) in zip(runs, runs.dropFirst()) where next.begin < first.end ?? 0 {
                found.append("\(name): \(first.id) on \(first.member) and \(next.id) on \(next.member)")
            }
        }
        return found.sorted()
    }

    /// Moments at which more runs counted in a limit than it has places. A distributor that is killed or stopped learns from its nodes
    /// what goes on, one after the other: what began before is not held against what began after.
    var passed: [String] {
        let limited = Dictionary(grouping: runs.lazy.filter { $0.kind == .limit && isWhole($0) }, by: \.name)
        return limited.keys.sorted().compactMap { name in
            let deaths = faults.filter { $0.what == name && [.kill, .stop].contains($0.kind) }
            var (ends, most) = ([Double](), 0)
            for run in limited[name] ?? [] {
                ends.removeAll { $0 <= run.begin }
                let end = run.end ?? run.begin
                let death = deaths.first {
                    run.begin < $0.until.timeIntervalSince1970 && $0.from.timeIntervalSince1970 < end
                }
                ends.append(death.map { max(run.begin, $0.from.timeIntervalSince1970) } ?? end)
                most = max(most, ends.count)
            }
            return most > TimedWork.places ? "\(name): \(most) at once" : nil
        }
    }

    /// Ticks that have become two jobs.
    var doubled: [String] {
        Dictionary(grouping: runs.lazy.filter { $0.kind == .tick }, by: \.name)
            .filter { Set($0.value.map(\.id)).count > 1 }.keys.sorted()
    }

    /// Jobs that ran again, and no fault explains it.
    var repeated: [String] {
        let ids = byID.keys.sorted()
        let numbered = ids.enumerated().flatMap { index, id in
            // No number of a job that fails by itself.
            (byID[id] ?? []).map {
                ChaosInstallation.Run(number: 10 * index + 5, member: $0.member, second: Int($0.begin))
            }
        }
        let verdict = Verdict(work: Work.Result(), faults: faults, runs: numbered)
        return verdict.unexplained.map { ids[$0 / 10] }
    }

    private var findings: [(name: String, found: [String])] {
        [
            ("accepted, and not run", waiting), ("keys that are stuck", work.stuck),
            ("schedules that are stuck", work.silent), ("at one time", overlaps), ("limits passed", passed),
            ("ticks that are two jobs", doubled), ("ran again without a crash", repeated),
        ]
    }

    var isGood: Bool { findings.allSatisfy { $0.found.isEmpty } }

    // MARK: Report

    var report: String {
        func count(_ kind: Trace.Kind) -> Int { runs.count { $0.kind == kind } }
        let ran = "timed runs        \(count(.key)) with keys, \(count(.limit)) of limits, \(count(.tick)) of ticks"
        let wrong = findings.filter { !$0.found.isEmpty }
        return ([ran] + wrong.map { "\($0.name): \($0.found.prefix(20).joined(separator: "; "))" })
            .joined(separator: "\n")
    }
}
