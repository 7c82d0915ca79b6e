/// What is known of each job, by its id: a hash table for ids, whose values stand close together.
///
/// A hash table is half empty, which matters when a value has a hundred bytes and there are a million: here only the
/// place of a value stands in it. Ids are half random already, so one multiplication, with a secret of the table, spreads
/// them; the standard library's hash took a sixth of a node's time.
package struct JobTable<Value> {
    /// Places plus 1, found from the hash on; 0 where there is none. Its count is a power of 2.
    @usableFromInline var slots: [Int32] = []
    /// By place.
    @usableFromInline var ids: [JobID] = []
    @usableFromInline var values: [Value?] = []
    @usableFromInline var free: [Int32] = []
    /// Keeps who chooses ids from choosing such that are found slowly.
    @usableFromInline let secret = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))

    @inlinable package init() {}

    @inlinable package var count: Int { values.count - free.count }
    @inlinable package var isEmpty: Bool { count == 0 }

    @inlinable package subscript(id: JobID) -> Value? {
        get {
            guard let place = place(of: id) else { return nil }
            return values[place]
        }
        set {
            guard let newValue else { return _ = removeValue(forKey: id) }
            if let place = place(of: id) { values[place] = newValue } else { insert(newValue, id) }
        }
    }

    @inlinable package func contains(_ id: JobID) -> Bool { place(of: id) != nil }

    @inlinable @discardableResult
    package mutating func removeValue(forKey id: JobID) -> Value? {
        guard let place = place(of: id) else { return nil }
        let value = values[place].take()
        release(place)
        return value
    }

    @inlinable package mutating func removeAll() { self = JobTable() }

    /// In no order.
    package var elements: some Sequence<(key: JobID, value: Value)> {
        values.indices.lazy.compactMap { place in values[place].map { (ids[place], $0) } }
    }

    // MARK: Slots

    @inlinable var mask: Int { slots.count &- 1 }

    /// Where the search for the id begins.
    @inlinable func firstSlot(of id: JobID) -> Int {
        let product = (id.high ^ secret.0).multipliedFullWidth(by: id.low ^ secret.1)
        return Int(truncatingIfNeeded: product.high ^ product.low) & mask
    }

    /// The slot of the id, or the empty one where it would be.
    @inlinable func slot(of id: JobID) -> Int {
        var slot = firstSlot(of: id)
        while slots[slot] != 0, ids[Int(slots[slot]) &- 1] != id { slot = (slot &+ 1) & mask }
        return slot
    }

    @inlinable func place(of id: JobID) -> Int? {
        guard !slots.isEmpty else { return nil }
        let found = slots[slot(of: id)]
        return found == 0 ? nil : Int(found) &- 1
    }

    @inlinable
    mutating func insert(_ value: Value, _ id: JobID) {
        // At most three quarters are taken.
        if (count + 1) * 4 > slots.count * 3 { grow() }
        let place: Int
        if let free = free.popLast() {
            place = Int(free)
            ids[place] = id
            values[place] = value
        } else {
            place = values.count
            ids.append(id)
            values.append(value)
        }
        slots[slot(of: id)] = Int32(place + 1)
    }

    @inlinable
    mutating func grow() {
        slots = Array(repeating: 0, count: max(16, slots.count * 2))
        for place in values.indices where values[place] != nil { slots[slot(of: ids[place])] = Int32(place + 1) }
    }

    /// Frees a place whose value is gone.
    @inlinable
    mutating func release(_ place: Int) {
        var empty = slot(of: ids[place])
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
        free.append(Int32(place))
        // What a million jobs took is given back when they are gone.
        if isEmpty, values.count > 10_000 { self = JobTable() }
    }
}

extension JobTable: Sendable where Value: Sendable {}
