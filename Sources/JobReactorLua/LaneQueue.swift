#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// Work for one thread that sleeps while there is none.
///
/// `@unchecked Sendable`: every access to the variables happens between lock and unlock of `mutex`, and the
/// mutex and the condition are allocated once and not moved.
final class LaneQueue<Element: Sendable>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting: [Element] = []
    /// Elements before this one are taken.
    private var head = 0
    private var isClosed = false
    private var isSleeping = false

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Adds work; from any thread.
    func append(_ elements: [Element]) {
        pthread_mutex_lock(mutex)
        waiting.append(contentsOf: elements)
        let wakes = isSleeping
        pthread_mutex_unlock(mutex)
        if wakes { pthread_cond_signal(condition) }
    }

    /// Takes back what the thread has not begun; from any thread.
    func withdraw() -> [Element] {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        defer {
            waiting = []
            head = 0
        }
        return Array(waiting[head...])
    }

    /// No more work comes; the thread ends when it asks for some.
    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(condition)
    }

    /// The thread's next work; sleeps while there is none. Nil after the close. One at a time, so that all that has not
    /// begun can be withdrawn.
    func take() -> Element? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while head == waiting.count {
            if isClosed { return nil }
            isSleeping = true
            pthread_cond_wait(condition, mutex)
            isSleeping = false
        }
        if isClosed { return nil }
        let element = waiting[head]
        head += 1
        if head == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            head = 0
        }
        return element
    }
}
