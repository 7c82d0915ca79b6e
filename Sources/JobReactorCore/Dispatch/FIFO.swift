/// A queue in an array: appending and taking the first take amortised constant time. For elements that hold nothing else: what
/// was taken stays in the array for a while.
struct FIFO<Element> {
    private var elements: [Element] = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { elements.count == head }
    var first: Element? { head < elements.count ? elements[head] : nil }
    /// All of them, in their order.
    var all: ArraySlice<Element> { elements[head...] }

    mutating func append(_ element: Element) {
        elements.append(element)
    }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head]
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: head <= 1024)
            head = 0
        } else if head >= 1024, head > elements.count / 2 {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }

    mutating func removeAll(where matches: (Element) -> Bool) {
        elements = elements[head...].filter { !matches($0) }
        head = 0
    }
}

extension FIFO: Sendable where Element: Sendable {}
