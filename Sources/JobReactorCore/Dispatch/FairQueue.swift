/// A queue whose keys take turns: an element waits for at most one element of each other key, however many elements
/// those keys have. Keys are names of jobs, or the keys of a limit.
///
/// Elements with higher priority (``JobPriority``) leave first, and each waiting priority gets at least one of
/// ``PriorityTurns/share`` turns. Within a priority keys take turns, and within a key the first comes first. Each
/// operation takes constant time unless stated otherwise; memory is proportional to the number of elements.
///
/// A value without I/O. Public, as ``JobTable`` is, so that it is specialised where it is used.
public struct FairQueue<Key: Hashable, Element> {
    /// Identifies an element in the queue. It may be reused after the element has left.
    public typealias Handle = Int32

    /// The elements of one key and one priority.
    @usableFromInline
    struct Line {
        @usableFromInline var owner: Int32
        @usableFromInline var priority: Int
        /// The next line of the same key; below 0 for none.
        @usableFromInline var sibling: Int32
        @usableFromInline var places = Chains.Chain()
        @inlinable init(owner: Int32, priority: Int, sibling: Int32) {
            self.owner = owner
            self.priority = priority
            self.sibling = sibling
        }
    }

    /// A key that has elements, or has had some lately.
    @usableFromInline
    struct Owner {
        @usableFromInline var key: Key
        /// Its lines, each of which has elements; below 0 for none.
        @usableFromInline var firstLine: Int32 = -1
        @usableFromInline var count = 0
        /// It takes no turns until it is resumed.
        @usableFromInline var isAside = false
        @inlinable init(key: Key) { self.key = key }
    }

    /// By place: the element that stands there, and its line.
    @usableFromInline var places: [Element?] = []
    @usableFromInline var lineOfPlace: [Int32] = []
    @usableFromInline var freePlaces: [Int32] = []
    @usableFromInline var placeLinks = Chains()
    @usableFromInline var lines: [Line] = []
    @usableFromInline var freeLines: [Int32] = []
    @usableFromInline var lineLinks = Chains()
    @usableFromInline var owners: [Owner] = []
    @usableFromInline var freeOwners: [Int32] = []
    @usableFromInline var ownerByKey: [Key: Int32] = [:]
    /// Those that have elements.
    @usableFromInline var activeOwners = 0
    /// The owner of the last element, as those of one key tend to come together; below 0 for none.
    @usableFromInline var lastOwner: Int32 = -1
    /// By priority, the lines that take turns.
    @usableFromInline var rings = Array(repeating: Chains.Chain(), count: JobPriority.range.count)
    /// The bits of the priorities that have such.
    @usableFromInline var readyPriorities: UInt16 = 0
    @usableFromInline var turns = PriorityTurns()

    @inlinable public init() {}

    /// The number of elements, including those of keys that are set aside.
    @inlinable public var count: Int { places.count - freePlaces.count }
    @inlinable public var isEmpty: Bool { count == 0 }
    /// Keys that have elements.
    @inlinable public var keyCount: Int { activeOwners }
    /// Whether there is an element of a key that is not set aside.
    @inlinable public var hasTurns: Bool { readyPriorities != 0 }

    /// How many elements the key has.
    @inlinable public func count(of key: Key) -> Int { ownerByKey[key].map { owners[Int($0)].count } ?? 0 }

    /// All elements, in no order.
    public var elements: some Sequence<Element> { places.lazy.compactMap(\.self) }

    // MARK: In

    /// Adds the element behind the others of its key and priority. A priority out of range counts as the nearest valid
    /// one.
    @discardableResult
    @inlinable public mutating func push(
        _ element: consuming Element, key: Key, priority: Int = JobPriority.usual
    ) -> Handle {
        let line = line(of: key, priority)
        let handle = makePlace(element, line)
        let isNew = lines[Int(line)].places.isEmpty
        placeLinks.append(handle, to: &lines[Int(line)].places)
        if isNew, !owners[Int(lines[Int(line)].owner)].isAside { enterRing(line, isNext: false) }
        return handle
    }

