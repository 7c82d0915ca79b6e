internal import Synchronization

/// A handler by job name, for as long as it is wanted: what ``JobProducer/handle(_:_:)`` and its like return.
///
/// It is of use only to remove the handler, which dropping it does not do. Any thread may use it.
public final class HandlerRegistration: Sendable {
    private let removed = Atomic(false)
    private let onRemoval: @Sendable (HandlerRegistration) -> Void

    /// For a ``JobProducer`` of one's own: `onRemoval` is called once, by whoever removes the handler.
    public init(_ onRemoval: @escaping @Sendable (HandlerRegistration) -> Void = { _ in }) {
        self.onRemoval = onRemoval
    }

    /// Whether the handler was removed.
    public var isRemoved: Bool { removed.load(ordering: .acquiring) }

    /// From now on the handler is not called; a call that has begun on another thread ends by itself. May be called by the handler
    /// itself, and more than once.
    public func remove() {
        if !removed.exchange(true, ordering: .acquiringAndReleasing) { onRemoval(self) }
    }
}
