/// What comes for one reader, who is woken once for all that comes before it looks.
///
/// Public, as ``JobTable`` is, so that it is specialised where it is used: each job passes through one.
///
/// A value without threads: those who share one keep it behind a lock, and wake the reader themselves, within the lock where
/// the reader may be gone meanwhile.
public struct Mailbox<Contents> {
    @usableFromInline var contents: Contents
    @usableFromInline let empty: Contents
    /// The reader is on its way.
    @usableFromInline var isWoken = false

    @inlinable public init(_ empty: Contents) {
        contents = empty
        self.empty = empty
    }

    /// Puts something in. Returns whether the reader is to be woken: it is not on its way yet.
    @inlinable public mutating func put(_ change: (inout Contents) -> Void) -> Bool {
        change(&contents)
        defer { isWoken = true }
        return !isWoken
    }

    /// The reader looks: it gets all there is.
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