    /// Adds the element before all others of its priority, so that its turn is next.
    @discardableResult
    @inlinable public mutating func pushFirst(
        _ element: consuming Element, key: Key, priority: Int = JobPriority.usual
    ) -> Handle {
        let line = line(of: key, priority)
        let handle = makePlace(element, line)
        let isNew = lines[Int(line)].places.isEmpty
        placeLinks.prepend(handle, to: &lines[Int(line)].places)
        if !owners[Int(lines[Int(line)].owner)].isAside {
            if !isNew { leaveRing(line) }
            enterRing(line, isNext: true)
        }
        return handle
    }

    // MARK: Out

    /// Removes and returns the element whose turn it is; nil if there is none.
    @inlinable public mutating func pop() -> Element? {
        guard let priority = turns.next(among: readyPriorities) else { return nil }
        turns.started(priority, among: readyPriorities)
        return popFirst(at: priority)
    }

    /// Removes and returns the element whose turn it is among the keys that may leave. A key that may not leave is set
    /// aside until ``resume(_:)``; later calls do not ask for it again, so it costs nothing.
    @inlinable public mutating func pop(where mayLeave: (Key) -> Bool) -> Element? {
        while let priority = turns.next(among: readyPriorities), let key = firstKey(at: priority) {
            if !mayLeave(key) {
                setAside(key)
                continue
            }
            turns.started(priority, among: readyPriorities)
            return popFirst(at: priority)
        }
        return nil
    }

    /// Removes and returns the element of a handle; nil if no element has it.
    @inlinable public mutating func remove(_ handle: Handle) -> Element? {
        guard places.indices.contains(Int(handle)), places[Int(handle)] != nil else { return nil }
        return leave(handle)
    }

    /// Removes and returns all elements in the order of their turns; keys that are set aside come last.
    public mutating func popAll() -> [Element] {
        var all: [Element] = []
        all.reserveCapacity(count)
        while let element = pop() { all.append(element) }
        for owner in owners where owner.isAside { resume(owner.key) }
        while let element = pop() { all.append(element) }
        return all
    }

    /// Takes an element that matches; takes time for all that are there.
    @inlinable public mutating func removeOne(where matches: (Element) -> Bool) -> Element? {
        let found = places.indices.first { places[$0].map(matches) == true }
        return found.flatMap { remove(Handle($0)) }
    }

    /// Removes all elements that match; takes time for all that are there.
    @inlinable public mutating func removeAll(where matches: (Element) -> Bool) {
        // When the last leaves, there may be no places any more.
        for handle in places.indices.reversed() where handle < places.count {
            if let element = places[handle], matches(element) { leave(Handle(handle)) }
        }
    }

    // MARK: Keys

    /// The key takes no turns until it is resumed. Nothing is known of it once it has no elements.
    @inlinable public mutating func setAside(_ key: Key) {
        guard let owner = ownerByKey[key], owners[Int(owner)].firstLine >= 0, !owners[Int(owner)].isAside else {
            return
        }
        owners[Int(owner)].isAside = true
        var line = owners[Int(owner)].firstLine
        while line >= 0 {
            leaveRing(line)
            line = lines[Int(line)].sibling
        }
    }

    /// The key takes turns again, after the others.
    @inlinable public mutating func resume(_ key: Key) {
        guard let owner = ownerByKey[key], owners[Int(owner)].isAside else { return }
        owners[Int(owner)].isAside = false
        var line = owners[Int(owner)].firstLine
        while line >= 0 {
            enterRing(line, isNext: false)
            line = lines[Int(line)].sibling
        }
    }

    /// The key whose turn it is at that priority; nil for none.
    @inlinable func firstKey(at priority: Int) -> Key? {
        let line = rings[priority].first
        return line < 0 ? nil : owners[Int(lines[Int(line)].owner)].key
    }

    /// Takes the element whose turn it is at that priority; nil for none.
    @inlinable mutating func popFirst(at priority: Int) -> Element? {
        let line = rings[priority].first
        guard line >= 0 else { return nil }
        let handle = lines[Int(line)].places.first
        let isLast = lines[Int(line)].places.last == handle
        let element = leave(handle)
        if !isLast, rings[priority].last != line {
            // The other keys come first.
            leaveRing(line)
            enterRing(line, isNext: false)
        }
        return element
    }

    // MARK: Places and lines

