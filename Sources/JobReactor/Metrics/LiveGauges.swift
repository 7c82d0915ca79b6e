internal import CoreMetrics
package import NIOCore

/// What there is at a moment, as gauges. They are set a second after something has changed, and each second from then on as
/// long as their values differ: where nothing happens nothing is done. On one event loop.
package final class LiveGauges {
    private let gauges: [(gauge: Gauge, read: () -> Int)]
    private let loop: any EventLoop
    private var last: [Int] = []
    private var timer: Scheduled<Void>?
    private var isStopped = false

    /// `readings` are asked on the loop.
    package init(
        _ readings: [(name: String, read: () -> Int)], _ backend: MetricsBackend, on loop: any EventLoop
    ) {
        gauges = readings.map { (backend.gauge($0.name), $0.read) }
        self.loop = loop
    }

    /// Something has happened that may show.
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
        guard values != last else { return false }
        last = values
        for (reading, value) in zip(gauges, values) { reading.gauge.record(value) }
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
