/// A storage that also keeps the controls of when jobs run: pauses, schedules with their past ticks, and the starts
/// that limits count.
///
/// With other storages the controls are in memory, and end with the process. `controlChecks` of `StorageConformance` in
/// JobReactorTesting check this contract.
public protocol ControlStorage: JobStorage {
    /// Applies changes in order and stores new jobs as ``JobStorage/save(_:done:)`` does, all or nothing. `done` gets
    /// the ids that were new.
    func change(
        _ changes: [ControlChange], saving jobs: [Job],
        done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void)

    /// All controls, in order of kinds and names.
    func controls(done: @escaping @Sendable (Result<[StoredControl], StorageError>) -> Void)
}

/// A storage at a place that several distributors share. One of them leads, and makes the ticks of all schedules there.
///
/// What is kept of schedules (``StoredControl/Kind/isShared``) belongs to the place, not to the owner. Without the lead
/// a change fails with ``StorageError/Code/held`` and has no effect.
public protocol SharedControlStorage: ControlStorage {
    /// Takes the lead if no living distributor has it. `done` gets the name of the other leader; nil if this one leads.
    func lead(done: @escaping @Sendable (Result<String?, StorageError>) -> Void)

    /// Stores new jobs with unique keys as ``JobStorage/save(_:done:)`` does, except jobs whose key is held by a job of
    /// any owner at this place. `done` gets the ids of the jobs that were not stored, with the ids of the holders.
    func saveUnique(_ jobs: [Job], done: @escaping @Sendable (Result<[JobID: JobID], StorageError>) -> Void)

    /// `done` gets those of the jobs that are unfinished, according to the records of all distributors of this place and,
    /// for jobs that nodes of this place own, the records of these nodes.
    func unfinished(_ ids: [JobID], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void)

    /// Releases the keys of these jobs of this owner. A key whose job is no longer stored is free in any case.
    func freeKeys(
        _ keys: [(key: UniqueKey, job: JobID)], done: @escaping @Sendable (Result<Void, StorageError>) -> Void)
}

/// A control of when jobs run; there is one for each kind and name.
public struct StoredControl: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable, Codable {
        /// The pause of the jobs of that name.
        case pausedJob = "paused_job"
        /// The pause of the node of that name.
        case pausedNode = "paused_node"
        /// A schedule that was set by command.
        case schedule
        /// The state of the ticks of the schedule of that name.
        case ticks
        /// The start times that a limit counts.
        case starts

        /// Whether all owners of a place share it, and only the leader changes it.
        public var isShared: Bool {
            switch self {
            case .schedule, .ticks: true
            case .pausedJob, .pausedNode, .starts: false
            }
        }
    }

    /// The identity of a control.
    public struct Key: Hashable, Sendable, Comparable {
        public var kind: Kind
        /// A name; see ``Name``.
        public var name: String

        public init(_ kind: Kind, _ name: String) {
            self.kind = kind
            self.name = name
        }

        /// Compares bytes, unlike Swift's strings: two names that only look the same are different.
        public static func == (left: Key, right: Key) -> Bool {
            left.kind == right.kind && left.name.utf8.elementsEqual(right.name.utf8)
        }

        public func hash(into hasher: inout Hasher) {
            hasher.combine(kind)
            hasher.combine(name)
        }

        public static func < (left: Key, right: Key) -> Bool {
            if left.kind != right.kind { return left.kind.rawValue < right.kind.rawValue }
            return left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
        }
    }

    public var key: Key
    /// The stored value, any bytes.
    public var value: [UInt8]

    public init(_ key: Key, _ value: [UInt8]) {
        self.key = key
        self.value = value
    }
}

/// One change of a control.
public enum ControlChange: Hashable, Sendable {
    /// Sets the control.
    case set(StoredControl)
    /// Removes the control.
    case remove(StoredControl.Key)

    public var key: StoredControl.Key {
        switch self {
        case .set(let control): control.key
        case .remove(let key): key
        }
    }
}
