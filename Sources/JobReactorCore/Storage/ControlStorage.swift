/// A storage that keeps what decides when jobs run, too: pauses, schedules and which of their ticks are made, the starts that
/// limits count.
///
/// Of a storage that is none it is in memory, and ends with the process. `StorageConformance` in JobReactorTesting checks all
/// that this page says, in its `controlChecks`.
public protocol ControlStorage: JobStorage {
    /// Applies changes in their order and stores new jobs as ``JobStorage/save(_:done:)`` does, all of it or nothing. `done` gets
    /// the ids that were new.
    func change(
        _ changes: [ControlChange], saving jobs: [Job],
        done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void)

    /// All that is kept, in the order of kinds and names.
    func controls(done: @escaping @Sendable (Result<[StoredControl], StorageError>) -> Void)
}

/// A storage whose place several distributors share: one of them leads, and makes the ticks of all schedules there.
///
/// What is kept of schedules (``StoredControl/Kind/isShared``) is the place's, not the owner's. Who does not lead cannot change it: the
/// call fails with ``StorageError/Code/held``, and nothing of it is done.
public protocol SharedControlStorage: ControlStorage {
    /// Takes the lead where nobody has it who is alive. `done` gets the name of the other that leads; nil when this one does.
    func lead(done: @escaping @Sendable (Result<String?, StorageError>) -> Void)

    /// Stores new jobs as ``JobStorage/save(_:done:)`` does, each of which has a key, but none whose key a job has that is stored at this
    /// place, by whomever. `done` gets the ids of those that were not stored for that, with those of the jobs that have their keys.
    func saveUnique(_ jobs: [Job], done: @escaping @Sendable (Result<[JobID: JobID], StorageError>) -> Void)

    /// `done` gets those of the jobs that are unfinished, as far as the records of all distributors of this place say it, and for those
    /// that nodes of this place own, the records of these.
    func unfinished(_ ids: [JobID], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void)

    /// Those jobs of this owner do not hold their keys any more. A key whose job is not stored any more is free anyhow.
    func freeKeys(
        _ keys: [(key: UniqueKey, job: JobID)], done: @escaping @Sendable (Result<Void, StorageError>) -> Void)
}

/// Something that decides when jobs run: one of each kind and name.
public struct StoredControl: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable, Codable {
        /// Who has paused the jobs of that name, and when.
        case pausedJob = "paused_job"
        /// Who has paused the node of that name, and when.
        case pausedNode = "paused_node"
        /// A schedule that was set by command.
        case schedule
        /// Which ticks of the schedule of that name are made.
        case ticks
        /// When runs began that a limit counts.
        case starts

        /// Whether it is kept for all who share a place, and changed by the one that leads.
        public var isShared: Bool {
            switch self {
            case .schedule, .ticks: true
            case .pausedJob, .pausedNode, .starts: false
            }
        }
    }

    /// Which of all it is.
    public struct Key: Hashable, Sendable, Comparable {
        public var kind: Kind
        /// A name as jobs have; see ``Name``.
        public var name: String

        public init(_ kind: Kind, _ name: String) {
            self.kind = kind
            self.name = name
        }

        /// Bytes count, as everywhere but in Swift: two names that only look the same are two.
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
    /// What is kept of it, any bytes.
    public var value: [UInt8]

    public init(_ key: Key, _ value: [UInt8]) {
        self.key = key
        self.value = value
    }
}

/// One change of what is kept.
public enum ControlChange: Hashable, Sendable {
    /// It is this from now on.
    case set(StoredControl)
    /// There is none of it any more.
    case remove(StoredControl.Key)

    public var key: StoredControl.Key {
        switch self {
        case .set(let control): control.key
        case .remove(let key): key
        }
    }
}
