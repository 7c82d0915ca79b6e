import JobReactorCore
import Testing

// What the tests of schedules use.

/// A time of UTC, `2026-01-01T00:00`, with seconds or without.
func utc(_ text: String) throws -> Timestamp {
    let numbers = text.split { !$0.isNumber }.compactMap { Int64($0) }
    try #require(numbers.count >= 5, "\(text)")
    // Days from 1970 on, one after the other.
    let years = (1970..<numbers[0]).reduce(Int64(0)) { $0 + (isLeap($1) ? 366 : 365) }
    let lengths: [Int64] = [31, isLeap(numbers[0]) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    let days = years + lengths.prefix(Int(numbers[1]) - 1).reduce(0, +) + numbers[2] - 1
    let seconds = days * 86_400 + numbers[3] * 3600 + numbers[4] * 60 + (numbers.count > 5 ? numbers[5] : 0)
    return Timestamp(microseconds: seconds * 1_000_000)
}

private func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

extension ScheduleTimes {
    /// The ticks after a time, one after the other.
    func after(_ start: Timestamp, _ count: Int) -> [ScheduleTime] {
        var (ticks, time): ([ScheduleTime], Timestamp) = ([], start)
        while ticks.count < count, let tick = next(after: time, countedFrom: start) {
            ticks.append(tick)
            time = tick.at
        }
        return ticks
    }

    /// As local times without what is the same for all.
    func shown(after start: Timestamp, _ count: Int) -> [String] {
        after(start, count).map { tick in
            let time = tick.local.hasSuffix("+00:00") ? String(tick.local.dropLast(6)) : tick.local
            return time.hasSuffix(":00") && time.split(separator: ":").count == 3 ? String(time.dropLast(3)) : time
        }
    }
}

/// The rules of a zone of this machine; nil where it has none, as some test machines.
func zone(_ name: String) -> ZoneRules? { try? ZoneDatabase.system.rules(of: name) }
