import JobReactorCore
import JobReactorTesting
import Testing

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Ticks around changes of the offset, told by `ScheduleTimes` and by one that walks the minutes.
///
/// `JOBREACTOR_CRON_ZONES=all` looks at every change of every zone of the machine from 2000 to 2040; else some of them are
/// drawn.
@Suite struct ScheduleTimesModelTests {
    /// A change of the offset in some zone.
    private struct Change {
        let name: String
        let zone: ZoneRules
        let span: ZoneRules.Span
    }

    private static let isWhole = ProcessInfo.processInfo.environment["JOBREACTOR_CRON_ZONES"] == "all"
    /// The first seconds of 2000 and of 2041.
    private static let years: ClosedRange<Int64> = 946_684_800...2_240_611_200

    private static func changes() throws -> [Change] {
        var known: Set<ZoneRules> = []
        var changes: [Change] = []
        for name in ZoneDatabase.system.names {
            let zone = try ZoneDatabase.system.rules(of: name)
            // Many names have the same rules.
            guard known.insert(zone).inserted else { continue }
            var span = zone.span(at: years.lowerBound)
            while span.end < years.upperBound {
                span = zone.span(at: span.end)
                changes.append(Change(name: name, zone: zone, span: span))
            }
        }
        return changes
    }

    @Test("around a change of the offset the ticks are those that a walk over the minutes finds")
    func minutes() throws {
        let changes = try Self.changes()
        guard !changes.isEmpty else { return }
        var random = SeededGenerator(seed: 2040)
        let drawn = Self.isWhole ? changes : (0..<60).compactMap { _ in changes.randomElement(using: &random) }
        for change in drawn {
            let walk = Walk(around: change.span.start, hours: 30, step: 60, in: change.zone)
            for _ in 0..<4 {
                try Self.compare(change, walk, RandomSpec(near: walk, hasSeconds: false, using: &random), &random)
            }
        }
    }

    @Test("so are those of specs with seconds")
    func seconds() throws {
        let changes = try Self.changes()
        guard !changes.isEmpty else { return }
        var random = SeededGenerator(seed: 2041)
        for _ in 0..<(Self.isWhole ? 500 : 10) {
            guard let change = changes.randomElement(using: &random) else { return }
            // Long enough to have both passes of what comes twice.
            let walk = Walk(around: change.span.start, hours: 4, step: 1, in: change.zone)
            try Self.compare(change, walk, RandomSpec(near: walk, hasSeconds: true, using: &random), &random)
        }
    }

    private static func compare(
        _ change: Change, _ walk: Walk, _ spec: RandomSpec, _ random: inout SeededGenerator
    ) throws {
        let matches = walk.matches(of: spec)
        guard let parsed = ScheduleSpec(spec.text) else {
            // One of those that are never due.
            try #require(matches.readings.isEmpty && matches.skipped.isEmpty, "'\(spec.text)'")
            return
        }
        for gap in DaylightGap.allCases {
            for repetition in DaylightRepeat.allCases {
                let times = ScheduleTimes(parsed, in: change.zone, gap: gap, repetition: repetition)
                let expected = walk.ticks(matches, namesHours: spec.namesHours, gap, repetition)
                // From the begin on one after the other, and from anywhere.
                var found: [Tick] = []
                var time = walk.inner.lowerBound
                while let next = times.next(after: at(time), countedFrom: at(0)), next.at <= at(walk.inner.upperBound) {
                    time = next.at.microseconds / 1_000_000
                    found.append(Tick(at: time, rule: next.rule))
                    if found.count > expected.count { break }
                }
                let note = Comment("'\(spec.text)' in \(change.name) at \(change.span.start), \(gap), \(repetition)")
                try #require(found == expected, note)
                for _ in 0..<3 {
                    let start = Int64.random(in: walk.inner, using: &random)
                    let next = times.next(after: at(start), countedFrom: at(0))
                    let first = expected.first { $0.at > start }
                    let isInside = next.map { $0.at <= at(walk.inner.upperBound) } ?? false
                    try #require(isInside == (first != nil), note)
                    if let next, let first { try #require(next.at == at(first.at), note) }
                }
            }
        }
    }

    private static func at(_ seconds: Int64) -> Timestamp { Timestamp(microseconds: seconds * 1_000_000) }
}

private struct Tick: Hashable {
    var at: Int64
    var rule: ScheduleTime.Rule?
}

/// What clocks on the wall show from one time to another, step by step.
private struct Walk {
    struct Reading {
        let at: Int64
        /// Seconds since 1970, as the clock shows them.
        let local: Int64
        let fields: Fields
    }

    /// What a clock and a calendar show.
    struct Fields {
        var second, minute, hour, day, month, weekday: Int
    }

    private(set) var readings: [Reading] = []
    /// Readings that are left out, with the first time after them.
    private(set) var skipped: [Reading] = []
    /// How often a local time is shown.
    private var passes: [Int64: [Int64]] = [:]
    /// Times whose local times are all shown within the walk.
    let inner: ClosedRange<Int64>

    init(around middle: Int64, hours: Int64, step: Int64, in zone: ZoneRules) {
        let start = (middle - hours * 3600) / 60 * 60
        inner = middle - (hours - 2) * 3600...middle + (hours - 2) * 3600
        var calendar = SlowCalendar()
        for time in stride(from: start, through: middle + hours * 3600, by: Int(step)) {
            let local = time + Int64(zone.offset(at: Timestamp(microseconds: time * 1_000_000)))
            if let last = readings.last?.local, local > last + step {
                for missing in stride(from: last + step, to: local, by: Int(step)) {
                    skipped.append(Reading(at: time, local: missing, fields: calendar.fields(missing)))
                }
            }
            readings.append(Reading(at: time, local: local, fields: calendar.fields(local)))
            passes[local, default: []].append(time)
        }
    }

