internal import JobReactorCore

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// Work for threads, its workers, that sleep while there is none: elements that any of them may take, and events for one of
/// them. Elements leave by the turns of a `TurnQueue`: many of one key do not hold up those of another.
///
/// `@unchecked Sendable`: every access to the variables happens between lock and unlock of `mutex`, and the
/// mutex and the conditions are allocated once and not moved.
final class LaneQueue<Element: Sendable, Event: Sendable>: @unchecked Sendable {
    enum Item {
        case element(Element)
        case events([Event])
        /// The time that the worker gave has come.
        case timeUp
    }

    /// The key of an element, and its priority.
    typealias Turn = (key: String, priority: Int)

    private struct Worker {
        /// What it has taken and not finished.
        var underWay: Element?
        var events: [Event] = []
        /// Whether it has been told of something, or of the time, since it took an element.
        var owesElement = false
        /// Whether an event is to come before any element.
        var isUrgent = false
        var isSleeping = false
    }

    /// Events that a worker gets at once: others do not wait for all of them.
    private static var batch: Int { 32 }

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// One for each worker.
    private let conditions: UnsafeMutablePointer<pthread_cond_t>
    private var waiting = TurnQueue<Element>()
    private let turn: @Sendable (Element) -> Turn
    private var workers: [Worker]
    private var sleeping = 0
    private var isClosed = false

    init(
        workers count: Int, turn: @escaping @Sendable (Element) -> Turn = { _ in ("", JobPriority.usual) }
    ) {
        self.turn = turn
        workers = Array(repeating: Worker(), count: count)
        conditions = .allocate(capacity: count)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        #if !canImport(Darwin)
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        #endif
        for worker in 0..<count { pthread_cond_init(conditions + worker, &attributes) }
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        for worker in workers.indices { pthread_cond_destroy(conditions + worker) }
        pthread_mutex_destroy(mutex)
        conditions.deallocate()
        mutex.deallocate()
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Adds work; from any thread.
    func append(_ elements: [Element]) {
        let woken = locked {
            for element in elements { push(element) }
            return awake(elements.count, of: workers.indices)
        }
        signal(woken)
    }

    private func push(_ element: Element) {
        let (key, priority) = turn(element)
        waiting.push(element, key: key, priority: priority)
    }

    /// Tells one worker of something, before any work; from any thread.
    func post(_ event: Event, to worker: Int, isUrgent: Bool = false) {
        let woken = locked {
            if isUrgent {
                workers[worker].events.insert(event, at: 0)
                workers[worker].isUrgent = true
            } else {
                workers[worker].events.append(event)
            }
            return awake(1, of: worker..<worker + 1)
        }
        signal(woken)
    }

    /// Notes that so many of those that sleep are to be woken, and returns which. That is done with the lock open: else they
    /// would wake to wait for it.
    private func awake(_ count: Int, of candidates: Range<Int>) -> [Int] {
        guard sleeping > 0 else { return [] }
        let woken = Array(candidates.lazy.filter { self.workers[$0].isSleeping }.prefix(count))
        for worker in woken { workers[worker].isSleeping = false }
        sleeping -= woken.count
        return woken
    }

    private func signal(_ woken: [Int]) {
        for worker in woken { pthread_cond_signal(conditions + worker) }
    }

    /// Takes back one that matches and that no worker has begun; from any thread.
    func withdrawOne(where matches: (Element) -> Bool) -> Element? {
        locked { waiting.removeOne(where: matches) }
    }

    /// What no worker has begun, in no order; from any thread.
    var unbegun: [Element] { locked { waiting.elements } }

    /// What the workers are at, by their numbers; from any thread.
    func workersAt(_ matches: (Element) -> Bool) -> [(worker: Int, element: Element)] {
        locked {
            workers.enumerated().compactMap { worker, state in
                state.underWay.flatMap { matches($0) ? (worker, $0) : nil }
            }
        }
    }

    /// Takes back what matches and no worker has begun, in the order of its turns; from any thread.
    func withdraw(where matches: (Element) -> Bool) -> [Element] {
        locked {
            let all = waiting.popAll()
            for element in all where !matches(element) { push(element) }
            return all.filter(matches)
        }
    }

    /// No more work comes; a worker ends when it asks for some.
    func close() {
        let woken = locked {
            isClosed = true
            return awake(workers.count, of: workers.indices)
        }
        signal(woken)
    }

    var isOpen: Bool { locked { !isClosed } }

    /// A worker works on an element again that it has had.
    func resume(_ element: Element, worker: Int) { locked { workers[worker].underWay = element } }

    /// A worker's next work; what it took before is done. Sleeps while there is none, until `deadline`, in nanoseconds of the
    /// monotonic clock. Nil after the close. Elements come one at a time, so that all that has not begun can be withdrawn.
    func take(worker: Int, until deadline: Int64?) -> Item? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        workers[worker].underWay = nil
        while !isClosed {
            // By turns, so that neither what wakes jobs nor jobs that come keep the other from the lane.
            if workers[worker].owesElement, !workers[worker].isUrgent, let next = takeNext(worker) {
                return .element(next)
            }
            if !workers[worker].events.isEmpty { return .events(takeEvents(worker)) }
            if let deadline, MonotonicClock.now >= deadline {
                workers[worker].owesElement = true
                return .timeUp
            }
            if let next = takeNext(worker) { return .element(next) }
            sleep(worker, until: deadline)
        }
        return nil
    }

    private func takeEvents(_ worker: Int) -> [Event] {
        let events = Array(workers[worker].events.prefix(Self.batch))
        workers[worker].events.removeFirst(events.count)
        workers[worker].owesElement = true
        workers[worker].isUrgent = false
        return events
    }

    private func takeNext(_ worker: Int) -> Element? {
        guard let element = waiting.pop() else { return nil }
        workers[worker].owesElement = false
        workers[worker].underWay = element
        return element
    }

    private func sleep(_ worker: Int, until deadline: Int64?) {
        workers[worker].isSleeping = true
        sleeping += 1
        if let deadline {
            #if canImport(Darwin)
                let left = max(0, deadline - MonotonicClock.now)
                var time = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
                pthread_cond_timedwait_relative_np(conditions + worker, mutex, &time)
            #else
                var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
                pthread_cond_timedwait(conditions + worker, mutex, &time)
            #endif
        } else {
            pthread_cond_wait(conditions + worker, mutex)
        }
        // Who wakes a worker notes it.
        if workers[worker].isSleeping {
            workers[worker].isSleeping = false
            sleeping -= 1
        }
    }
}
