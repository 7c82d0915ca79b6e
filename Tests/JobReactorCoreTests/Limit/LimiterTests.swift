import JobReactorCore
import Testing

@Suite struct LimiterTests {
    private static let start = Timestamp(microseconds: 1_000_000_000)

    private static func at(_ seconds: Double) -> Timestamp { start.advanced(bySeconds: seconds) }

    private static func limiter(_ limits: Limit...) -> Limiter {
        var limiter = Limiter()
        for limit in limits { limiter.define(limit, at: start) }
        return limiter
    }

    // MARK: Kept over restarts

    @Test("starts are told of the limits that had any since, the newest of all keys, as far as the window looks back")
    func starts() {
        var limiter = Self.limiter(
            Limit(name: "api", rate: 100_000, per: 60, key: "account"), Limit(name: "crm", rate: 5, per: 60),
            Limit(name: "plain", concurrency: 5))
        func take(_ seconds: Double) -> [String: [Limiter.Start]] {
            Dictionary(uniqueKeysWithValues: limiter.takeStarts(at: Self.at(seconds)).map { ($0.limit, $0.starts) })
        }
        func begin(_ number: Int, _ limit: String, _ key: String? = nil, at seconds: Double) {
            let needs = [LimitNeed(limit: limit, key: key)]
            #expect(limiter.request(id(number), needs: needs, at: Self.at(seconds)) == .granted)
            limiter.end(id(number), at: Self.at(seconds))
        }
        #expect(take(0).isEmpty)
        begin(1, "api", "a", at: 0)
        begin(2, "crm", at: 10)
        begin(3, "plain", at: 10)
        #expect(
            take(10) == [
                "api": [Limiter.Start(key: "a", at: Self.at(0))], "crm": [Limiter.Start(key: nil, at: Self.at(10))],
            ])
        #expect(take(10).isEmpty)
        begin(4, "api", "b", at: 60)
        #expect(take(61) == ["api": [Limiter.Start(key: "b", at: Self.at(60))]])
        for number in 0..<20_000 { begin(number + 10, "api", "\(number)", at: 70) }
        let newest = take(70)["api"] ?? []
        #expect(newest.count == 10_000 && newest.first?.key == "10000" && newest.last?.key == "19999")
    }

    // MARK: Concurrency

    @Test("as many run at once as the limit says, and the next begins when one has ended")
    func concurrency() {
        var limiter = Self.limiter(Limit(name: "crm", concurrency: 2))
        #expect(limiter.ask(1, "crm") == .granted)
        #expect(limiter.ask(2, "crm") == .granted)
        #expect(limiter.ask(3, "crm") == .waits)
        #expect(limiter.ask(4, "crm") == .waits)
        #expect(limiter.runningCount == 2 && limiter.waitingCount == 2)
        #expect(limiter.totals == [LimitTotal(limit: Limit(name: "crm", concurrency: 2), inUse: 2, waiting: 2)])
        #expect(limiter.takeAll() == [])
        #expect(limiter.end(id(1), at: Self.start) == true)
        #expect(limiter.takeAll() == [3])
        // Whoever is known has the same answer.
        #expect(limiter.ask(3, "crm") == .granted)
        #expect(limiter.ask(4, "crm") == .waits)
        #expect(limiter.wake == nil)
    }

    @Test("a permit is given back on every way out, once")
    func everyWayOut() {
        var limiter = Self.limiter(Limit(name: "crm", concurrency: 1))
        #expect(limiter.ask(1, "crm") == .granted)
        #expect(limiter.ask(2, "crm") == .waits)
        #expect(limiter.ask(3, "crm") == .waits)
        // One that waits is cancelled: it has nothing to give back.
        #expect(limiter.end(id(2), at: Self.start) == true)
        #expect(limiter.end(id(2), at: Self.start) == false)
        #expect(limiter.takeAll() == [])
        #expect(limiter.end(id(1), at: Self.start) == true)
        #expect(limiter.end(id(1), at: Self.start) == false)
        #expect(limiter.takeAll() == [3])
        #expect(limiter.end(id(3), at: Self.start) == true)
        #expect(limiter.takeAll() == [])
        #expect(limiter.runningCount == 0 && limiter.waitingCount == 0 && limiter.usage(at: Self.start) == [])
        #expect(limiter.totals.map(\.inUse) == [0] && limiter.totals.map(\.waiting) == [0])
        // It may come again.
        #expect(limiter.ask(2, "crm") == .granted)
    }

    @Test("values of a key count apart, and a full one delays no other")
    func keys() {
        var limiter = Self.limiter(Limit(name: "api", concurrency: 1, key: "account"))
        #expect(limiter.ask(1, "api", "a") == .granted)
        for number in 2...1000 { #expect(limiter.ask(number, "api", "a") == .waits) }
        #expect(limiter.ask(2001, "api", "b") == .granted)
        #expect(limiter.ask(2002, "api", "c") == .granted)
        #expect(limiter.end(id(2001), at: Self.start) == true)
        #expect(limiter.takeAll() == [])
        #expect(limiter.end(id(1), at: Self.start) == true)
        #expect(limiter.takeAll() == [2])
        #expect(limiter.partCount == 2)
    }

    @Test("of many keys under one limit each gets its turn, however many jobs one of them has waiting")
    func fair() {
        var limiter = Self.limiter(
            Limit(name: "crm", concurrency: 1), Limit(name: "api", concurrency: 5, key: "account"))
        func needs(_ key: String) -> [LimitNeed] { [LimitNeed(limit: "crm"), LimitNeed(limit: "api", key: key)] }
        #expect(limiter.request(id(1), needs: needs("a"), at: Self.start) == .granted)
        for number in 2...1000 { #expect(limiter.request(id(number), needs: needs("a"), at: Self.start) == .waits) }
        for (number, key) in [(2001, "b"), (2002, "c"), (2003, "b")] {
            #expect(limiter.request(id(number), needs: needs(key), at: Self.start) == .waits)
        }
        var begun: [UInt64] = []
        var running = UInt64(1)
        for _ in 0..<8 {
            #expect(limiter.end(JobID(high: 0, low: running), at: Self.start) == true)
            let next = limiter.takeAll()
            #expect(next.count == 1)
            running = next.first ?? 0
            begun.append(running)
        }
        #expect(begun == [2, 2001, 2002, 3, 2003, 4, 5, 6])
    }

    @Test("jobs that need different limits take turns at the one that they share")
    func fairBetweenLimits() {
        var limiter = Self.limiter(Limit(name: "crm", concurrency: 1), Limit(name: "db", concurrency: 9))
        let both = [LimitNeed(limit: "crm"), LimitNeed(limit: "db")]
        #expect(limiter.ask(1, "crm") == .granted)
        for number in 2...5 { #expect(limiter.ask(number, "crm") == .waits) }
        for number in 12...14 { #expect(limiter.request(id(number), needs: both, at: Self.start) == .waits) }
        var begun: [UInt64] = [1]
        for _ in 0..<7 {
            #expect(limiter.end(JobID(high: 0, low: begun.last ?? 0), at: Self.start) == true)
            begun += limiter.takeAll()
        }
        #expect(begun == [1, 2, 12, 3, 13, 4, 14, 5])
    }

    @Test("higher priorities go first, and lower get one start in sixteen")
    func priorities() {
        var limiter = Self.limiter(Limit(name: "crm", concurrency: 1))
        #expect(limiter.ask(0, "crm") == .granted)
        for number in 1...3 { #expect(limiter.ask(number, "crm", priority: 0) == .waits) }
        for number in 11...60 { #expect(limiter.ask(number, "crm", priority: 9) == .waits) }
        var begun: [UInt64] = [0]
        for _ in 0..<32 {
            #expect(limiter.end(JobID(high: 0, low: begun.last ?? 0), at: Self.start) == true)
            begun += limiter.takeAll()
        }
        #expect(Array(begun[1...16]) == Array(11...25) + [1])
        #expect(begun.last == 2)
    }

    // MARK: Rate

    @Test("no more runs begin within any window than the rate says")
    func rate() {
        var limiter = Self.limiter(Limit(name: "api", rate: 2, per: 10))
        #expect(limiter.ask(1, "api", at: Self.at(0)) == .granted)
        #expect(limiter.ask(2, "api", at: Self.at(4)) == .granted)
        #expect(limiter.ask(3, "api", at: Self.at(5)) == .waits)
        #expect(limiter.ask(4, "api", at: Self.at(5)) == .waits)
        #expect(limiter.ask(5, "api", at: Self.at(5)) == .waits)
        #expect(limiter.takeAll(at: Self.at(5)) == [])
        #expect(limiter.wake == Self.at(10))
        // That runs have ended changes nothing.
        #expect(limiter.end(id(1), at: Self.at(6)) == true)
        #expect(limiter.end(id(2), at: Self.at(6)) == true)
        #expect(limiter.takeAll(at: Self.at(9.999999)) == [])
        #expect(limiter.takeAll(at: Self.at(10)) == [3])
        #expect(limiter.wake == Self.at(14))
        #expect(limiter.takeAll(at: Self.at(13)) == [])
        #expect(limiter.takeAll(at: Self.at(14)) == [4])
        #expect(limiter.takeAll(at: Self.at(30)) == [5])
    }

    @Test("a window that moved on has room, and what nobody uses is forgotten when the window has")
    func rateForgotten() throws {
        var limiter = Self.limiter(Limit(name: "api", rate: 2, per: 10, key: "account"))
        for number in 0..<100 {
            #expect(limiter.ask(number, "api", "\(number)", at: Self.at(0)) == .granted)
            #expect(limiter.end(id(number), at: Self.at(1)) == true)
        }
        #expect(limiter.partCount == 100)
        #expect(limiter.wake == Self.at(10))
        #expect(limiter.takeAll(at: Self.at(10)) == [])
        #expect(limiter.partCount == 0 && limiter.wake == nil)
        #expect(limiter.ask(1, "api", "1", at: Self.at(11)) == .granted)
    }

    @Test("a rate and a concurrency hold together")
    func both() {
        var limiter = Self.limiter(Limit(name: "api", concurrency: 1, rate: 2, per: 10))
        #expect(limiter.ask(1, "api", at: Self.at(0)) == .granted)
        for number in 2...4 { #expect(limiter.ask(number, "api", at: Self.at(0)) == .waits) }
        #expect(limiter.takeAll(at: Self.at(1)) == [])
        #expect(limiter.end(id(1), at: Self.at(1)) == true)
        #expect(limiter.takeAll(at: Self.at(1)) == [2])
        #expect(limiter.end(id(2), at: Self.at(2)) == true)
        #expect(limiter.takeAll(at: Self.at(2)) == [])
        #expect(limiter.wake == Self.at(10))
        #expect(limiter.takeAll(at: Self.at(10)) == [3])
        #expect(limiter.takeAll(at: Self.at(20)) == [])
        #expect(limiter.end(id(3), at: Self.at(21)) == true)
        #expect(limiter.takeAll(at: Self.at(21)) == [4])
    }

    @Test("whoever comes when the window has moved on does not go before those that wait")
    func noBarging() {
        var limiter = Self.limiter(Limit(name: "api", rate: 1, per: 10))
        #expect(limiter.ask(1, "api", at: Self.at(0)) == .granted)
        #expect(limiter.ask(2, "api", at: Self.at(1)) == .waits)
        #expect(limiter.takeAll(at: Self.at(1)) == [])
        #expect(limiter.ask(3, "api", at: Self.at(11)) == .waits)
        #expect(limiter.takeAll(at: Self.at(11)) == [2])
    }

    // MARK: Several limits

    @Test("a job that needs several limits takes all or none, and what it waits for keeps no room from others")
    func several() {
        var limiter = Self.limiter(Limit(name: "a", concurrency: 1), Limit(name: "b", concurrency: 1))
        let both = [LimitNeed(limit: "a"), LimitNeed(limit: "b")]
        #expect(limiter.ask(1, "a") == .granted)
        #expect(limiter.request(id(2), needs: both, at: Self.start) == .waits)
        // It has nothing of b.
        #expect(limiter.takeAll() == [])
        #expect(limiter.ask(3, "b") == .granted)
        #expect(limiter.end(id(1), at: Self.start) == true)
        // It waits for b now, and has nothing of a.
        #expect(limiter.takeAll() == [])
        #expect(limiter.ask(4, "a") == .granted)
        #expect(limiter.end(id(3), at: Self.start) == true)
        #expect(limiter.takeAll() == [])
        #expect(limiter.end(id(4), at: Self.start) == true)
        #expect(limiter.takeAll() == [2])
        // The order in which the limits are named, and how often, is none of its needs.
        #expect(limiter.request(id(5), needs: both.reversed() + both, at: Self.start) == .waits)
        #expect(limiter.end(id(2), at: Self.start) == true)
        #expect(limiter.takeAll() == [5])
        #expect(limiter.usage(at: Self.start).map(\.inUse) == [1, 1])
    }

    @Test("a key whose jobs cannot run for another reason leaves its room to jobs that can")
    func leavesRoom() {
        var limiter = Self.limiter(
            Limit(name: "crm", concurrency: 1), Limit(name: "api", concurrency: 1, key: "account"))
        let both = [LimitNeed(limit: "crm"), LimitNeed(limit: "api", key: "a")]
        #expect(limiter.ask(1, "crm") == .granted)
        #expect(limiter.ask(2, "api", "a") == .granted)
        #expect(limiter.request(id(3), needs: both, at: Self.start) == .waits)
        #expect(limiter.ask(4, "api", "a") == .waits)
        #expect(limiter.takeAll() == [])
        #expect(limiter.end(id(2), at: Self.start) == true)
        #expect(limiter.takeAll() == [4])
        #expect(limiter.end(id(1), at: Self.start) == true)
        #expect(limiter.takeAll() == [])
        #expect(limiter.end(id(4), at: Self.start) == true)
        #expect(limiter.takeAll() == [3])
    }

    @Test("room is passed on when the job that it was kept for is cancelled")
    func passedOn() {
        var limiter = Self.limiter(
            Limit(name: "api", concurrency: 1, key: "account"), Limit(name: "crm", concurrency: 5))
        let both = [LimitNeed(limit: "crm"), LimitNeed(limit: "api", key: "a")]
        #expect(limiter.ask(1, "api", "a") == .granted)
        #expect(limiter.request(id(2), needs: both, at: Self.start) == .waits)
        #expect(limiter.takeAll() == [])
        #expect(limiter.ask(3, "api", "a") == .waits)
        #expect(limiter.takeAll() == [])
        #expect(limiter.end(id(1), at: Self.start) == true)
        #expect(limiter.end(id(2), at: Self.start) == true)
        #expect(limiter.takeAll() == [3])
    }

    // MARK: Discarding

    @Test("a full limit that discards makes nobody wait, and says which it is")
    func discards() {
        var limiter = Self.limiter(
            Limit(name: "api", concurrency: 1, whenFull: .discard), Limit(name: "crm", concurrency: 1))
        #expect(limiter.ask(1, "api") == .granted)
        #expect(limiter.ask(2, "api") == .full(limit: "api"))
        #expect(limiter.waitingCount == 0)
        #expect(limiter.end(id(2), at: Self.start) == false)
        let both = [LimitNeed(limit: "crm"), LimitNeed(limit: "api")]
        #expect(limiter.request(id(3), needs: both, at: Self.start) == .full(limit: "api"))
        #expect(limiter.end(id(1), at: Self.start) == true)
        // The other limit lets it wait.
        #expect(limiter.ask(4, "crm") == .granted)
        #expect(limiter.request(id(5), needs: both, at: Self.start) == .waits)
        #expect(limiter.end(id(4), at: Self.start) == true)
        #expect(limiter.takeAll() == [5])
    }

    // MARK: Changes

    @Test("a limit that is changed counts from the next start on")
    func changed() {
        var limiter = Self.limiter(Limit(name: "crm", concurrency: 3))
        for number in 1...3 { #expect(limiter.ask(number, "crm") == .granted) }
        for number in 4...9 { #expect(limiter.ask(number, "crm") == .waits) }
        limiter.define(Limit(name: "crm", concurrency: 1), at: Self.start)
        #expect(limiter.limit(named: "crm")?.concurrency == 1)
        #expect(limiter.end(id(1), at: Self.start) == true)
        #expect(limiter.end(id(2), at: Self.start) == true)
        #expect(limiter.takeAll() == [])
        #expect(limiter.end(id(3), at: Self.start) == true)
        #expect(limiter.takeAll() == [4])
        limiter.define(Limit(name: "crm", concurrency: 3), at: Self.start)
        #expect(limiter.takeAll() == [5, 6])
        limiter.undefine("crm", at: Self.start)
        #expect(limiter.takeAll() == [7, 8, 9])
        #expect(limiter.ask(10, "crm") == .granted)
        #expect(limiter.limit(named: "crm") == nil)
        // What runs counts when there is one again.
        limiter.define(Limit(name: "crm", concurrency: 8), at: Self.start)
        #expect(limiter.ask(11, "crm") == .granted)
        #expect(limiter.ask(12, "crm") == .waits)
    }

    @Test("so is a rate")
    func rateChanged() {
        var limiter = Self.limiter(Limit(name: "api", rate: 1, per: 100))
        #expect(limiter.ask(1, "api", at: Self.at(0)) == .granted)
        for number in 2...5 { #expect(limiter.ask(number, "api", at: Self.at(0)) == .waits) }
        #expect(limiter.takeAll(at: Self.at(0)) == [])
        limiter.define(Limit(name: "api", rate: 3, per: 100), at: Self.at(5))
        #expect(limiter.takeAll(at: Self.at(5)) == [2, 3])
        limiter.define(Limit(name: "api", rate: 1, per: 10), at: Self.at(6))
        #expect(limiter.takeAll(at: Self.at(6)) == [])
        #expect(limiter.wake == Self.at(15))
        #expect(limiter.takeAll(at: Self.at(15)) == [4])
        limiter.define(Limit(name: "api", concurrency: 9), at: Self.at(16))
        #expect(limiter.takeAll(at: Self.at(16)) == [5])
    }

    @Test("limits that nobody defines limit nothing, and leave no trace")
    func undefined() {
        var limiter = Limiter()
        #expect(limiter.request(id(1), needs: [], at: Self.start) == .granted)
        #expect(limiter.ask(2, "none") == .granted)
        #expect(limiter.ask(3, "none") == .granted)
        #expect(limiter.end(id(2), at: Self.start) == true)
        #expect(limiter.end(id(3), at: Self.start) == true)
        #expect(limiter.end(id(1), at: Self.start) == false)
        #expect(limiter.usage(at: Self.start) == [])
        limiter.undefine("never", at: Self.start)
    }

    @Test("of what is out of use a bounded number is kept, however many limits and keys there were")
    func bounded() {
        var limiter = Limiter()
        for number in 0..<3000 {
            #expect(limiter.ask(number, "limit \(number)") == .granted)
            #expect(limiter.ask(10_000 + number, "api", "\(number)") == .granted)
            #expect(limiter.end(id(number), at: Self.start) == true)
            #expect(limiter.end(id(10_000 + number), at: Self.start) == true)
        }
        #expect(limiter.partCount < 300)
        #expect(limiter.usage(at: Self.start) == [])
    }

    // MARK: Restarts

    @Test("runs of an earlier process count, also where there is no room for them, and so do starts in the window")
    func restored() {
        var limiter = Self.limiter(Limit(name: "crm", concurrency: 1), Limit(name: "api", rate: 3, per: 10))
        limiter.restore(id(1), needs: [LimitNeed(limit: "crm")], startedAt: Self.at(-5))
        limiter.restore(id(2), needs: [LimitNeed(limit: "crm")], startedAt: Self.at(-4))
        limiter.restore(id(2), needs: [LimitNeed(limit: "crm")], startedAt: Self.at(-4))
        #expect(limiter.runningCount == 2)
        #expect(limiter.ask(3, "crm") == .waits)
        #expect(limiter.end(id(1), at: Self.start) == true)
        #expect(limiter.takeAll() == [])
        #expect(limiter.end(id(2), at: Self.start) == true)
        #expect(limiter.takeAll() == [3])

        limiter.restore(startAt: Self.at(-8), needs: [LimitNeed(limit: "api")])
        limiter.restore(startAt: Self.at(-6), needs: [LimitNeed(limit: "api"), LimitNeed(limit: "crm")])
        limiter.restore(id(4), needs: [LimitNeed(limit: "api")], startedAt: Self.at(-3))
        #expect(limiter.ask(5, "api", at: Self.at(0)) == .waits)
        #expect(limiter.takeAll(at: Self.at(0)) == [])
        #expect(limiter.takeAll(at: Self.at(2)) == [5])
    }

    @Test("what is in use, what waits and when the next may begin are told for each part")
    func usage() {
        var limiter = Self.limiter(
            Limit(name: "api", rate: 2, per: 10, key: "account"), Limit(name: "crm", concurrency: 1))
        #expect(limiter.ask(1, "api", "a", at: Self.at(0)) == .granted)
        #expect(limiter.ask(2, "api", "a", at: Self.at(3)) == .granted)
        #expect(limiter.ask(3, "api", "a", at: Self.at(3)) == .waits)
        #expect(limiter.ask(4, "api", "b", at: Self.at(3)) == .granted)
        #expect(limiter.ask(5, "crm", at: Self.at(3)) == .granted)
        #expect(limiter.end(id(1), at: Self.at(4)) == true)
        #expect(limiter.takeAll(at: Self.at(4)) == [])
        let lines = limiter.usage(at: Self.at(4)).map { usage in
            "\(usage.need.limit) \(usage.need.key ?? "-"): \(usage.inUse) in use, \(usage.started) started, \(usage.waiting) waiting,"
                + " next \(usage.nextFree.map { "\($0.seconds - Self.start.seconds)" } ?? "now")"
        }
        #expect(
            lines == [
                "api a: 1 in use, 2 started, 1 waiting, next 10.0", "api b: 1 in use, 1 started, 0 waiting, next now",
                "crm -: 1 in use, 0 started, 0 waiting, next now",
            ])
        #expect(limiter.usage(at: Self.at(12)).first?.started == 1)
    }
}

extension Limiter {
    /// A job that needs one limit.
    fileprivate mutating func ask(
        _ number: Int, _ limit: String, _ key: String? = nil, priority: Int = 5,
        at now: Timestamp = Timestamp(microseconds: 1_000_000_000)
    ) -> Answer {
        request(id(number), needs: [LimitNeed(limit: limit, key: key)], priority: priority, at: now)
    }

    /// The numbers of all jobs that may run now.
    fileprivate mutating func takeAll(at now: Timestamp = Timestamp(microseconds: 1_000_000_000)) -> [UInt64] {
        var taken: [UInt64] = []
        while let id = takeNext(at: now) { taken.append(id.low) }
        return taken
    }
}