    @inlinable mutating func makePlace(_ element: consuming Element, _ line: Int32) -> Handle {
        owners[Int(lines[Int(line)].owner)].count += 1
        if let free = freePlaces.popLast() {
            places[Int(free)] = element
            lineOfPlace[Int(free)] = line
            return free
        }
        places.append(element)
        lineOfPlace.append(line)
        return Handle(places.count - 1)
    }

    @discardableResult
    @inlinable mutating func leave(_ handle: Handle) -> Element? {
        let line = lineOfPlace[Int(handle)]
        let owner = lines[Int(line)].owner
        placeLinks.remove(handle, from: &lines[Int(line)].places)
        var element: Element?
        swap(&element, &places[Int(handle)])
        freePlaces.append(handle)
        owners[Int(owner)].count -= 1
        guard lines[Int(line)].places.isEmpty else { return element }
        if !owners[Int(owner)].isAside { leaveRing(line) }
        removeLine(line, of: owner)
        // What a million elements took is given back when they are gone.
        if isEmpty, places.count > 10_000 {
            let turns = turns
            self = FairQueue()
            self.turns = turns
        }
        return element
    }

    @inlinable mutating func line(of key: Key, _ priority: Int) -> Int32 {
        let owner = owner(of: key)
        let priority = min(max(priority, JobPriority.range.lowerBound), JobPriority.range.upperBound)
        var line = owners[Int(owner)].firstLine
        while line >= 0 {
            if lines[Int(line)].priority == priority { return line }
            line = lines[Int(line)].sibling
        }
        let made = Line(owner: owner, priority: priority, sibling: owners[Int(owner)].firstLine)
        if let free = freeLines.popLast() {
            lines[Int(free)] = made
            line = free
        } else {
            lines.append(made)
            line = Int32(lines.count - 1)
        }
        if owners[Int(owner)].firstLine < 0 { activeOwners += 1 }
        owners[Int(owner)].firstLine = line
        return line
    }

    @inlinable mutating func owner(of key: Key) -> Int32 {
        if lastOwner >= 0, owners[Int(lastOwner)].key == key { return lastOwner }
        if let known = ownerByKey[key] {
            lastOwner = known
            return known
        }
        let owner: Int32
        if let free = freeOwners.popLast() {
            owners[Int(free)] = Owner(key: key)
            owner = free
        } else {
            owners.append(Owner(key: key))
            owner = Int32(owners.count - 1)
        }
        ownerByKey[key] = owner
        lastOwner = owner
        return owner
    }

    /// A line without elements goes, and its owner when it was the last.
    @inlinable mutating func removeLine(_ line: Int32, of owner: Int32) {
        let next = lines[Int(line)].sibling
        if owners[Int(owner)].firstLine == line {
            owners[Int(owner)].firstLine = next
        } else {
            var before = owners[Int(owner)].firstLine
            while lines[Int(before)].sibling != line { before = lines[Int(before)].sibling }
            lines[Int(before)].sibling = next
        }
        freeLines.append(line)
        guard owners[Int(owner)].firstLine < 0 else { return }
        activeOwners -= 1
        owners[Int(owner)].isAside = false
        // Some are kept, as the next element is likely to have one of their keys.
        guard ownerByKey.count > 64 else { return }
        ownerByKey[owners[Int(owner)].key] = nil
        freeOwners.append(owner)
        if lastOwner == owner { lastOwner = -1 }
    }

    @inlinable mutating func enterRing(_ line: Int32, isNext: Bool) {
        let priority = lines[Int(line)].priority
        if isNext {
            lineLinks.prepend(line, to: &rings[priority])
        } else {
            lineLinks.append(line, to: &rings[priority])
        }
        readyPriorities |= 1 << UInt16(priority)
    }

    @inlinable mutating func leaveRing(_ line: Int32) {
        let priority = lines[Int(line)].priority
        lineLinks.remove(line, from: &rings[priority])
        if rings[priority].isEmpty { readyPriorities &= ~(1 << UInt16(priority)) }
    }
}

extension FairQueue: Sendable where Key: Sendable, Element: Sendable {}
extension FairQueue.Line: Sendable where Key: Sendable, Element: Sendable {}
extension FairQueue.Owner: Sendable where Key: Sendable, Element: Sendable {}
