/// Numbers for ids, from 0 and close together: a hash table made for ids.
///
/// Ids are half random already, so one multiplication, with a secret of the table, spreads them; the standard library's
/// hash took a sixth of a node's time. Not generic, so that no use of it depends on being specialised.
@usableFromInline
struct JobPlaces: Sendable {
    /// Places plus 1, found from the hash on; 0 where there is none. Its count is a power of 2.
    private var slots: [Int32] = []
    /// By place.
    private var ids: [JobID] = []
    private var free: [Int32] = []
    /// Keeps who chooses ids from choosing such that are found slowly.
    private let secret = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))

    @usableFromInline init() {}

    @usableFromInline var count: Int { ids.count - free.count }
    /// The number of places, free ones included.
    var capacity: Int { ids.count }

    /// The id that has a place, or has had it last.
    func id(at place: Int) -> JobID { ids[place] }

    /// The place of the id; nil when it has none.
    @usableFromInline func place(of id: JobID) -> Int? {
        guard !slots.isEmpty else { return nil }
        let found = slots[slot(of: id)]
        return found == 0 ? nil : Int(found) - 1
    }

    /// Gives a place to an id that has none.
    @usableFromInline mutating func insert(_ id: JobID) -> Int {
        // At most three quarters are taken.
        if (count + 1) * 4 > slots.count * 3 { grow() }
        let place: Int
        if let freed = free.popLast() {
            place = Int(freed)
            ids[place] = id
        } else {
            place = ids.count
            ids.append(id)
        }
        slots[slot(of: id)] = Int32(place + 1)
        return place
    }

    /// Frees the place of the id, which is returned; nil when it had none.
    @usableFromInline mutating func remove(_ id: JobID) -> Int? {
        guard !slots.isEmpty else { return nil }
        var empty = slot(of: id)
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
        free.append(place)
        return Int(place)
    }

    private var mask: Int { slots.count &- 1 }

    /// Where the search for the id begins.
    private func firstSlot(of id: JobID) -> Int {
        let product = (id.high ^ secret.0).multipliedFullWidth(by: id.low ^ secret.1)
        return Int(truncatingIfNeeded: product.high ^ product.low) & mask
    }

    /// The slot of the id, or the empty one where it would be.
    private func slot(of id: JobID) -> Int {
        var slot = firstSlot(of: id)
        while slots[slot] != 0, ids[Int(slots[slot]) &- 1] != id { slot = (slot &+ 1) & mask }
        return slot
    }

    private mutating func grow() {
        let taken = slots
        slots = Array(repeating: 0, count: max(16, 2 * taken.count))
        for place in taken where place != 0 { slots[slot(of: ids[Int(place) - 1])] = place }
    }
}
