internal import DequeModule

/// Which batches of changes a storage has stored, and who waits until all up to one of them are. They are given to it one after
/// the other without waiting; one that is refused is given again. A value without I/O.
struct ChangeBatches<Waiter> {
    private var last = 0
    /// Given, and not stored.
    private var open: Set<Int> = []
    private var waiters: Deque<(through: Int, waiter: Waiter)> = []

    /// A batch is given to the storage. Returns its number.
    mutating func given() -> Int {
        last += 1
        open.insert(last)
        return last
    }

    /// The batch is stored. Returns those who waited for it as the last.
    mutating func stored(_ number: Int) -> [Waiter] {
        open.remove(number)
        var released: [Waiter] = []
        while let first = waiters.first, isStored(through: first.through) {
            released.append(first.waiter)
            waiters.removeFirst()
        }
        return released
    }

    /// Somebody waits until all that was given is stored, and the next `queued` batches, too. False when all of it is.
    mutating func wait(_ waiter: Waiter, queued: Int) -> Bool {
        guard queued > 0 || !open.isEmpty else { return false }
        waiters.append((last + queued, waiter))
        return true
    }

    /// Nothing more is stored. Returns those that wait in vain.
    mutating func end() -> [Waiter] {
        defer { waiters = [] }
        return waiters.map(\.waiter)
    }

    private func isStored(through number: Int) -> Bool {
        guard last >= number else { return false }
        return open.min().map { $0 > number } ?? true
    }
}
