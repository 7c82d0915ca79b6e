/// Items for one reader, which is woken once for all items that arrive before it reads.
///
/// Public, as ``JobTable`` is, so that it is specialised where it is used: each job passes through one.
///
/// A value without threads. Its users keep it behind a lock and wake the reader themselves; they do so within the lock
/// if the reader may disappear meanwhile.
public struct Mailbox<Contents> {
    @usableFromInline var contents: Contents
    @usableFromInline let empty: Contents
    /// The reader is on its way.
    @usableFromInline var isWoken = false

    @inlinable public init(_ empty: Contents) {
        contents = empty
        self.empty = empty
    }

    /// Adds an item. Returns whether the reader must be woken, because it has not been woken yet.
    @inlinable public mutating func put(_ change: (inout Contents) -> Void) -> Bool {
        change(&contents)
        defer { isWoken = true }
        return !isWoken
    }

    /// Returns all items to the reader and empties the mailbox.
    @inlinable public mutating func take() -> Contents {
        isWoken = false
        let taken = contents
        contents = empty
        return taken
    }
}

extension Mailbox: Sendable where Contents: Sendable {}

extension Mailbox where Contents: RangeReplaceableCollection {
    @inlinable public init() { self.init(Contents()) }
}
