/// A ``FairQueue`` of jobs, whose keys are their names. As long as all that wait have one name and one priority, as most often,
/// they stand in a plain line, which costs less.
///
/// A value without I/O. Public, as ``JobTable`` is, so that it is specialised where it is used.
public struct TurnQueue<Element> {
    /// Those of one turn, from `head` on, as long as there are no others.
    @usableFromInline var line: [Element?] = []
    @usableFromInline var head = 0
    @usableFromInline var lineKey = ""
    @usableFromInline var linePriority = JobPriority.usual
    /// All, when they have several turns, or are many: then the line is empty.
    @usableFromInline var fair = FairQueue<String, Element>()

    /// A line of so many, at most, is put into the queue at once when an element with another turn comes.
    @inlinable static var longest: Int { 1024 }

    @inlinable public init() {}

    @inlinable var lineCount: Int { line.count - head }
    @inlinable public var count: Int { lineCount + fair.count }
    @inlinable public var isEmpty: Bool { count == 0 }
    /// Whether there is an element of a name that is not set aside.
    @inlinable public var hasTurns: Bool { lineCount > 0 || fair.hasTurns }

    /// All elements, in no order.
    public var elements: [Element] { line[head...].compactMap(\.self) + Array(fair.elements) }

    // MARK: In

    /// Puts the element behind those of its name and priority.
    @inlinable public mutating func push(_ element: consuming Element, key: String, priority: Int = JobPriority.usual) {
        guard standsInLine(key, priority) else {
            fair.push(element, key: key, priority: priority)
            return
        }
        line.append(element)
    }

    /// Puts the element before those of its priority: its turn is the next after all.
    @inlinable public mutating func pushFirst(
        _ element: consuming Element, key: String, priority: Int = JobPriority.usual
    ) {
        guard standsInLine(key, priority) else {
            fair.pushFirst(element, key: key, priority: priority)
            return
        }
        if head > 0 {
            head -= 1
            line[head] = element
        } else {
            line.insert(element, at: 0)
        }
    }

    /// Whether an element of that turn is to stand in the line; else that is empty from now on.
    @inlinable mutating func standsInLine(_ key: String, _ priority: Int) -> Bool {
        guard fair.isEmpty else { return false }
        if lineCount == 0 {
            if lineKey != key { lineKey = key }
            linePriority = priority
            return true
        }
        if lineCount < Self.longest, linePriority == priority, lineKey == key { return true }
        leaveLine()
        return false
    }

    @usableFromInline mutating func leaveLine() {
        while let element = popFirst() { fair.push(element, key: lineKey, priority: linePriority) }
    }

    // MARK: Out

    /// Takes the element whose turn it is; nil when there is none.
    @inlinable public mutating func pop() -> Element? { lineCount > 0 ? popFirst() : fair.pop() }

    /// As ``FairQueue/pop(where:)``.
    @inlinable public mutating func pop(where mayLeave: (String) -> Bool) -> Element? {
        if lineCount > 0 {
            if mayLeave(lineKey) { return popFirst() }
            leaveLine()
        }
        return fair.pop(where: mayLeave)
    }

    @inlinable mutating func popFirst() -> Element? {
        guard head < line.count else { return nil }
        var element: Element?
        swap(&element, &line[head])
        head += 1
        if head == line.count {
            line.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= Self.longest {
            line.removeFirst(head)
            head = 0
        }
        return element
    }

    /// Takes all elements in the order of their turns; those of names that are set aside come last.
    public mutating func popAll() -> [Element] {
        var all: [Element] = []
        all.reserveCapacity(count)
        while let element = popFirst() { all.append(element) }
        return all + fair.popAll()
    }

    /// Takes an element that matches; takes time for all that are there.
    public mutating func removeOne(where matches: (Element) -> Bool) -> Element? {
        guard let place = line[head...].firstIndex(where: { $0.map(matches) == true }) else {
            return fair.removeOne(where: matches)
        }
        return line.remove(at: place)
    }

    /// Removes all elements that match; takes time for all that are there.
    public mutating func removeAll(where matches: (Element) -> Bool) {
        line = line[head...].filter { $0.map(matches) == false }
        head = 0
        fair.removeAll(where: matches)
    }

    /// The name takes turns again, after the others.
    @inlinable public mutating func resume(_ key: String) { fair.resume(key) }
}

extension TurnQueue: Sendable where Element: Sendable {}
