/// When runs began, as far as a window of time looks back; the oldest first.
struct StartLog: Sendable {
    private var times: [Timestamp] = []
    private var head = 0

    var count: Int { times.count - head }
    var isEmpty: Bool { times.count == head }
    var last: Timestamp? { isEmpty ? nil : times.last }

    /// The time of that index, from 0, the oldest.
    subscript(index: Int) -> Timestamp { times[head + index] }

    /// A clock that nobody sets is not put back, so the times are in their order.
    mutating func append(_ time: Timestamp) { times.append(max(time, times.last ?? time)) }

    /// Those that are at least so long ago are forgotten.
    mutating func forget(notAfter time: Timestamp) {
        while head < times.count, times[head] <= time { head += 1 }
        if head == times.count {
            times.removeAll(keepingCapacity: head <= 64)
            head = 0
        } else if head >= 64, head > times.count / 2 {
            times.removeFirst(head)
            head = 0
        }
    }
}
