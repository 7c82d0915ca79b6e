internal import JobReactorCore

extension LuaLane {
    /// The work of a state outside runs.
    public struct Chore: Sendable {
        public enum Kind: Sendable {
            case loading
            /// A script hangs and cannot be interrupted: the others were loaded on another thread, and this thread does
            /// nothing more.
            case abandoned
            /// The last finalizers (`__gc`) run.
            case closing
        }

        public var kind: Kind
        /// Tells the chores of the process apart.
        public var number: UInt64
        /// The script that is loaded.
        public var script: String?
        /// The place of a call into C that has not returned, such as `jobs.lua:3 in io.open`; nil if none is known.
        public var call: String?
        /// Since the script began, or the finalizers.
        public var seconds: Double
    }

    /// What is loaded or closed now, and runs code of scripts.
    public var chores: [Chore] { watched.all }
}

/// The chores of a lane, for whoever looks from another thread. From any thread.
final class LaneChores: Sendable {
    private struct Entry: Sendable {
        var kind: LuaLane.Chore.Kind
        var scripts: [String]
        var state: LuaGeneration.Interrupter
    }

    private let entries = Locked<[UInt64: Entry]>([:])
    private static let last = Locked<UInt64>(0)

    static func nextNumber() -> UInt64 {
        last.withLock { last in
            last += 1
            return last
        }
    }

    /// The state must not be freed before ``end(_:)``.
    func begin(
        _ kind: LuaLane.Chore.Kind, _ number: UInt64, _ state: LuaGeneration.Interrupter, scripts: [String] = []
    ) {
        entries.withLock { $0[number] = Entry(kind: kind, scripts: scripts, state: state) }
    }

    func end(_ number: UInt64) { entries.withLock { $0[number] = nil } }

    var all: [LuaLane.Chore] {
        let now = MonotonicClock.now
        return entries.withLock { entries in
            entries.sorted { $0.key < $1.key }.compactMap { number, entry in
                let activity = entry.state.activity
                guard activity.began != 0 else { return nil }
                return LuaLane.Chore(
                    kind: entry.kind, number: number,
                    script: activity.script.flatMap { entry.scripts.indices.contains($0) ? entry.scripts[$0] : nil },
                    call: activity.place, seconds: Double(now - activity.began) / 1e9)
            }
        }
    }

    /// A script that hangs, by its index among those that are loaded; nil where finalizers do.
    struct Hang {
        var script: Int?
        var call: String?
        var seconds: Double
    }

    /// Seconds after which what was to be interrupted has been, unless it is within C.
    private static let patience = 2.0

    /// Abandons a load that hangs; nil if none does.
    func abandon(_ number: UInt64) -> Hang? {
        let now = MonotonicClock.now
        return entries.withLock { entries in
            guard let activity = entries[number]?.state.activity, activity.began != 0, activity.deadline != 0,
                Double(now - activity.deadline) / 1e9 > Self.patience
            else { return nil }
            entries[number]?.kind = .abandoned
            return Hang(
                script: activity.script, call: activity.place, seconds: Double(now - activity.began) / 1e9)
        }
    }
}
