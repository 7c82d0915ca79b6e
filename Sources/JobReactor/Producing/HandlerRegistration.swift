internal import Synchronization

/// A registered handler, returned by ``JobProducer/handle(_:_:)`` and similar methods.
///
/// Use it to remove the handler. Dropping it does not remove the handler. Any thread may use it.
public final class HandlerRegistration: Sendable {
    private let removed = Atomic(false)
    private let onRemoval: @Sendable (HandlerRegistration) -> Void

    /// For your own ``JobProducer``: `onRemoval` is called once, on the thread that removes the handler.
    public init(_ onRemoval: @escaping @Sendable (HandlerRegistration) -> Void = { _ in }) {
        self.onRemoval = onRemoval
    }

    /// Whether the handler was removed.
    public var isRemoved: Bool { removed.load(ordering: .acquiring) }

    /// Removes the handler; a call that has begun on another thread continues to its end. The handler itself may call
    /// this, and it may be called repeatedly.
    public func remove() {
        if !removed.exchange(true, ordering: .acquiringAndReleasing) { onRemoval(self) }
    }
}
