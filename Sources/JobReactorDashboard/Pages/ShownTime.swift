internal import JobReactorCore

/// A time as a page shows it.
struct ShownTime: Sendable {
    /// For `<time datetime>`.
    let machine: String
    /// `2026-03-29 03:00:00 UTC`.
    let text: String
    /// `5 min ago`, `in 3 h`.
    let distance: String

    /// `offset` is that of a time zone then, in seconds.
    init(_ time: Timestamp, now: Timestamp, offset: Int = 0) {
        // Peers may say any number.
        let seconds = time.seconds
        guard abs(seconds) < 1e11 else {
            (machine, text, distance) = ("", "\(seconds)", "")
            return
        }
        let whole = Timestamp(microseconds: Int64(seconds.rounded(.down)) * 1_000_000)
        let local = ScheduleTime(at: whole, offset: offset).local
        machine = local
        text = String(local.prefix(19)).replacing("T", with: " ") + (offset == 0 ? " UTC" : " " + local.dropFirst(19))
        let span = time.seconds - now.seconds
        distance = span > 0.5 ? "in \(Self.span(span))" : span > -0.5 ? "now" : "\(Self.span(-span)) ago"
    }

    /// A whole number of a unit, rounded down.
    static func span(_ seconds: Double) -> String {
        let seconds = min(max(0, seconds), 1e12)
        for (limit, length, unit) in [(100.0, 1.0, "s"), (6000, 60, "min"), (172_800, 3600, "h")] where seconds < limit
        {
            return "\(Int(seconds / length)) \(unit)"
        }
        return "\(Int(seconds / 86_400)) d"
    }

    /// How long something took: `12 ms`, `1.3 s`, `5 min`.
    static func duration(_ seconds: Double) -> String {
        if seconds < 1 { return "\(Int((max(0, seconds) * 1000).rounded())) ms" }
        return seconds < 10 ? "\((seconds * 10).rounded() / 10) s" : span(seconds)
    }
}

extension Int {
    /// With commas: `12,345`.
    var grouped: String {
        var digits = Array(String(magnitude))
        var place = digits.count - 3
        while place > 0 {
            digits.insert(",", at: place)
            place -= 3
        }
        return (self < 0 ? "-" : "") + String(digits)
    }

    /// With a noun that has an `s` in the plural.
    func of(_ noun: String) -> String { "\(grouped) \(noun)\(self == 1 ? "" : "s")" }
}
