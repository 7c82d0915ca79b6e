#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// Work for threads, its workers, that sleep while there is none.
///
/// `@unchecked Sendable`: every access to the variables happens between lock and unlock of `mutex`, and the
/// mutex and the condition are allocated once and not moved.
final class LaneQueue<Element: Sendable>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting: [Element] = []
    /// Elements before this one are taken.
    private var head = 0
    /// What each worker has taken and not finished.
    private var underWay: [Element?]
    private var isClosed = false
    private var sleeping = 0

    init(workers: Int) {
        underWay = Array(repeating: nil, count: workers)
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
        let wakes = min(sleeping, elements.count)
        pthread_mutex_unlock(mutex)
        if wakes == 1 { pthread_cond_signal(condition) } else if wakes > 1 { pthread_cond_broadcast(condition) }
    }

    /// Takes back the first that matches and that no worker has begun; from any thread.
    func withdrawFirst(where matches: (Element) -> Bool) -> Element? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard let index = waiting[head...].firstIndex(where: matches) else { return nil }
        return waiting.remove(at: index)
    }

    /// What the workers are at, by their numbers; from any thread.
    func workersAt(_ matches: (Element) -> Bool) -> [(worker: Int, element: Element)] {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return underWay.enumerated().compactMap { worker, element in
            element.flatMap { matches($0) ? (worker, $0) : nil }
        }
    }

    /// Takes back what matches and no worker has begun; from any thread.
    func withdraw(where matches: (Element) -> Bool) -> [Element] {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        let rest = waiting[head...]
        waiting = rest.filter { !matches($0) }
        head = 0
        return rest.filter(matches)
    }

    /// No more work comes; a worker ends when it asks for some.
    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_mutex_unlock(mutex)
        pthread_cond_broadcast(condition)
    }

    var isOpen: Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return !isClosed
    }

    /// A worker's next work; what it took before is done. Sleeps while there is none. Nil after the close. One at a time,
    /// so that all that has not begun can be withdrawn.
    func take(worker: Int) -> Element? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        underWay[worker] = nil
        while head == waiting.count {
            if isClosed { return nil }
            sleeping += 1
            pthread_cond_wait(condition, mutex)
            sleeping -= 1
        }
        if isClosed { return nil }
        let element = waiting[head]
        underWay[worker] = element
        head += 1
        if head == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            head = 0
        }
        return element
    }
}
