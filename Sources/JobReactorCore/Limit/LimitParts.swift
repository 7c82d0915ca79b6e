/// The parts of limits: how much of each is in use, which runs began lately, and when that changes. Who waits at a part is its
/// owner's matter, ``Limiter``'s.
///
/// A part is known as long as someone uses it or its window looks back to a start. A value without I/O.
struct LimitParts: Sendable {
    private struct Entry {
        let name: String
        /// Nil where none is defined: then nothing is limited.
        var limit: Limit?
        /// Parts that are known of it.
        var parts = 0
        /// Runs, and jobs that wait, of all of them.
        var inUse = 0
        var waiting = 0
        /// Where it has a rate: the last starts of all its parts, in the order in which they were told.
        var recent = FIFO<Limiter.Start>()
    }

    struct Part {
        let need: LimitNeed
        fileprivate let entry: Int32
        fileprivate(set) var inUse = 0
        fileprivate(set) var starts = StartLog()
        /// Jobs that wait and need it.
        fileprivate(set) var waiting = 0
        /// What waits here, by numbers of the owner.
        var waiters = Chains.Chain()
        fileprivate var users = 0
        /// When it is looked at; nil for never.
        fileprivate var timer: Timestamp?
        /// Its number is another's next.
        fileprivate var isGone = false

        /// When so few starts are left in the window that another may follow; nil for always.
        fileprivate func nextFree(_ limit: Limit) -> Timestamp? {
            guard let rate = limit.rate, starts.count >= rate else { return nil }
            return starts[starts.count - rate].advanced(bySeconds: limit.per)
        }
    }

    private var entries = Slots<Entry>()
    private var entryByName: [String: Int32] = [:]
    private var parts = Slots<Part>()
    private var partByNeed: [LimitNeed: Int32] = [:]
    private var timers = TimerQueue<Int32>()
    /// The entries in whose ``Entry/recent`` there are starts that nobody was told of.
    private var changed: Set<Int32> = []

    var count: Int { partByNeed.count }
    var wake: Timestamp? { timers.nextDue }

    subscript(part: Int32) -> Part {
        _read { yield parts[part] }
        _modify { yield &parts[part] }
    }

    // MARK: Limits

    func limit(named name: String) -> Limit? { entryByName[name].flatMap { entries[$0].limit } }

    /// The limit of a part.
    func limit(of part: Int32) -> Limit? { entries[parts[part].entry].limit }

    /// The limit of that name is this from now on, or none. Returns the parts that are known of it, in order; takes time for
    /// all parts.
    mutating func set(_ limit: Limit?, named name: String) -> [Int32] {
        guard let entry = entryByName[name] else {
            if limit != nil { entryByName[name] = entries.insert(Entry(name: name, limit: limit)) }
            return []
        }
        entries[entry].limit = limit
        if limit?.rate == nil { entries[entry].recent = FIFO() }
        removeIfUnused(entry: entry)
        return partByNeed.values.filter { parts[$0].entry == entry }.sorted()
    }

    // MARK: Parts

    /// The number of the part; it is known until ``leave(_:)``.
    mutating func use(_ need: LimitNeed) -> Int32 {
        let part = part(of: need)
        parts[part].users += 1
        return part
    }

    mutating func leave(_ part: Int32) {
        parts[part].users -= 1
        removeIfUnused(part)
    }

    func isFull(_ part: Int32, _ now: Timestamp) -> Bool {
        guard let limit = limit(of: part) else { return false }
        if let concurrency = limit.concurrency, parts[part].inUse >= concurrency { return true }
        return parts[part].nextFree(limit).map { $0 > now } ?? false
    }

    /// A run begins.
    mutating func take(_ part: Int32, _ now: Timestamp) {
        parts[part].inUse += 1
        entries[parts[part].entry].inUse += 1
        guard let limit = limit(of: part), limit.rate != nil else { return }
        parts[part].starts.forget(notAfter: now.advanced(bySeconds: -limit.per))
        parts[part].starts.append(now)
        note(now, of: part, within: limit.per)
        setTimer(of: part)
    }

    /// A run has ended.
    mutating func giveBack(_ part: Int32) {
        parts[part].inUse -= 1
        entries[parts[part].entry].inUse -= 1
    }

    /// So many more jobs wait that need it.
    mutating func count(_ part: Int32, waiting change: Int) {
        parts[part].waiting += change
        entries[parts[part].entry].waiting += change
    }

    /// A run that has ended began then.
    mutating func noteStart(at time: Timestamp, _ need: LimitNeed) {
        guard let limit = limit(named: need.limit), limit.rate != nil else { return }
        let part = part(of: need)
        parts[part].starts.append(time)
        note(time, of: part, within: limit.per)
        setTimer(of: part)
    }

