internal import JobReactorCore

/// A bar for each minute: what succeeded, and on it what failed. It is made of numbers alone, so that nothing needs escaping.
struct ThroughputChart {
    /// SVG, as wide as its place, without words: they would be as wide.
    let picture: String
    /// What its height is.
    let scale: String
    /// Below it.
    let times: [String]
    /// The same in words.
    let summary: String

    private static let (width, height) = (600, 120)

    init(_ throughput: Throughput, at now: Timestamp) {
        let (minutes, since) = throughput.read(at: now)
        let sum = minutes.reduce(into: Throughput.Counts()) { sum, minute in
            sum.enqueued += minute.counts.enqueued
            sum.succeeded += minute.counts.succeeded
            sum.failed += minute.counts.failed
        }
        let hour = now.advanced(bySeconds: -3600)
        let span = since.map { $0 > hour ? "Since \(ShownTime($0, now: now).text)" : "In the last hour" } ?? "So far"
        summary =
            "\(span): \(sum.enqueued.grouped) enqueued, \(sum.succeeded.of("good run")), \(sum.failed.grouped) failed."
        let most = max(1, minutes.map { $0.counts.succeeded + $0.counts.failed }.max() ?? 1)
        let room = Double(Self.height - 4)
        let step = Self.width / Throughput.minutes
        var bars = ""
        for (index, minute) in minutes.enumerated() {
            let (good, bad) = (minute.counts.succeeded, minute.counts.failed)
            guard good + bad > 0 else { continue }
            let clock = ShownTime(minute.start, now: now).text.dropFirst(11).prefix(5)
            func height(_ count: Int) -> Int {
                count == 0 ? 0 : max(2, Int((Double(count) / Double(most) * room).rounded()))
            }
            let (goodHeight, badHeight) = (height(good), height(bad))
            let left = index * step + 1
            bars += "<g><title>\(clock) UTC: \(good.of("good run")), \(bad.grouped) failed</title>"
            if good > 0 { bars += Self.bar("s-complete", left, Self.height - goodHeight, step - 2, goodHeight) }
            if bad > 0 {
                bars += Self.bar("s-failed", left, Self.height - goodHeight - badHeight, step - 2, badHeight)
            }
            bars += "</g>"
        }
        times = [0, 15, 30, 45, 59].map { index in
            String(ShownTime(minutes[index].start, now: now).text.dropFirst(11).prefix(5))
        }
        scale = "\(most.grouped) a minute"
        picture =
            "<svg class=\"chart\" viewBox=\"0 0 \(Self.width) \(Self.height)\" preserveAspectRatio=\"none\" role=\"img\" "
            + "aria-label=\"\(summary)\">\(bars)</svg>"
    }

    private static func bar(_ style: String, _ x: Int, _ y: Int, _ width: Int, _ height: Int) -> String {
        "<rect class=\"\(style)\" x=\"\(x)\" y=\"\(y)\" width=\"\(width)\" height=\"\(height)\"/>"
    }
}
