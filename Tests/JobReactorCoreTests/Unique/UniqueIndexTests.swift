import JobReactorCore
import JobReactorTesting
import Testing

@Suite struct UniqueIndexTests {
    private static func at(_ seconds: Double) -> Timestamp { Timestamp(seconds: 1000 + seconds) }

    private static func key(_ text: String = "k", job: String = "mail") throws -> UniqueKey {
        try UniqueKey(job: job, key: text)
    }

    private static let fresh = UniqueIndex.Decision.accepted(notBefore: nil, releasing: nil)

    /// An index whose key job 1 holds, at that stage.
    private static func index(_ stage: UniqueIndex.Stage, holdingFor seconds: Double = 0) throws -> UniqueIndex {
        var index = UniqueIndex()
        #expect(index.submit(id(1), try key(), onConflict: .keep, holdingFor: seconds, at: at(0)) == fresh)
        if stage != .waiting { index.began(id(1), try key()) }
        if stage == .finished { #expect(index.finished(id(1), try key(), at: at(1)) == .held(until: at(seconds))) }
        return index
    }

    @Test(
        "what becomes of a job whose key another holds",
        arguments: [
            (.keep, .waiting, .kept(id(1))), (.keep, .running, .kept(id(1))), (.keep, .finished, .kept(id(1))),
            (.replace, .waiting, .replaced(id(1), notBefore: nil)), (.replace, .running, .kept(id(1))),
            (.replace, .finished, .kept(id(1))), (.again, .waiting, .replaced(id(1), notBefore: nil)),
            (.again, .running, .again(id(1))), (.again, .finished, .accepted(notBefore: at(60), releasing: id(1))),
            (.raise, .waiting, .conflict(id(1))), (.raise, .running, .conflict(id(1))),
            (.raise, .finished, .conflict(id(1))),
        ] as [(UniqueConflict, UniqueIndex.Stage, UniqueIndex.Decision)])
    func table(conflict: UniqueConflict, stage: UniqueIndex.Stage, decision: UniqueIndex.Decision) throws {
        var index = try Self.index(stage, holdingFor: 60)
        #expect(index.submit(id(2), try Self.key(), onConflict: conflict, at: Self.at(2)) == decision)
        // Other names and other keys are none of it.
        #expect(index.submit(id(3), try Self.key(job: "sms"), onConflict: conflict, at: Self.at(2)) == Self.fresh)
        #expect(index.submit(id(4), try Self.key("other"), onConflict: conflict, at: Self.at(2)) == Self.fresh)
        // The job that holds it is that job, however it comes.
        let holder = try #require(index.holder(of: try Self.key()))
        #expect(index.submit(holder, try Self.key(), onConflict: conflict, at: Self.at(2)) == .kept(holder))
    }

    @Test(
        "a job holds its key from acceptance until it is finished: through runs, retries, periods and while it is parked"
    )
    func holds() throws {
        var index = try Self.index(.waiting)
        for _ in 0..<3 {
            #expect(index.submit(id(2), try Self.key(), onConflict: .keep, at: Self.at(1)) == .kept(id(1)))
            index.began(id(1), try Self.key())
            #expect(index.submit(id(2), try Self.key(), onConflict: .keep, at: Self.at(1)) == .kept(id(1)))
            index.waits(id(1), try Self.key())
        }
        #expect(index.finished(id(1), try Self.key(), at: Self.at(9)) == .released)
        #expect(index.count == 0)
        #expect(index.holder(of: try Self.key()) == nil)
        #expect(index.submit(id(2), try Self.key(), onConflict: .keep, at: Self.at(9)) == Self.fresh)
        // What is heard of the first is none of the second.
        index.began(id(1), try Self.key())
        #expect(index.finished(id(1), try Self.key(), at: Self.at(9)) == .released)
        index.removed(id(1), try Self.key())
        #expect(index.holder(of: try Self.key()) == id(2))
    }

    @Test("and for as long as it asked for, then its record may go")
    func holdsFor() throws {
        var index = try Self.index(.finished, holdingFor: 60)
        #expect(index.wake == Self.at(60))
        #expect(index.submit(id(2), try Self.key(), onConflict: .keep, at: Self.at(59.999)) == .kept(id(1)))
        #expect(index.expire(at: Self.at(59.999)).map(\.id) == [])
        let expired = index.expire(at: Self.at(60))
        #expect(expired.map(\.id) == [id(1)])
        #expect(expired.map(\.key) == [try Self.key()])
        #expect(index.count == 0 && index.wake == nil)
        // One that runs longer holds it until its end.
        index = try Self.index(.running, holdingFor: 5)
        #expect(index.submit(id(2), try Self.key(), onConflict: .keep, at: Self.at(6)) == .kept(id(1)))
        #expect(index.finished(id(1), try Self.key(), at: Self.at(7)) == .released)
        // Nobody may have looked at the time.
        index = try Self.index(.finished, holdingFor: 60)
        let next = index.submit(id(2), try Self.key(), onConflict: .raise, at: Self.at(61))
        #expect(next == .accepted(notBefore: nil, releasing: id(1)))
        #expect(index.expire(at: Self.at(100)).map(\.id) == [])
        #expect(index.holder(of: try Self.key()) == id(2))
    }

    @Test("again: whatever comes while it runs leads to one more run")
    func again() throws {
        var index = try Self.index(.running)
        for number in 2...5 {
            #expect(index.submit(id(number), try Self.key(), onConflict: .again, at: Self.at(1)) == .again(id(1)))
        }
        #expect(index.submit(id(6), try Self.key(), onConflict: .keep, at: Self.at(1)) == .kept(id(1)))
        #expect(index.finished(id(1), try Self.key(), at: Self.at(2)) == .runsAgain)
        #expect(
            index.submit(id(7), try Self.key(), onConflict: .again, at: Self.at(2)) == .replaced(id(1), notBefore: nil))
        index.began(id(1), try Self.key())
        #expect(index.finished(id(1), try Self.key(), at: Self.at(3)) == .released)
        // A retry takes the newest args as well: then there is no run beyond it.
        index = try Self.index(.running)
        #expect(index.submit(id(2), try Self.key(), onConflict: .again, at: Self.at(1)) == .again(id(1)))
        index.waits(id(1), try Self.key())
        index.began(id(1), try Self.key())
        #expect(index.finished(id(1), try Self.key(), at: Self.at(3)) == .released)
        // Who cancels it cancels all of it.
        index = try Self.index(.running)
        #expect(index.submit(id(2), try Self.key(), onConflict: .again, at: Self.at(1)) == .again(id(1)))
        #expect(index.finished(id(1), try Self.key(), cancelledFromOutside: true, at: Self.at(2)) == .released)
    }

