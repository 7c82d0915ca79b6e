/// What is known of each job, by its id: a dictionary whose values stand close together.
///
/// A hash table is half empty, which matters when a value has a hundred bytes and there are a million: here only the
/// place of a value stands in it.
package struct JobTable<Value> {
    private var places: [JobID: Int32] = [:]
    private var values: [Value?] = []
    private var free: [Int32] = []

    package init() {}

    package var count: Int { places.count }
    package var isEmpty: Bool { places.isEmpty }

    package subscript(id: JobID) -> Value? {
        get { places[id].flatMap { values[Int($0)] } }
        _modify {
            guard let place = places[id] else {
                var value: Value?
                defer { if let value { insert(value, id) } }
                yield &value
                return
            }
            defer { if values[Int(place)] == nil { release(place, of: id) } }
            yield &values[Int(place)]
        }
    }

    @discardableResult
    package mutating func removeValue(forKey id: JobID) -> Value? {
        guard let place = places[id] else { return nil }
        let value = values[Int(place)].take()
        release(place, of: id)
        return value
    }

    package mutating func removeAll() { self = JobTable() }

    /// In no order.
    package var elements: some Sequence<(key: JobID, value: Value)> {
        places.lazy.compactMap { id, place in values[Int(place)].map { (id, $0) } }
    }

    private mutating func insert(_ value: Value, _ id: JobID) {
        if let place = free.popLast() {
            values[Int(place)] = value
            places[id] = place
        } else {
            places[id] = Int32(values.count)
            values.append(value)
        }
    }

    private mutating func release(_ place: Int32, of id: JobID) {
        places[id] = nil
        // What a million jobs took is given back when they are gone.
        if places.isEmpty, values.count > 10_000 {
            self = JobTable()
        } else {
            free.append(place)
        }
    }
}

extension JobTable: Sendable where Value: Sendable {}
