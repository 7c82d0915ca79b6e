internal import JobReactorCore

/// What all Lua states of a process share: `shared` of the scripts. Each call is done as a whole; from any thread.
public final class SharedDictionary: Sendable {
    fileprivate struct Entry {
        var value: ScriptValue
        /// Microseconds of the monotonic clock; nil for never.
        var expires: Int64?
    }

    fileprivate struct Contents {
        var entries: [[UInt8]: Entry] = [:]
        var expiring = TimerQueue<[UInt8]>()
    }

    private let contents = Locked(Contents())

    public init() {}

    private static var now: Int64 { MonotonicClock.now / 1000 }

    public func get(_ key: [UInt8]) -> ScriptValue {
        contents.withLock { contents in
            contents.expire(at: Self.now)
            return contents.entries[key]?.value ?? .nil
        }
    }

    /// Nil removes. `ttl` is in seconds.
    public func set(_ key: [UInt8], _ value: ScriptValue, ttl: Double?) {
        contents.withLock { $0.set(key, value, ttl: ttl, now: Self.now) }
    }

    /// Only when there is none; returns whether it was set.
    public func add(_ key: [UInt8], _ value: ScriptValue, ttl: Double?) -> Bool {
        contents.withLock { contents in
            contents.expire(at: Self.now)
            guard contents.entries[key] == nil else { return false }
            contents.set(key, value, ttl: ttl, now: Self.now)
            return true
        }
    }

    /// Adds to a number, which is 0 where there is none; `ttl` counts for one that is made. Nil when there is something else.
    public func increment(_ key: [UInt8], by step: ScriptValue, ttl: Double?) -> ScriptValue? {
        contents.withLock { contents in
            contents.expire(at: Self.now)
            guard let known = contents.entries[key] else {
                contents.set(key, step, ttl: ttl, now: Self.now)
                return step
            }
            guard let sum = known.value.adding(step) else { return nil }
            contents.entries[key]?.value = sum
            return sum
        }
    }

    /// Returns whether there was one.
    public func delete(_ key: [UInt8]) -> Bool {
        contents.withLock { contents in
            contents.expire(at: Self.now)
            return contents.entries.removeValue(forKey: key) != nil
        }
    }

    public var count: Int { contents.withLock { $0.entries.count } }
}

extension SharedDictionary.Contents {
    fileprivate mutating func expire(at now: Int64) {
        while let key = expiring.popDue(at: Timestamp(microseconds: now)) {
            if let expires = entries[key]?.expires, expires <= now { entries[key] = nil }
        }
    }

    fileprivate mutating func set(_ key: [UInt8], _ value: ScriptValue, ttl: Double?, now: Int64) {
        expire(at: now)
        guard value != .nil else {
            entries[key] = nil
            return
        }
        let expires = ttl.map { Timestamp(microseconds: now).advanced(bySeconds: max(0, $0)).microseconds }
        entries[key] = .init(value: value, expires: expires)
        if let expires { expiring.insert(key, due: Timestamp(microseconds: expires)) }
        guard expiring.count > 1000, expiring.count > 2 * entries.count else { return }
        let entries = entries
        // Of keys that are set again and again only the last time counts.
        var kept = TimerQueue<[UInt8]>()
        for (key, entry) in entries {
            if let expires = entry.expires { kept.insert(key, due: Timestamp(microseconds: expires)) }
        }
        expiring = kept
    }
}

extension ScriptValue {
    /// Nil for what is no number.
    fileprivate func adding(_ other: ScriptValue) -> ScriptValue? {
        if case .integer(let left) = self, case .integer(let right) = other { return .integer(left &+ right) }
        guard let left = double, let right = other.double else { return nil }
        return .number(left + right)
    }
}
