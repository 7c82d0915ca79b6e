import Foundation
import Testing

@testable import JobReactorChaos

/// What the program that breaks everything makes of the traces of jobs with keys, of limits and of schedules.
@Suite("The verdict of keys, limits and schedules") struct ChaosTimedTests {
    /// `key k 1 n1 B 100.5`: kind, name, id, process, begin or end, and when.
    private static func verdict(
        _ lines: [String], answered: Set<String> = [], stuck: [String] = [], faults: [Fault] = []
    ) -> TimedVerdict {
        let traces = lines.compactMap { line in
            let words = line.split(separator: " ")
            let number = words[3].dropFirst()
            return Trace("\(words[0]) \(words[1]) \(words[2]) \(number) \(words[4]) \(words[5])") { "n\($0)" }
        }
        #expect(traces.count == lines.count)
        return TimedVerdict(
            work: TimedWork.Result(answered: answered, stuck: stuck), traces: traces, faults: faults)
    }

    private static func fault(_ kind: Fault.Kind, _ what: String, at second: Double) -> Fault {
        Fault(
            kind: kind, what: what, from: Date(timeIntervalSince1970: second),
            until: Date(timeIntervalSince1970: second + 1))
    }

    @Test("what is cut in its line is none") func traces() {
        #expect(Trace("key k 1 7 B") { _ in "" } == nil)
        #expect(Trace("key k 1 7 X 1") { _ in "" } == nil)
        #expect(Trace("key k 1 7 E 1.5") { "n\($0)" }?.member == "n7")
    }

    @Test("two jobs of a key run one after the other") func keys() {
        let good = [
            "key k 1 n1 B 1", "key k 1 n1 E 2", "key k 2 n2 B 2.1", "key k 2 n2 E 3", "key l 3 n1 B 1.5",
            "key l 3 n1 E 4",
        ]
        #expect(Self.verdict(good, answered: ["1", "2", "3"]).isGood)
        let bad = ["key k 1 n1 B 1", "key k 2 n2 B 1.9", "key k 1 n1 E 2", "key k 2 n2 E 3"]
        #expect(Self.verdict(bad).overlaps == ["k: 1 on n1 and 2 on n2"])
        // A run that goes on at a process that was taken for dead explains it, where that is explained.
        let again = [
            "key k 1 n1 B 1", "key k 1 n2 B 1.1", "key k 1 n2 E 1.2", "key k 2 n2 B 1.9", "key k 1 n1 E 2",
            "key k 2 n2 E 3",
        ]
        #expect(Self.verdict(again, faults: [Self.fault(.hang, "n1", at: 1)]).isGood)
        #expect(Self.verdict(again).repeated == ["1"])
    }

    @Test("a limit has so many places, in the life of a distributor") func limits() {
        func runs(_ begins: [Double]) -> [String] {
            begins.enumerated().flatMap { index, begin in
                ["limit d1 \(index) n\(index) B \(begin)", "limit d1 \(index) n\(index) E \(begin + 5)"]
            }
        }
        #expect(Self.verdict(runs([1, 2, 3, 6, 7, 8])).isGood)
        #expect(Self.verdict(runs([1, 2, 3, 4])).passed == ["d1: 4 at once"])
        #expect(Self.verdict(runs([1, 2, 3, 4]), faults: [Self.fault(.kill, "d1", at: 3.5)]).isGood)
        for (kind, what) in [(Fault.Kind.kill, "d2"), (.kill, "n1"), (.freeze, "d1")] {
            let fault = Self.fault(kind, what, at: 3.5)
            #expect(!Self.verdict(runs([1, 2, 3, 4]), faults: [fault]).isGood, "\(fault)")
        }
    }

    @Test("a tick is one job, runs once, and not beside another of its schedule") func ticks() {
        let good = [
            "tick s:1 a n1 B 1", "tick s:1 a n1 E 2", "tick s:2 b n1 B 2", "tick s:2 b n1 E 3", "tick t:1 c n2 B 1",
            "tick t:1 c n2 E 2",
        ]
        #expect(Self.verdict(good).isGood)
        #expect(Self.verdict(good + ["tick s:2 d n2 B 4", "tick s:2 d n2 E 5"]).doubled == ["s:2"])
        let twice = good + ["tick s:2 b n2 B 4", "tick s:2 b n2 E 5"]
        #expect(Self.verdict(twice).repeated == ["b"])
        #expect(Self.verdict(twice, faults: [Self.fault(.kill, "n1", at: 3)]).isGood)
        #expect(Self.verdict(twice, faults: [Self.fault(.cut, "nodes of d1", at: 3)]).repeated == ["b"])
        let beside = good + ["tick s:3 e n2 B 2.5", "tick s:3 e n2 E 4"]
        #expect(Self.verdict(beside).overlaps == ["s: b on n1 and e on n2"])
    }

    @Test("what was accepted runs to its end, and no key is stuck") func waiting() {
        #expect(Self.verdict(["key k 1 n1 B 1"], answered: ["1", "2"]).waiting == ["1", "2"])
        #expect(!Self.verdict([], stuck: ["k"]).isGood)
    }
}