    private mutating func part(of need: LimitNeed) -> Int32 {
        if let known = partByNeed[need] { return known }
        let entry = entryByName[need.limit] ?? entries.insert(Entry(name: need.limit))
        entryByName[need.limit] = entry
        entries[entry].parts += 1
        let part = parts.insert(Part(need: need, entry: entry))
        partByNeed[need] = part
        return part
    }

    private mutating func removeIfUnused(_ part: Int32) {
        guard parts[part].users == 0, parts[part].starts.isEmpty, !parts[part].isGone else { return }
        let entry = parts[part].entry
        parts[part].isGone = true
        partByNeed[parts[part].need] = nil
        parts.remove(part)
        entries[entry].parts -= 1
        removeIfUnused(entry: entry)
    }

    private mutating func removeIfUnused(entry: Int32) {
        guard entries[entry].parts == 0, entries[entry].limit == nil else { return }
        entryByName[entries[entry].name] = nil
        changed.remove(entry)
        entries.remove(entry)
    }

    // MARK: Time

    /// A part that may have room, as time has passed: ``looked(at:)`` when its owner has seen to it. Nil for none.
    mutating func popDue(at now: Timestamp) -> Int32? {
        while let part = timers.popDue(at: now) {
            // Else it is a time of before.
            guard !parts[part].isGone, let timer = parts[part].timer, timer <= now else { continue }
            parts[part].timer = nil
            let per = limit(of: part).flatMap { $0.rate == nil ? nil : $0.per } ?? 0
            parts[part].starts.forget(notAfter: now.advanced(bySeconds: -per))
            return part
        }
        return nil
    }

    mutating func looked(at part: Int32) {
        setTimer(of: part)
        removeIfUnused(part)
    }

    /// The part is looked at when time changes something: when a run may begin that waits, or else when its last start leaves the
    /// window.
    mutating func setTimer(of part: Int32) {
        guard let last = parts[part].starts.last else { return }
        let limit = limit(of: part)
        var time = limit.map { last.advanced(bySeconds: $0.per) } ?? last
        if let limit, !parts[part].waiters.isEmpty, let free = parts[part].nextFree(limit) { time = free }
        if let timer = parts[part].timer, timer <= time { return }
        parts[part].timer = time
        timers.insert(part, due: time)
    }

    /// Of one limit so many starts are remembered over a restart at most, the newest, whatever its keys.
    static let mostRecent = 10_000

    private mutating func note(_ time: Timestamp, of part: Int32, within seconds: Double) {
        let entry = parts[part].entry
        entries[entry].recent.append(Limiter.Start(key: parts[part].need.key, at: time))
        let oldest = time.advanced(bySeconds: -seconds)
        while let first = entries[entry].recent.first,
            first.at <= oldest || entries[entry].recent.count > Self.mostRecent
        {
            _ = entries[entry].recent.popFirst()
        }
        changed.insert(entry)
    }

    /// Of the limits with a rate of which runs have begun since the last call: the starts that their windows look back to.
    mutating func takeStarts(at now: Timestamp) -> [(limit: String, starts: [Limiter.Start])] {
        defer { changed = [] }
        return changed.sorted().compactMap { entry in
            guard let limit = entries[entry].limit, limit.rate != nil else { return nil }
            let oldest = now.advanced(bySeconds: -limit.per)
            return (entries[entry].name, entries[entry].recent.all.filter { $0.at > oldest })
        }
    }

    // MARK: Shown

    /// Of each limit that is defined, in no order: takes time for these, and not for their parts.
    var totals: [LimitTotal] {
        entryByName.values.compactMap { number in
            let entry = entries[number]
            return entry.limit.map { LimitTotal(limit: $0, inUse: entry.inUse, waiting: entry.waiting) }
        }
    }

    /// All parts that are in use, are waited for, or have begun runs lately, in the order of their names.
    func usage(at now: Timestamp) -> [Limiter.Usage] {
        partByNeed.sorted { $0.key < $1.key }.compactMap { need, index in
            let part = parts[index]
            let limit = limit(of: index)
            let begin = limit.map { now.advanced(bySeconds: -$0.per) } ?? now
            let old = (0..<part.starts.count).first { part.starts[$0] > begin } ?? part.starts.count
            guard part.inUse > 0 || part.waiting > 0 || part.starts.count > old else { return nil }
            let nextFree = limit.flatMap { part.nextFree($0) }
            return Limiter.Usage(
                need: need, inUse: part.inUse, started: part.starts.count - old, waiting: part.waiting,
                nextFree: nextFree.flatMap { $0 > now ? $0 : nil })
        }
    }
}
