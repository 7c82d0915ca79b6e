/// Elements by due time, earliest first; those due at the same time leave in the order they came.
///
/// A value without a clock: its owner arms one timer for `nextDue` and calls `popDue` when it fires. Insertion and removal
/// take O(log n).
public struct TimerQueue<Element> {
    fileprivate struct Entry {
        var due: Timestamp
        var order: UInt64
        var element: Element
    }

    private var heap: [Entry] = []
    private var inserted: UInt64 = 0

    public init() {}

    public var count: Int { heap.count }
    public var isEmpty: Bool { heap.isEmpty }

    /// When the first element is due; nil when there is none.
    public var nextDue: Timestamp? { heap.first?.due }

    public mutating func insert(_ element: Element, due: Timestamp) {
        heap.append(Entry(due: due, order: inserted, element: element))
        inserted += 1
        siftUp(heap.count - 1)
    }

    /// Removes and returns the first element when it is due at `now`.
    public mutating func popDue(at now: Timestamp) -> Element? {
        guard let first = heap.first, first.due <= now else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            siftDown(0)
        }
        return first.element
    }

    /// Keeps the elements that satisfy the predicate; takes O(n).
    public mutating func retain(where keep: (Element) -> Bool) {
        heap.removeAll { !keep($0.element) }
        for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(index) }
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        (heap[left].due, heap[left].order) < (heap[right].due, heap[right].order)
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard precedes(child, parent) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
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
