/// A queue ordered by due time; elements with equal due times leave in the order of insertion.
///
/// A value without a clock: its owner arms one timer for `nextDue` and calls `popDue` when it fires. Insertion and removal
/// take O(log n).
public struct TimerQueue<Element> {
    @usableFromInline
    struct Entry {
        @usableFromInline var due: Timestamp
        @usableFromInline var order: UInt64
        @usableFromInline var element: Element

        @inlinable init(due: Timestamp, order: UInt64, element: Element) {
            self.due = due
            self.order = order
            self.element = element
        }
    }

    // Inlinable: unspecialised, each look at the next due time cost a lane a tenth of its work.
    @usableFromInline var heap: [Entry] = []
    @usableFromInline var inserted: UInt64 = 0

    @inlinable public init() {}

    @inlinable public var count: Int { heap.count }
    @inlinable public var isEmpty: Bool { heap.isEmpty }

    /// The due time of the first element; nil if the queue is empty.
    @inlinable public var nextDue: Timestamp? { heap.first?.due }

    /// Returns the number of the entry, which is unique in this queue.
    @discardableResult
    @inlinable public mutating func insert(_ element: Element, due: Timestamp) -> UInt64 {
        let number = inserted
        heap.append(Entry(due: due, order: number, element: element))
        inserted += 1
        siftUp(heap.count - 1)
        return number
    }

    /// Removes and returns the first element if it is due at `now`.
    @inlinable public mutating func popDue(at now: Timestamp) -> Element? { popDueEntry(at: now)?.element }

    /// As ``popDue(at:)``, with the number that the insertion returned.
    @inlinable public mutating func popDueEntry(at now: Timestamp) -> (element: Element, number: UInt64)? {
        guard let first = heap.first, first.due <= now else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            siftDown(0)
        }
        return (first.element, first.order)
    }

    /// Keeps the elements that satisfy the predicate; takes O(n).
    @inlinable public mutating func retain(where keep: (Element) -> Bool) {
        heap.removeAll { !keep($0.element) }
        for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(index) }
    }

    @inlinable func precedes(_ left: Int, _ right: Int) -> Bool {
        (heap[left].due, heap[left].order) < (heap[right].due, heap[right].order)
    }

    @inlinable mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard precedes(child, parent) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    @inlinable mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var first = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && precedes(child, first) {
                first = child
            }
            guard first != parent else { return }
            heap.swapAt(parent, first)
            parent = first
        }
    }
}

extension TimerQueue: Sendable where Element: Sendable {}
extension TimerQueue.Entry: Sendable where Element: Sendable {}
