internal import JobReactorCore

/// The values that all Lua states of a process share: `shared` in scripts. Each call is atomic; from any thread.
public final class SharedDictionary: Sendable {
    fileprivate struct Entry {
        var value: ScriptValue
        /// Microseconds of the monotonic clock; nil for never.
        var expires: Int64?
    }

    fileprivate struct Contents {
        var entries: [[UInt8]: Entry] = [:]
        var expiring = TimerQueue<[UInt8]>()
        /// The approximate memory of the entries in bytes.
        var bytes = 0
    }

    private let contents = Locked(Contents())
    private let memory: LuaMemory
    private let limit: Int

    /// `limit` is the memory for keys and values in bytes, with 100 bytes more for each entry; it counts towards
    /// `memory`.
    public init(memory: LuaMemory = LuaMemory(limit: 0), limit: Int = .max) {
        self.memory = memory
        self.limit = limit
    }

    deinit { memory.give(bytes) }

    private static var now: Int64 { MonotonicClock.now / 1000 }

    public func get(_ key: [UInt8]) -> ScriptValue {
        change { contents in contents.entries[key]?.value ?? .nil }
    }

    /// Sets a value; nil removes it. `ttl` is in seconds. Returns false, and changes nothing, if there is no room.
    @discardableResult
    public func set(_ key: [UInt8], _ value: ScriptValue, ttl: Double?) -> Bool {
        change { contents in put(key, value, ttl, &contents) }
    }

    /// Sets a value only if there is none and there is room; returns whether it was set.
    public func add(_ key: [UInt8], _ value: ScriptValue, ttl: Double?) -> Bool {
        addIfThereIsRoom(key, value, ttl: ttl) == true
    }

    /// As ``add(_:_:ttl:)``; nil when there is no room.
    func addIfThereIsRoom(_ key: [UInt8], _ value: ScriptValue, ttl: Double?) -> Bool? {
        change { contents in
            guard contents.entries[key] == nil else { return false }
            return put(key, value, ttl, &contents) ? true : nil
        }
    }

    /// Adds to a number, which is 0 if there is none; `ttl` applies to a new number. Nil if the value is not a number,
    /// or there is no room.
    public func increment(_ key: [UInt8], by step: ScriptValue, ttl: Double?) -> ScriptValue? {
        change { contents in
            guard let known = contents.entries[key] else { return put(key, step, ttl, &contents) ? step : nil }
            guard let sum = known.value.adding(step) else { return nil }
            contents.entries[key]?.value = sum
            return sum
        }
    }

    /// Returns whether there was one.
    public func delete(_ key: [UInt8]) -> Bool {
        change { contents in contents.remove(key) }
    }

    public var count: Int { contents.withLock { $0.entries.count } }

    /// The approximate memory of the entries in bytes.
    public var bytes: Int { contents.withLock { $0.bytes } }

    /// Why there is no room.
    var fullText: String {
        if memory.limit > 0, memory.used + 1024 >= memory.limit, bytes < limit - limit / 8 {
            return "no room: all Lua states and shared use the \(Self.text(memory.limit)) that they may use together"
                + " (\(SettingName.memoryLimit))"
        }
        return "no room: shared uses \(Self.text(bytes)) of the \(Self.text(limit)) that it may use"
            + " (\(SettingName.sharedLimit))"
    }

    private static func text(_ bytes: Int) -> String {
        bytes >= 1 << 20 ? "\(bytes >> 20) MiB" : "\(bytes) bytes"
    }

    /// What is over its time goes first; what went is given back.
    private func change<Result: Sendable>(_ body: (inout Contents) -> Result) -> Result {
        contents.withLock { contents in
            let before = contents.bytes
            contents.expire(at: Self.now)
            if contents.bytes < before { memory.give(before - contents.bytes) }
            let held = contents.bytes
            let result = body(&contents)
            if contents.bytes < held { memory.give(held - contents.bytes) }
            return result
        }
    }

    /// False when there is no room. More memory is taken here, less is given back by ``change(_:)``.
    private func put(_ key: [UInt8], _ value: ScriptValue, _ ttl: Double?, _ contents: inout Contents) -> Bool {
        guard value != .nil else {
            _ = contents.remove(key)
            return true
        }
        let growth = Contents.bytes(key, value) - (contents.entries[key].map { Contents.bytes(key, $0.value) } ?? 0)
        if growth > 0, contents.bytes > limit - growth || !memory.take(growth) { return false }
        contents.set(key, value, ttl: ttl, growth: growth, now: Self.now)
        return true
    }
}

extension SharedDictionary.Contents {
    /// What an entry takes, about.
    fileprivate static func bytes(_ key: [UInt8], _ value: ScriptValue) -> Int {
        100 + key.count + (value.payloadCount ?? 0)
    }

    fileprivate mutating func remove(_ key: [UInt8]) -> Bool {
        guard let entry = entries.removeValue(forKey: key) else { return false }
        bytes -= Self.bytes(key, entry.value)
        return true
    }

    fileprivate mutating func expire(at now: Int64) {
        while let key = expiring.popDue(at: Timestamp(microseconds: now)) {
            if let expires = entries[key]?.expires, expires <= now { _ = remove(key) }
        }
    }

    fileprivate mutating func set(_ key: [UInt8], _ value: ScriptValue, ttl: Double?, growth: Int, now: Int64) {
        let expires = ttl.map { Timestamp(microseconds: now).advanced(bySeconds: max(0, $0)).microseconds }
        bytes += growth
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
    /// Of a string or of JSON; nil of what takes no more than itself.
    fileprivate var payloadCount: Int? {
        switch self {
        case .string(let bytes), .json(let bytes): bytes.count
        case .nil, .bool, .integer, .number: nil
        }
    }

    /// Nil for what is no number.
    fileprivate func adding(_ other: ScriptValue) -> ScriptValue? {
        if case .integer(let left) = self, case .integer(let right) = other { return .integer(left &+ right) }
        guard let left = double, let right = other.double else { return nil }
        return .number(left + right)
    }
}
