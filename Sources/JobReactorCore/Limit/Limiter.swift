/// Decides which jobs with limits may run: those for which every needed part of a limit has room. The others wait here
/// by priority, and keys take turns.
///
/// A value without I/O. Its owner reports each job before it runs and when the run has ended in any way. After each
/// change, and at ``wake``, it calls ``takeNext(at:)`` until that returns nil. Times are those of the steady clock.
///
/// Jobs that need the same stand in one line. A line that may not go on waits at one part that is full, where neither it nor
/// the number of its jobs costs others anything; when that part has room, its first line is looked at. Lines that share all parts
/// without keys are a group, which waits as one. So a step takes constant time, or the logarithm of the number of parts where a
/// rate counts; only where many lines share several keyed parts that fill by turns, each of them may be looked at once. Memory is
/// that of jobs, of keys in use, and of as many times for a key as its rate allows.
package struct Limiter: Sendable {
    package enum Answer: Hashable, Sendable {
        /// It may run. Its parts are in use until ``end(_:at:)``.
        case granted
        /// It waits, until ``takeNext(at:)`` returns it or ``end(_:at:)`` is called.
        case waits
        /// The limit is full and discards it; it is not kept here.
        case full(limit: String)
    }

    /// A part of a limit, as operators see it.
    package struct Usage: Hashable, Sendable {
        package let need: LimitNeed
        /// The number of current runs.
        package let inUse: Int
        /// The number of runs that began within the window.
        package let started: Int
        /// The number of waiting jobs that need it, for any reason.
        package let waiting: Int
        /// The time at which the rate allows the next run; nil for now.
        package let nextFree: Timestamp?
    }

    /// A run began that a rate counts.
    package struct Start: Hashable, Sendable {
        /// The value of the limit's key; nil where it has none.
        package let key: String?
        package let at: Timestamp

        package init(key: String?, at: Timestamp) {
            self.key = key
            self.at = at
        }
    }

    /// Jobs that need the same.
    private struct Line {
        let needs: [LimitNeed]
        let group: Int32
        /// Those with keys.
        let parts: [Int32]
        var waiting = 0
        var running = 0
        /// The part where it waits; below 0 for none.
        var waitsAt: Int32 = -1
    }

    /// Lines that need the same parts without keys.
    private struct Group {
        let needs: [LimitNeed]
        let parts: [Int32]
        var lines = 0
        /// The jobs that wait, by their lines. Lines that wait at a part are set aside.
        var queue = FairQueue<Int32, JobID>()
        /// The part where it waits; below 0 for none.
        var waitsAt: Int32 = -1
        /// The priorities at which it stands in a ring, as bits.
        var rings: UInt16 = 0
        /// Lines that take turns again as a part has room, and that part: until they are looked at nobody else gets that room.
        var resumed: [(line: Int32, part: Int32)] = []
    }

    private struct Ticket {
        let line: Int32
        /// Its place in the queue while it waits; below 0 while it runs.
        var handle: Int32
    }

    private var parts = LimitParts()
    private var lines = Slots<Line>()
    private var lineByNeeds: [[LimitNeed]: Int32] = [:]
    private var lineLinks = Chains()
    private var groups = Slots<Group>()
    private var groupByNeeds: [[LimitNeed]: Int32] = [:]
    private var groupLinks = Chains()
    private var tickets = JobTable<Ticket>()
    /// By priority, the groups that may have lines which take turns.
    private var rings = Array(repeating: FIFO<Int32>(), count: JobPriority.range.count)
    private var turns = PriorityTurns()

    package private(set) var waitingCount = 0
    package var runningCount: Int { tickets.count - waitingCount }
    /// The number of parts in memory; up to a few hundred of them may be unused.
    package var partCount: Int { parts.count }

    package init() {}

    /// The time of the next call of ``takeNext(at:)``, by the steady clock; nil for none.
    package var wake: Timestamp? { parts.wake }

    // MARK: Limits

    /// Defines or changes a limit. Current runs continue; the change applies to later runs.
    package mutating func define(_ limit: Limit, at now: Timestamp) { change(limit.name, to: limit, now) }

    /// Removes a limit: no job waits for it any more.
    package mutating func undefine(_ name: String, at now: Timestamp) { change(name, to: nil, now) }

    package func limit(named name: String) -> Limit? { parts.limit(named: name) }

    private mutating func change(_ name: String, to limit: Limit?, _ now: Timestamp) {
        for part in parts.set(limit, named: name) {
            offer(part, now)
            parts.setTimer(of: part)
        }
    }

    // MARK: Jobs

    /// A job wants to run and needs these parts of limits; undefined limits do not restrict it. For a known job the
    /// answer is the previous one, regardless of `needs`.
    package mutating func request(
        _ id: JobID, needs: [LimitNeed], priority: Int = JobPriority.usual, at now: Timestamp
    ) -> Answer {
        if let known = tickets[id] { return known.handle < 0 ? .granted : .waits }
        guard !needs.isEmpty else { return .granted }
        pass(now)
        let line = line(of: needs)
        let group = lines[line].group
        // Whoever is about to be looked at came before.
        let isFirst = lines[line].waiting == 0 && waitingPriorities == 0
        let full = isFirst ? fullPart(of: line, now) : nil
        if isFirst, full == nil {
            tickets.insert(Ticket(line: line, handle: -1), forNew: id)
            begin(line, now)
            return .granted
        }
        if let discards = fullPart(of: line, now, thatDiscards: true) {
            let limit = parts[discards].need.limit
            removeIfUnused(line: line)
            return .full(limit: limit)
        }
        let handle = groups[group].queue.push(id, key: line, priority: priority)
        tickets.insert(Ticket(line: line, handle: handle), forNew: id)
        count(line, waiting: 1)
        if let full, groups[group].waitsAt < 0 {
            if parts[full].need.key != nil {
                wait(line: line, at: full, now)
            } else {
                wait(group: group, at: full, now)
            }
        }
        refresh(group)
        return .waits
    }

    /// A job that already runs with a permit of an earlier process. It counts, even if there is no room.
    package mutating func restore(_ id: JobID, needs: [LimitNeed], startedAt: Timestamp) {
        guard !needs.isEmpty, !tickets.contains(id) else { return }
        let line = line(of: needs)
        tickets.insert(Ticket(line: line, handle: -1), forNew: id)
        begin(line, startedAt)
    }

    /// A start of a run in an earlier process that may still be within a window; call in order of time.
    package mutating func restore(startAt time: Timestamp, needs: [LimitNeed]) {
        for need in needs { parts.noteStart(at: time, need) }
    }

    /// The job no longer runs or waits: its parts are released. Returns false, and changes nothing, for an unknown job.
    @discardableResult
    package mutating func end(_ id: JobID, at now: Timestamp) -> Bool {
        guard let ticket = tickets.removeValue(forKey: id) else { return false }
        let line = ticket.line
        let group = lines[line].group
        if ticket.handle >= 0 {
            _ = groups[group].queue.remove(ticket.handle)
            count(line, waiting: -1)
            if lines[line].waiting == 0 { stopWaiting(line: line) }
            if groups[group].queue.isEmpty { stopWaiting(group: group) }
        } else {
            lines[line].running -= 1
            for part in groups[group].parts { parts.giveBack(part) }
            for part in lines[line].parts { parts.giveBack(part) }
        }
        offerAll(of: line, now)
        removeIfUnused(line: line)
        return true
    }

    /// Returns the next waiting job that may run now, and takes its parts; nil if there is none.
    package mutating func takeNext(at now: Timestamp) -> JobID? {
        pass(now)
        while let priority = turns.next(among: waitingPriorities), let group = rings[priority].first {
            guard groups[group].waitsAt < 0, let line = groups[group].queue.firstKey(at: priority) else {
                leaveRing(group, priority, now)
                continue
            }
            if let part = groups[group].parts.first(where: { parts.isFull($0, now) }) {
                wait(group: group, at: part, now)
                continue
            }
            groups[group].resumed.removeAll { $0.line == line }
            if let part = lines[line].parts.first(where: { parts.isFull($0, now) }) {
                wait(line: line, at: part, now)
                continue
            }
            turns.started(priority, among: waitingPriorities)
            guard let id = groups[group].queue.popFirst(at: priority) else { return nil }
            // The other groups come first.
            if let first = rings[priority].popFirst() { rings[priority].append(first) }
            tickets[id]?.handle = -1
            count(line, waiting: -1)
            begin(line, now)
            offerAll(of: line, now)
            return id
        }
        return nil
    }

    /// The limits with a rate for which runs have begun since the last call, in no order, with the start times within their
    /// windows: at most the newest 10,000 of each.
    package mutating func takeStarts(at now: Timestamp) -> [(limit: String, starts: [Start])] {
        parts.takeStarts(at: now)
    }

    /// All parts with current runs, waiting jobs or recent starts, in order of their names.
    package func usage(at now: Timestamp) -> [Usage] { parts.usage(at: now) }

    /// What is in use of each limit that is defined, and what waits, of all its keys together; in no order.
    package var totals: [LimitTotal] { parts.totals }

    // MARK: Room

    /// A part that the line needs and that is full; of those whose limit discards jobs, if only such count.
    private func fullPart(of line: Int32, _ now: Timestamp, thatDiscards: Bool = false) -> Int32? {
        func isMeant(_ part: Int32) -> Bool {
            parts.isFull(part, now) && (!thatDiscards || parts.limit(of: part)?.whenFull == .discard)
        }
        return groups[lines[line].group].parts.first(where: isMeant) ?? lines[line].parts.first(where: isMeant)
    }

    private mutating func begin(_ line: Int32, _ now: Timestamp) {
        lines[line].running += 1
        for part in groups[lines[line].group].parts { parts.take(part, now) }
        for part in lines[line].parts { parts.take(part, now) }
    }

    private mutating func count(_ line: Int32, waiting change: Int) {
        waitingCount += change
        lines[line].waiting += change
        for part in groups[lines[line].group].parts { parts.count(part, waiting: change) }
        for part in lines[line].parts { parts.count(part, waiting: change) }
    }

    // MARK: Turns

    private var waitingPriorities: UInt16 {
        JobPriority.range.reduce(0) { rings[$1].isEmpty ? $0 : $0 | 1 << UInt16($1) }
    }

    /// The group takes turns at all priorities at which lines of it do.
    private mutating func refresh(_ group: Int32) {
        guard groups[group].waitsAt < 0 else { return }
        let missing = groups[group].queue.readyPriorities & ~groups[group].rings
        guard missing != 0 else { return }
        for priority in JobPriority.range where missing >> UInt16(priority) & 1 == 1 { rings[priority].append(group) }
        groups[group].rings |= missing
    }

    /// The group, whose turn it is, has none there.
    private mutating func leaveRing(_ group: Int32, _ priority: Int, _ now: Timestamp) {
        _ = rings[priority].popFirst()
        groups[group].rings &= ~(1 << UInt16(priority))
        guard groups[group].rings == 0, groups[group].waitsAt < 0 else { return }
        for part in groups[group].parts { offer(part, now) }
        removeIfUnused(group: group)
    }

    private mutating func wait(line: Int32, at part: Int32, _ now: Timestamp) {
        groups[lines[line].group].queue.setAside(line)
        lines[line].waitsAt = part
        lineLinks.append(line, to: &parts[part].waiters)
        parts.setTimer(of: part)
        // The room that other parts have is for others.
        for other in lines[line].parts where other != part { offer(other, now) }
    }

    private mutating func wait(group: Int32, at part: Int32, _ now: Timestamp) {
        groups[group].waitsAt = part
        groupLinks.append(group, to: &parts[part].waiters)
        parts.setTimer(of: part)
        for other in groups[group].parts where other != part { offer(other, now) }
        let resumed = groups[group].resumed
        groups[group].resumed = []
        for (_, part) in resumed { offer(part, now) }
    }

    private mutating func stopWaiting(line: Int32) {
        groups[lines[line].group].resumed.removeAll { $0.line == line }
        let part = lines[line].waitsAt
        guard part >= 0 else { return }
        lineLinks.remove(line, from: &parts[part].waiters)
        lines[line].waitsAt = -1
    }

    private mutating func stopWaiting(group: Int32) {
        let part = groups[group].waitsAt
        guard part >= 0 else { return }
        groupLinks.remove(group, from: &parts[part].waiters)
        groups[group].waitsAt = -1
    }

    private mutating func offerAll(of line: Int32, _ now: Timestamp) {
        for part in groups[lines[line].group].parts { offer(part, now) }
        for part in lines[line].parts { offer(part, now) }
    }

    /// Where the part has room, the first that waits there takes turns again. Once that was looked at, the part is offered anew.
    private mutating func offer(_ part: Int32, _ now: Timestamp) {
        while !parts[part].waiters.isEmpty, !parts.isFull(part, now) {
            if parts[part].need.key != nil {
                guard let line = lineLinks.popFirst(from: &parts[part].waiters) else { return }
                let group = lines[line].group
                lines[line].waitsAt = -1
                groups[group].queue.resume(line)
                // Nothing of its group may run, whatever room there is here.
                if groups[group].waitsAt >= 0 { continue }
                groups[group].resumed.append((line, part))
                return refresh(group)
            }
            guard let group = groupLinks.popFirst(from: &parts[part].waiters) else { return }
            groups[group].waitsAt = -1
            // All its lines may wait elsewhere.
            if groups[group].queue.hasTurns { return refresh(group) }
        }
    }

    /// Looks at the parts whose time has come.
    private mutating func pass(_ now: Timestamp) {
        while let part = parts.popDue(at: now) {
            offer(part, now)
            parts.looked(at: part)
        }
    }

    // MARK: Lines and groups

    private mutating func line(of needs: [LimitNeed]) -> Int32 {
        let areSorted = needs.count < 2 || zip(needs, needs.dropFirst()).allSatisfy { $0 < $1 }
        let needs = areSorted ? needs : Set(needs).sorted()
        if let known = lineByNeeds[needs] { return known }
        let group = group(of: needs.filter { $0.key == nil })
        let parts = needs.filter { $0.key != nil }.map { self.parts.use($0) }
        let line = lines.insert(Line(needs: needs, group: group, parts: parts))
        lineByNeeds[needs] = line
        groups[group].lines += 1
        return line
    }

    private mutating func group(of needs: [LimitNeed]) -> Int32 {
        if let known = groupByNeeds[needs] { return known }
        let parts = needs.map { self.parts.use($0) }
        let group = groups.insert(Group(needs: needs, parts: parts))
        groupByNeeds[needs] = group
        return group
    }

    /// Lines without keys, and what goes with them, are kept for the next job as long as there are few.
    private mutating func removeIfUnused(line: Int32) {
        guard lines[line].waiting == 0, lines[line].running == 0,
            !lines[line].parts.isEmpty || groups.count > Self.idleGroups
        else { return }
        let (group, parts) = (lines[line].group, lines[line].parts)
        lineByNeeds[lines[line].needs] = nil
        lines.remove(line)
        groups[group].lines -= 1
        for part in parts { self.parts.leave(part) }
        removeIfUnused(group: group)
    }

    private static let idleGroups = 256

    /// As long as it stands in a ring, it is known.
    private mutating func removeIfUnused(group: Int32) {
        guard groups[group].lines == 0, groups[group].rings == 0, groups.count > Self.idleGroups else { return }
        let parts = groups[group].parts
        groupByNeeds[groups[group].needs] = nil
        groups.remove(group)
        for part in parts { self.parts.leave(part) }
    }
}
