/// A dictionary of values by job id with compact storage, for nodes, distributors and storages in memory.
///
/// A hash table is half empty, which matters for a million values of a hundred bytes: here the hash table contains only
/// the place of a value. A value type without a lock.
// Public, so that it is specialised where it is used: the generic code took a tenth of a node's time.
public struct JobTable<Value> {
    @usableFromInline var places = JobPlaces()
    @usableFromInline var values: [Value?] = []

    /// An empty table.
    @inlinable public init() {}

    /// The number of jobs.
    @inlinable public var count: Int { places.count }
    @inlinable public var isEmpty: Bool { places.count == 0 }

    /// The value of the job; nil if it is not in the table. Setting nil removes it. Changes are made in place.
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

    /// Inserts a job that is not in the table, without checking that.
    @inlinable public mutating func insert(_ value: Value, forNew id: JobID) {
        let place = places.insert(id)
        if place == values.count { values.append(value) } else { values[place] = value }
    }

    /// Inserts or replaces the value of the job. Returns the previous value; nil for a new job.
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

    /// Removes the job and returns its value.
    @inlinable @discardableResult
    public mutating func removeValue(forKey id: JobID) -> Value? {
        guard let place = places.remove(id) else { return nil }
        let value = values[place].take()
        // What a million jobs took is given back when they are gone.
        if isEmpty, values.count > 10_000 { self = JobTable() }
        return value
    }

    @inlinable public mutating func removeAll() { self = JobTable() }

    /// At most `limit` ids in order, after `id` if it is given. Visits each job once.
    public func ids(after id: JobID?, limit: Int) -> [JobID] {
        places.ids(beyond: id, isAscending: true, limit: limit) { values[$0] != nil }
    }

    /// At most `limit` ids in falling order, before `id` if it is given. Visits each job once.
    public func ids(before id: JobID?, limit: Int) -> [JobID] {
        places.ids(beyond: id, isAscending: false, limit: limit) { values[$0] != nil }
    }

    /// Calls `visit` with the jobs of `count` places from `place` on, in no order. Returns the next place; nil at the
    /// end. Many jobs can thus be visited piece by piece while others come and go; a job that is present from the first
    /// piece to the last is visited once.
    public func visit(from place: Int, count: Int, _ visit: (JobID, Value) -> Void) -> Int? {
        let end = min(values.count, place + max(0, count))
        guard place < end else { return nil }
        for place in place..<end {
            if let value = values[place] { visit(places.id(at: place), value) }
        }
        return end < values.count ? end : nil
    }

    /// The number of places to visit; more than the number of jobs if some were removed.
    public var placeCount: Int { values.count }

    /// The place of the job, valid while it is in the table.
    public func place(of id: JobID) -> Int? { places.place(of: id) }

    /// All jobs and values, in no order.
    public var elements: some Sequence<(key: JobID, value: Value)> {
        values.indices.lazy.compactMap { place in values[place].map { (places.id(at: place), $0) } }
    }
}

extension JobTable: Sendable where Value: Sendable {}
