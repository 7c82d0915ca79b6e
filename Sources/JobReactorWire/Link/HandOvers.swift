internal import DequeModule
package import JobReactorCore

/// The upstream end of a link: counts what is sent, and keeps which hand-overs the other side has not answered yet.
///
/// A value without I/O.
package struct HandOvers: Sendable {
    /// The number of the last one.
    package private(set) var last = 0
    /// By number, from `first` on; nil for those that are answered.
    private var unanswered: Deque<JobID?> = []
    private var first = 1
    private let keeps: Bool

    /// `awaitsAnswers` says whether the other side answers each one. Those of a taker that owns nothing are only counted.
    package init(awaitsAnswers: Bool) { keeps = awaitsAnswers }

    /// Hand-overs without an answer; 0 when none is awaited.
    package var unansweredCount: Int { unanswered.lazy.filter { $0 != nil }.count }
    /// Whether every one has its answer.
    package var areAllAnswered: Bool { unanswered.isEmpty }

    /// A job goes out; returns the number of the hand-over.
    package mutating func add(_ id: JobID) -> Int {
        last += 1
        if keeps { unanswered.append(id) } else { first = last + 1 }
        return last
    }

    /// The hand-over is answered. Returns false when it was before, or never was.
    @discardableResult
    package mutating func answer(_ handOver: HandOver) -> Bool {
        guard let id = id(of: handOver.number), id == handOver.id else { return false }
        remove(handOver.number)
        return true
    }

    /// The hand-overs from `lower` to `upper` are answered, as far as they were not before; `body` gets each of those.
    package mutating func answer(_ lower: Int, through upper: Int, _ body: (HandOver) -> Void) {
        var number = max(lower, first)
        let end = min(upper, last)
        while number <= end {
            if let id = id(of: number) {
                remove(number)
                body(HandOver(number, id))
            }
            number += 1
        }
    }

    private func id(of number: Int) -> JobID? {
        guard number >= first, number - first < unanswered.count else { return nil }
        return unanswered[number - first]
    }

    private mutating func remove(_ number: Int) {
        unanswered[number - first] = nil
        while case .some(nil) = unanswered.first {
            unanswered.removeFirst()
            first += 1
        }
    }
}
