/// What is known of each job, by its id: a dictionary whose values stand close together, for nodes, distributors and
/// storages in memory.
///
/// A hash table is half empty, which matters when a value has a hundred bytes and there are a million: here only the
/// place of a value stands in one. A value type without a lock.
// Public, so that it is specialised where it is used: the generic code took a tenth of a node's time.
public struct JobTable<Value> {
    @usableFromInline var places = JobPlaces()
    @usableFromInline var values: [Value?] = []

    /// An empty table.
    @inlinable public init() {}

    /// How many jobs it has.
    @inlinable public var count: Int { places.count }
    @inlinable public var isEmpty: Bool { places.count == 0 }

    /// What is known of the job; nil when it is not in the table. Setting nil removes it. A part of it is changed where it is.
    @inlinable public subscript(id: JobID) -> Value? {
        get {
            guard let place = places.place(of: id) else { return nil }
            return values[place]
        }
        set {
            if let newValue { updateValue(newValue, forKey: id) } else { removeValue(forKey: id) }
        }
        _modify {
            if let place = places.place(of: id) {
                defer { if values[place] == nil { removeValue(forKey: id) } }
                yield &values[place]
            } else {
                var value: Value?
                defer { if let value { insert(value, forNew: id) } }
                yield &value
            }
        }
    }

    /// Puts in a job that is not in the table, which is not looked at again.
    @inlinable public mutating func insert(_ value: Value, forNew id: JobID) {
        let place = places.insert(id)
        if place == values.count { values.append(value) } else { values[place] = value }
    }

    /// Puts the job in. Returns what was known of it before; nil when it is new.
    @inlinable @discardableResult
    public mutating func updateValue(_ value: Value, forKey id: JobID) -> Value? {
        if let place = places.place(of: id) {
            let known = values[place].take()
            values[place] = value
            return known
        }
        insert(value, forNew: id)
        return nil
    }

    /// Whether the job is in the table.
    @inlinable public func contains(_ id: JobID) -> Bool { places.place(of: id) != nil }

    /// Removes the job, and returns what was known of it.
    @inlinable @discardableResult
    public mutating func removeValue(forKey id: JobID) -> Value? {
        guard let place = places.remove(id) else { return nil }
        let value = values[place].take()
        // What a million jobs took is given back when they are gone.
        if isEmpty, values.count > 10_000 { self = JobTable() }
        return value
    }

    @inlinable public mutating func removeAll() { self = JobTable() }

    /// At most `limit` ids in their order, those after `id` when one is given. Looks at each job once.
    public func ids(after id: JobID?, limit: Int) -> [JobID] {
        places.ids(beyond: id, isAscending: true, limit: limit) { values[$0] != nil }
    }

    /// At most `limit` ids, the greatest first, those before `id` when one is given. Looks at each job once.
    public func ids(before id: JobID?, limit: Int) -> [JobID] {
        places.ids(beyond: id, isAscending: false, limit: limit) { values[$0] != nil }
    }

    /// Calls `visit` with the jobs of so many places from `place` on, in no order. Returns the place after them; nil when there
    /// is none. So many jobs are looked at in pieces, while others come and go: one that is there from the first piece to the
    /// last is met once.
    public func visit(from place: Int, count: Int, _ visit: (JobID, Value) -> Void) -> Int? {
        let end = min(values.count, place + max(0, count))
        guard place < end else { return nil }
        for place in place..<end {
            if let value = values[place] { visit(places.id(at: place), value) }
        }
        return end < values.count ? end : nil
    }

    /// How many places there are to visit; more than jobs where some are gone.
    public var placeCount: Int { values.count }

    /// The place where the job is visited, as long as it is in the table.
    public func place(of id: JobID) -> Int? { places.place(of: id) }

    /// All of them, in no order.
    public var elements: some Sequence<(key: JobID, value: Value)> {
        values.indices.lazy.compactMap { place in values[place].map { (places.id(at: place), $0) } }
    }
}

extension JobTable: Sendable where Value: Sendable {}
