/// Lists of numbers from 0, each of which is in one list at most: appending, prepending and removing anywhere take constant
/// time. The links are here, the ends of each list with its owner.
@usableFromInline
struct Chains: Sendable {
    /// The ends of a list.
    @usableFromInline
    struct Chain: Sendable {
        @usableFromInline var first: Int32 = -1
        @usableFromInline var last: Int32 = -1
        @inlinable init() {}
        @inlinable var isEmpty: Bool { first < 0 }
    }

    @usableFromInline
    struct Link: Sendable {
        @usableFromInline var previous: Int32 = -1
        @usableFromInline var next: Int32 = -1
        @inlinable init() {}
    }

    @usableFromInline var links: [Link] = []

    @inlinable init() {}

    /// What follows the number in its list; below 0 for nothing.
    @inlinable func next(_ number: Int32) -> Int32 { links[Int(number)].next }

    @inlinable mutating func makeRoom(for number: Int32) {
        while links.count <= Int(number) { links.append(Link()) }
    }

    /// The number is in no list.
    @inlinable mutating func append(_ number: Int32, to chain: inout Chain) {
        makeRoom(for: number)
        links[Int(number)].previous = chain.last
        links[Int(number)].next = -1
        if chain.last >= 0 { links[Int(chain.last)].next = number } else { chain.first = number }
        chain.last = number
    }

    /// The number is in no list.
    @inlinable mutating func prepend(_ number: Int32, to chain: inout Chain) {
        makeRoom(for: number)
        links[Int(number)].previous = -1
        links[Int(number)].next = chain.first
        if chain.first >= 0 { links[Int(chain.first)].previous = number } else { chain.last = number }
        chain.first = number
    }

    /// The number is in that list.
    @inlinable mutating func remove(_ number: Int32, from chain: inout Chain) {
        let link = links[Int(number)]
        if link.previous >= 0 { links[Int(link.previous)].next = link.next } else { chain.first = link.next }
        if link.next >= 0 { links[Int(link.next)].previous = link.previous } else { chain.last = link.previous }
    }

    @inlinable mutating func popFirst(from chain: inout Chain) -> Int32? {
        guard chain.first >= 0 else { return nil }
        let first = chain.first
        remove(first, from: &chain)
        return first
    }
}