    @Test("again, while a finished job holds the key: it runs when that time is over, and the last args are not lost")
    func againLater() throws {
        var index = try Self.index(.finished, holdingFor: 60)
        let first = index.submit(id(2), try Self.key(), onConflict: .again, holdingFor: 60, at: Self.at(10))
        #expect(first == .accepted(notBefore: Self.at(60), releasing: id(1)))
        let second = index.submit(id(3), try Self.key(), onConflict: .again, holdingFor: 60, at: Self.at(20))
        #expect(second == .replaced(id(2), notBefore: Self.at(60)))
        let late = index.submit(id(3), try Self.key(), onConflict: .replace, holdingFor: 60, at: Self.at(61))
        #expect(late == .replaced(id(2), notBefore: nil))
        index.began(id(2), try Self.key())
        // From then on another sixty seconds, so that there is one run in each at most.
        #expect(index.finished(id(2), try Self.key(), at: Self.at(62)) == .held(until: Self.at(121)))
    }

    @Test("the time for which a key is held is that of the last that was taken up")
    func extended() throws {
        var index = try Self.index(.waiting, holdingFor: 60)
        #expect(
            index.submit(id(2), try Self.key(), onConflict: .replace, holdingFor: 30, at: Self.at(50))
                == .replaced(id(1), notBefore: nil))
        index.began(id(1), try Self.key())
        #expect(
            index.submit(id(3), try Self.key(), onConflict: .keep, holdingFor: 500, at: Self.at(51)) == .kept(id(1)))
        #expect(index.finished(id(1), try Self.key(), at: Self.at(52)) == .held(until: Self.at(80)))
    }

    @Test("the key goes with the record: one that is destroyed or adopted has it here no more")
    func removed() throws {
        for stage in [UniqueIndex.Stage.waiting, .running, .finished] {
            var index = try Self.index(stage, holdingFor: 60)
            index.removed(id(1), try Self.key())
            #expect(index.count == 0)
            #expect(index.submit(id(2), try Self.key(), onConflict: .raise, at: Self.at(2)) == Self.fresh)
            #expect(index.expire(at: Self.at(100)).map(\.id) == [])
            #expect(index.holder(of: try Self.key()) == id(2))
        }
    }

    @Test("a restart finds all keys")
    func restored() throws {
        var index = UniqueIndex()
        #expect(index.restore(id(1), try Self.key("a"), .waiting, at: Self.at(0)) == true)
        #expect(index.restore(id(2), try Self.key("b"), .running, runsAgain: true, at: Self.at(0)) == true)
        #expect(index.restore(id(3), try Self.key("c"), .finished, holdingFor: 20, at: Self.at(0)) == true)
        #expect(index.restore(id(4), try Self.key("d"), .finished, holdingFor: 0, at: Self.at(0)) == true)
        #expect(index.restore(id(5), try Self.key("e"), .waiting, notBefore: Self.at(9), at: Self.at(0)) == true)
        // Once more, as a record that is found twice; and another with the same key, which there should not be.
        #expect(index.restore(id(1), try Self.key("a"), .waiting, at: Self.at(0)) == true)
        #expect(index.restore(id(9), try Self.key("a"), .waiting, at: Self.at(0)) == false)
        #expect(index.count == 4)
        #expect(index.submit(id(10), try Self.key("a"), onConflict: .keep, at: Self.at(1)) == .kept(id(1)))
        #expect(index.finished(id(2), try Self.key("b"), at: Self.at(1)) == .runsAgain)
        #expect(index.submit(id(10), try Self.key("c"), onConflict: .raise, at: Self.at(19)) == .conflict(id(3)))
        #expect(index.submit(id(10), try Self.key("d"), onConflict: .raise, at: Self.at(1)) == Self.fresh)
        #expect(
            index.submit(id(11), try Self.key("e"), onConflict: .replace, at: Self.at(1))
                == .replaced(id(5), notBefore: Self.at(9)))
        #expect(index.expire(at: Self.at(20)).map(\.id) == [id(3)])
        // An expired one makes room for one that is brought back.
        #expect(index.restore(id(3), try Self.key("c"), .finished, holdingFor: 5, at: Self.at(20)) == true)
        #expect(index.restore(id(12), try Self.key("c"), .waiting, at: Self.at(25)) == true)
    }

    @Test(
        "of all jobs with a key one at most is unfinished, and none is accepted while another holds it",
        arguments: [1, 2, 3, 4] as [UInt64])
    func model(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var index = UniqueIndex()
        var now = Self.at(0)
        let keys = try ["a", "b", "c"].map { try Self.key($0) }
        /// The unfinished job of each key, whether it runs, and until when a key is held.
        var holders: [UniqueKey: (id: JobID, runs: Bool)] = [:]
        var heldUntil: [UniqueKey: Timestamp] = [:]
        /// Args that no run has seen, by number.
        var pending: [UniqueKey: Int] = [:]
        for step in 1...6000 {
            now = now.advanced(bySeconds: .random(in: 0...2, using: &random))
            let key = keys[Int.random(in: 0..<3, using: &random)]
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let conflict = UniqueConflict.allCases.randomElement(using: &random) ?? .keep
                let seconds = Double([0, 0, 5, 20].randomElement(using: &random) ?? 0)
                let isHeld = holders[key] != nil || (heldUntil[key].map { $0 > now } ?? false)
                switch index.submit(id(step), key, onConflict: conflict, holdingFor: seconds, at: now) {
                case .accepted(let notBefore, _):
                    try #require(holders[key] == nil, "seed \(seed), step \(step)")
                    try #require(!isHeld || (conflict == .again && notBefore == heldUntil[key]))
                    holders[key] = (id(step), false)
                    heldUntil[key] = (notBefore ?? now).advanced(bySeconds: seconds)
                    pending[key] = step
                case .replaced(let other, _):
                    try #require(holders[key]?.id == other && holders[key]?.runs == false && conflict != .keep)
                    pending[key] = step
                case .again(let other):
                    try #require(holders[key]?.id == other && holders[key]?.runs == true && conflict == .again)
                    pending[key] = step
                case .kept: try #require(isHeld && (conflict == .keep || conflict == .replace))
                case .conflict: try #require(isHeld && conflict == .raise)
                }
            case 5..<7:
                guard let holder = holders[key], !holder.runs else { continue }
                holders[key]?.runs = true
                pending[key] = nil
                index.began(holder.id, key)
            case 7..<9:
                guard let holder = holders[key], holder.runs else { continue }
                if Bool.random(using: &random) {
                    holders[key]?.runs = false
                    index.waits(holder.id, key)
                    continue
                }
                switch index.finished(holder.id, key, at: now) {
                case .runsAgain:
                    // Nothing that was promised a run is lost.
                    try #require(pending[key] != nil, "seed \(seed), step \(step)")
                    holders[key]?.runs = false
                case .held(let until):
                    try #require(until > now && pending[key] == nil)
                    (holders[key], heldUntil[key]) = (nil, until)
                case .released:
                    try #require(pending[key] == nil, "seed \(seed), step \(step)")
                    (holders[key], heldUntil[key]) = (nil, nil)
                }
            default:
                _ = index.expire(at: now)
                let held = keys.count { holders[$0] != nil || (heldUntil[$0].map { $0 > now } ?? false) }
                try #require(index.count == held, "seed \(seed), step \(step)")
            }
        }
    }
}