    func matches(of spec: RandomSpec) -> (readings: [Reading], skipped: [Reading]) {
        (readings.filter { spec.matches($0.fields) }, skipped.filter { spec.matches($0.fields) })
    }

    func ticks(
        _ matches: (readings: [Reading], skipped: [Reading]), namesHours: Bool, _ gap: DaylightGap,
        _ repetition: DaylightRepeat
    ) -> [Tick] {
        var ticks: [Int64: Tick] = [:]
        for reading in matches.readings {
            guard namesHours, let passes = passes[reading.local], passes.count > 1 else {
                ticks[reading.at] = Tick(at: reading.at)
                continue
            }
            let isDue =
                switch repetition {
                case .first: reading.at == passes.first
                case .last: reading.at == passes.last
                case .both: true
                }
            if isDue { ticks[reading.at] = Tick(at: reading.at, rule: .repeat) }
        }
        if namesHours, gap == .run {
            for reading in matches.skipped {
                ticks[reading.at] = Tick(at: reading.at, rule: .gap)
            }
        }
        return ticks.values.filter { inner.contains($0.at) && $0.at > inner.lowerBound }.sorted { $0.at < $1.at }
    }
}

/// A calendar that counts the days from 1970 on.
private struct SlowCalendar {
    private var known: [Int64: (day: Int, month: Int)] = [:]

    mutating func fields(_ local: Int64) -> Walk.Fields {
        let day = local / 86_400
        let date = known[day] ?? date(day)
        known[day] = date
        return Walk.Fields(
            second: Int(local % 60), minute: Int(local / 60 % 60), hour: Int(local / 3600 % 24), day: date.day,
            month: date.month, weekday: Int((day + 4) % 7))
    }

    private func date(_ day: Int64) -> (day: Int, month: Int) {
        var (rest, year) = (Int(day), 1970)
        while true {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            for (index, length) in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
                if rest < length { return (rest + 1, index + 1) }
                rest -= length
            }
            year += 1
        }
    }
}

/// A spec and what it means, made together.
private struct RandomSpec {
    private struct Field {
        var text: String
        var values: Set<Int>
        var isStar = false
        var isRhythm = false
    }

    private let second, minute, hour, day, month, weekday: Field
    let text: String

    var namesHours: Bool { !hour.isRhythm }

    func matches(_ fields: Walk.Fields) -> Bool {
        guard second.values.contains(fields.second), minute.values.contains(fields.minute),
            hour.values.contains(fields.hour), month.values.contains(fields.month)
        else { return false }
        let (isDay, isWeekday) = (day.values.contains(fields.day), weekday.values.contains(fields.weekday))
        return !day.isStar && !weekday.isStar ? isDay || isWeekday : isDay && isWeekday
    }

    /// One that is likely to be due about the middle of the walk.
    init(near walk: Walk, hasSeconds: Bool, using random: inout SeededGenerator) {
        let near = (walk.skipped + walk.readings).randomElement(using: &random)?.fields
        let middle = walk.readings[walk.readings.count / 2].fields
        let skipped = walk.skipped.randomElement(using: &random)?.fields
        let hours = [middle.hour, (middle.hour + 23) % 24, (middle.hour + 1) % 24, skipped?.hour ?? 2, near?.hour ?? 0]
        second = hasSeconds ? Self.field(0...59, [0, 30, 59], &random) : Field(text: "0", values: [0])
        minute = Self.field(0...59, [0, 1, 30, 59, near?.minute ?? 0], &random)
        hour = Self.field(0...23, hours, &random)
        let isAnyDay = Bool.random(using: &random)
        let days = [middle.day, skipped?.day ?? middle.day, near?.day ?? 1]
        day = isAnyDay ? Self.any(1...31) : Self.field(1...31, days, &random)
        month = Bool.random(using: &random) ? Self.any(1...12) : Self.field(1...12, [middle.month], &random)
        weekday = Bool.random(using: &random) ? Self.any(0...6) : Self.field(0...6, [middle.weekday], &random)
        let five = [minute, hour, day, month, weekday]
        // What is left out is the second 0.
        text = (hasSeconds ? [second] + five : five).map(\.text).joined(separator: " ")
    }

    private static func any(_ range: ClosedRange<Int>) -> Field {
        Field(text: "*", values: Set(range), isStar: true, isRhythm: true)
    }

    private static func field(
        _ range: ClosedRange<Int>, _ likely: [Int], _ random: inout SeededGenerator
    ) -> Field {
        func value() -> Int { likely.randomElement(using: &random) ?? range.lowerBound }
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4:
            let value = value()
            return Field(text: "\(value)", values: [value])
        case 4:
            return any(range)
        case 5:
            let step = Int.random(in: 1...min(range.upperBound, 20), using: &random)
            return Field(
                text: "*/\(step)", values: Set(stride(from: range.lowerBound, through: range.upperBound, by: step)),
                isStar: true, isRhythm: true)
        case 6:
            let values = [value(), Int.random(in: range, using: &random)]
            return Field(text: values.map(String.init).joined(separator: ","), values: Set(values))
        case 7:
            let first = value()
            let last = Int.random(in: first...range.upperBound, using: &random)
            return Field(text: "\(first)-\(last)", values: Set(first...last))
        case 8:
            let first = value()
            let last = Int.random(in: first...range.upperBound, using: &random)
            let step = Int.random(in: 1...5, using: &random)
            return Field(
                text: "\(first)-\(last)/\(step)", values: Set(stride(from: first, through: last, by: step)),
                isRhythm: true)
        default:
            let (first, other) = (value(), value())
            return Field(
                text: "\(first),\(other)-\(range.upperBound)", values: Set(other...range.upperBound).union([first]))
        }
    }
}
