internal import CLuaShim
internal import JobReactorCore

/// The common memory limit of the Lua states of a process and their shared values. From any thread.
///
/// `@unchecked Sendable`: the budget is made once, and C lets any thread use it.
public final class LuaMemory: @unchecked Sendable {
    /// Bytes; 0 for no limit.
    public let limit: Int
    /// Nil where the process had no memory for it: then there is no limit.
    let budget: OpaquePointer?

    /// `limit` is in bytes, 0 for no limit.
    public init(limit: Int) {
        self.limit = max(0, limit)
        budget = jr_budget_make(self.limit)
    }

    deinit { jr_budget_free(budget) }

    /// The bytes in use; a state takes them in portions of 256 KiB.
    public var used: Int { budget.map { Int(clamping: jr_budget_used($0)) } ?? 0 }

    /// Takes bytes for something beside Lua; false when so many are not left.
    func take(_ bytes: Int) -> Bool {
        let isTaken = budget.map { jr_budget_take($0, bytes) } ?? true
        if !isTaken { tellShortage() }
        return isTaken
    }

    func give(_ bytes: Int) {
        if let budget { jr_budget_give(budget, bytes) }
    }

    // MARK: Shortage

    private struct Shortage: Sendable {
        var collectors: [@Sendable () -> Void] = []
        var told = Int64.min
    }

    private let shortage = Locked(Shortage())

    /// How often states were refused what they asked for.
    var refusals: UInt64 { budget.map { jr_budget_refusals($0) } ?? 0 }

    /// What collects the garbage of other states when one is short of memory: it must return at once.
    func whenShort(_ collect: @escaping @Sendable () -> Void) { shortage.withLock { $0.collectors.append(collect) } }

    /// A state was refused memory, which others may have for garbage. Once a second is often enough.
    func tellShortage() {
        let now = MonotonicClock.now
        let collectors: [@Sendable () -> Void] = shortage.withLock { shortage in
            guard shortage.told < now - 1_000_000_000 else { return [] }
            shortage.told = now
            return shortage.collectors
        }
        for collect in collectors { collect() }
    }
}
