internal import CoreMetrics
package import NIOCore

/// Gauges of current values, and counters of values that other components count. They are set a second after a change,
/// and then every second while their values differ; an idle process does nothing. Bound to one event loop.
package final class LiveGauges {
    package typealias Reading = (name: String, read: () -> Int)

    private let gauges: [(gauge: Gauge, read: () -> Int)]
    private let counters: [(counter: Counter, read: () -> Int)]
    /// Sets gauges whose number is not known before, and says whether one differs from what it was.
    private let setOthers: () -> Bool
    private let loop: any EventLoop
    private var last: [Int] = []
    private var lastCounts: [Int]
    private var timer: Scheduled<Void>?
    private var isStopped = false

    /// `readings` are called on the loop. The values of `counts` begin with 0 and never fall. `others` sets gauges whose number
    /// is not known in advance, and says whether one has changed.
    package init(
        _ readings: [Reading], counts: [Reading] = [], others: @escaping () -> Bool = { false },
        _ backend: MetricsBackend, on loop: any EventLoop
    ) {
        setOthers = others
        gauges = readings.map { (backend.gauge($0.name), $0.read) }
        counters = counts.map { (backend.counter($0.name), $0.read) }
        lastCounts = counts.map { _ in 0 }
        self.loop = loop
    }

    /// Something has changed that may affect the values.
    package func noteChange() {
        guard timer == nil, !isStopped else { return }
        timer = loop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in
            guard let self else { return }
            timer = nil
            if set() { noteChange() }
        }
    }

    /// Sets them now. Returns whether one differs from what it was.
    @discardableResult
    package func set() -> Bool {
        let values = gauges.map { $0.read() }
        let counts = counters.map { $0.read() }
        let othersDiffer = setOthers()
        guard values != last || counts != lastCounts else { return othersDiffer }
        for (reading, value) in zip(gauges, values) { reading.gauge.record(value) }
        for (index, count) in counts.enumerated() where count > lastCounts[index] {
            counters[index].counter.increment(by: count - lastCounts[index])
            lastCounts[index] = count
        }
        last = values
        return true
    }

    /// Sets them for the last time.
    package func stop() {
        timer?.cancel()
        timer = nil
        isStopped = true
        set()
    }
}
