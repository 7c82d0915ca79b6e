/// Values by numbers from 0, close together: that of a value which is removed is given to another.
struct Slots<Value> {
    private var values: [Value] = []
    private var free: [Int32] = []

    var count: Int { values.count - free.count }

    /// Of a number that a value has.
    subscript(number: Int32) -> Value {
        _read { yield values[Int(number)] }
        _modify { yield &values[Int(number)] }
    }

    mutating func insert(_ value: Value) -> Int32 {
        if let number = free.popLast() {
            values[Int(number)] = value
            return number
        }
        values.append(value)
        return Int32(values.count - 1)
    }

    /// The value stays where it is until another takes its place: whoever looks must be able to tell.
    mutating func remove(_ number: Int32) { free.append(number) }
}

extension Slots: Sendable where Value: Sendable {}
