/// Numbers for ids, from 0 and close together: a hash table made for ids.
///
/// Not generic, so that no use of it depends on being specialised; the standard library's hash took a sixth of a node's
/// time.
///
/// Ids that came lately stand in a part of their own that stays in the processor's cache, and go to the other when there are
/// many: beside a million jobs that wait, those that come and go took a fifth longer when each had to be looked for among
/// all. An id that is newer than all of the other part is not looked for there.
@usableFromInline
struct JobPlaces: Sendable {
    private var recent: JobSlots
    private var older: JobSlots
    /// No id of the older part is greater in its upper half.
    private var newestOfOlder: UInt64 = 0
    /// By place.
    private var ids: [JobID] = []
    private var free: [Int32] = []

    /// Ids of the recent part, at most: its slots take 128 KiB.
    private static let recentLimit = 16_384

    @usableFromInline
    init() {
        // Keeps who chooses ids from choosing such that are found slowly.
        let secret = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
        recent = JobSlots(secret)
        older = JobSlots(secret)
    }

    @usableFromInline var count: Int { ids.count - free.count }
    /// The number of places, free ones included.
    var capacity: Int { ids.count }

    /// The id that has a place, or has had it last.
    func id(at place: Int) -> JobID { ids[place] }

    /// The place of the id; nil when it has none.
    @usableFromInline func place(of id: JobID) -> Int? {
        recent.place(of: id, ids) ?? (mayBeOlder(id) ? older.place(of: id, ids) : nil)
    }

    /// At most `limit` ids beyond `start` in one of the two orders, the nearest to it first; `isTaken` says of a place
    /// whether its id still has it. Looks at each place once, and keeps no more than twice the limit.
    func ids(
        beyond start: JobID?, isAscending: Bool, limit: Int, isTaken: (Int) -> Bool
    ) -> [JobID] {
        let limit = min(limit, ids.count)
        guard limit > 0 else { return [] }
        func isBefore(_ left: JobID, _ right: JobID) -> Bool { isAscending ? left < right : right < left }
        var found: [JobID] = []
        // As many are found that come before it.
        var last: JobID?
        func keepFirst() {
            found.sort(by: isBefore)
            found.removeLast(max(0, found.count - limit))
            if found.count == limit { last = found.last }
        }
        // As a rule ids come in their order: from this end, those that are looked for come early.
        for step in ids.indices {
            let place = isAscending ? step : ids.count - 1 - step
            let id = ids[place]
            if let start, !isBefore(start, id) { continue }
            if let last, !isBefore(id, last) { continue }
            guard isTaken(place) else { continue }
            found.append(id)
            if found.count >= 2 * limit { keepFirst() }
        }
        keepFirst()
        return found
    }

    /// Gives a place to an id that has none.
    @usableFromInline mutating func insert(_ id: JobID) -> Int {
        if recent.count == Self.recentLimit { age() }
        let place: Int
        if let freed = free.popLast() {
            place = Int(freed)
            ids[place] = id
        } else {
            place = ids.count
            ids.append(id)
        }
        recent.insert(Int32(place), ids)
        return place
    }

    /// Frees the place of the id, which is returned; nil when it had none.
    @usableFromInline mutating func remove(_ id: JobID) -> Int? {
        guard let place = recent.remove(id, ids) ?? (mayBeOlder(id) ? older.remove(id, ids) : nil) else { return nil }
        free.append(Int32(place))
        return place
    }

    private func mayBeOlder(_ id: JobID) -> Bool { older.count > 0 && id.high <= newestOfOlder }

    private mutating func age() {
        if older.count == 0 { newestOfOlder = 0 }
        recent.forEach { place in
            newestOfOlder = max(newestOfOlder, ids[Int(place)].high)
            older.insert(place, ids)
        }
        recent.removeAll()
    }
}

/// Places, found by the ids that have them. The ids are its owner's.
private struct JobSlots: Sendable {
    private(set) var count = 0
    /// Places plus 1, found from the hash on; 0 where there is none. Its count is a power of 2.
    private var slots: [Int32] = []
    private let secret: (UInt64, UInt64)

    init(_ secret: (UInt64, UInt64)) { self.secret = secret }

    func place(of id: JobID, _ ids: [JobID]) -> Int? {
        guard count > 0 else { return nil }
        let found = slots[slot(of: id, ids)]
        return found == 0 ? nil : Int(found) - 1
    }

    mutating func insert(_ place: Int32, _ ids: [JobID]) {
        // At most three quarters are taken.
        if (count + 1) * 4 > slots.count * 3 { grow(ids) }
        slots[slot(of: ids[Int(place)], ids)] = place + 1
        count += 1
    }

    mutating func remove(_ id: JobID, _ ids: [JobID]) -> Int? {
        guard count > 0 else { return nil }
        var empty = slot(of: id, ids)
        guard slots[empty] != 0 else { return nil }
        let place = slots[empty] - 1
        // What stands behind it and was kept from here by it moves up, so that no search ends early.
        var next = (empty + 1) & mask
        while slots[next] != 0 {
            let home = firstSlot(of: ids[Int(slots[next]) - 1])
            if (next &- home) & mask >= (next &- empty) & mask {
                slots[empty] = slots[next]
                empty = next
            }
            next = (next + 1) & mask
        }
        slots[empty] = 0
        count -= 1
        return Int(place)
    }

    func forEach(_ visit: (Int32) -> Void) {
        for place in slots where place != 0 { visit(place - 1) }
    }

    /// Keeps its memory.
    mutating func removeAll() {
        for slot in slots.indices { slots[slot] = 0 }
        count = 0
    }

    private var mask: Int { slots.count &- 1 }

    /// Where the search for the id begins. Ids are half random already: one multiplication spreads them.
    private func firstSlot(of id: JobID) -> Int {
        let product = (id.high ^ secret.0).multipliedFullWidth(by: id.low ^ secret.1)
        return Int(truncatingIfNeeded: product.high ^ product.low) & mask
    }

    /// The slot of the id, or the empty one where it would be.
    private func slot(of id: JobID, _ ids: [JobID]) -> Int {
        var slot = firstSlot(of: id)
        while slots[slot] != 0, ids[Int(slots[slot]) &- 1] != id { slot = (slot &+ 1) & mask }
        return slot
    }

    private mutating func grow(_ ids: [JobID]) {
        let taken = slots
        slots = Array(repeating: 0, count: max(16, 2 * taken.count))
        for place in taken where place != 0 { slots[slot(of: ids[Int(place) - 1], ids)] = place }
    }
}
