public import JobReactorCore
public import JobReactorWire
public import Logging
public import NIOCore
private import NIOPosix

/// A storage on a Redis server, version 6 or later, or Valkey, for many machines.
///
/// Any number of nodes share a database, each with its own jobs. Calls are pipelined; each is one script inside the
/// server, applied completely or not at all. After a lost connection the storage reconnects, for ever, and sends
/// unanswered calls again: no call is lost, and none is applied twice.
///
/// The settings of the server decide what survives. With `appendonly yes` and `appendfsync always`, neither its crash
/// nor a power cut loses acknowledged changes. With `everysec`, a power cut loses up to two seconds, and so does a
/// crash with a slow disk, because the server answers before it writes while an earlier sync is running. Set
/// `maxmemory-policy noeviction`, or a full server evicts jobs.
///
/// The ownership is a lease: a process that is silent for ``Options/lease`` seconds may lose its jobs to another. The
/// jobs of a killed process are available at once on the same machine, and after the end of its lease on others.
public final class RedisStorage: SharedJobStorage, AuditStorage, ConnectedStorage, SharedControlStorage {
    /// The options of the storage.
    public struct Options: Sendable {
        /// Seconds for which a silent owner keeps its jobs, from 1.
        public var lease: Double
        /// Finished jobs that are kept, at most.
        public var maximumFinished: Int
        /// Seconds for which finished jobs are kept.
        public var maximumFinishedAge: Double
        /// Seconds that opening waits for an unreachable server; infinite for a process that may start before its
        /// server.
        public var patience: Double
        public var logger: Logger
        /// Of a call: a server ends the connection at a command of 2^20.
        var maximumWords = 1_000_000
        /// Seconds that closing waits for the server.
        var closingTime = 10.0
        /// By which finished jobs age.
        var clock = WallClock.system

        public init(
            lease: Double = 15, maximumFinished: Int = 10_000, maximumFinishedAge: Double = 30 * 86_400,
            patience: Double = .infinity, logger: Logger = Logger(label: "jobreactor.redis")
        ) {
            self.lease = max(1, lease)
            self.maximumFinished = max(0, maximumFinished)
            self.maximumFinishedAge = max(0, min(maximumFinishedAge, 1e10))
            self.patience = max(0, patience)
            self.logger = logger
        }

        /// Options whose times are durations; without `patience`, opening waits for the server without a limit.
        @_disfavoredOverload
        public init(
            lease: Duration = .seconds(15), maximumFinished: Int = 10_000,
            maximumFinishedAge: Duration = .seconds(30 * 86_400), patience: Duration? = nil,
            logger: Logger = Logger(label: "jobreactor.redis")
        ) {
            self.init(
                lease: lease.inSeconds, maximumFinished: maximumFinished,
                maximumFinishedAge: maximumFinishedAge.inSeconds, patience: patience?.inSeconds ?? .infinity,
                logger: logger)
        }
    }

    public let location: RedisLocation
    private let loop: any EventLoop
    private let core: NIOLoopBoundBox<RedisCore?>
    private let inbox = Locked(Mailbox<[@Sendable (RedisCore) -> Void]>())
    private let openPlace = Locked<String?>(nil)
    private let reconnects = Locked(0)

    /// A storage that connects when it is opened. `tls` is for `rediss://` (nil trusts the system's authorities).
    /// `group` is the application's event loop group, ideally that of its node, so that calls need no change of
    /// threads.
    public init(
        _ location: RedisLocation, options: Options = Options(), tls: TransportSecurity? = nil,
        on group: (any EventLoopGroup)? = nil
    ) {
        self.location = location
        let loop = (group ?? MultiThreadedEventLoopGroup.singleton).next()
        self.loop = loop
        let core = NIOLoopBoundBox.makeEmptyBox(valueType: RedisCore.self, eventLoop: loop)
        self.core = core
        loop.execute { [reconnects] in
            core.value = RedisCore(location, options, tls: tls, on: loop) { reconnects.withLock { $0 += 1 } }
        }
    }

    deinit {
        let core = core
        loop.execute { core.value?.close {} }
    }

    public var isDurable: Bool { true }

    package var reconnectCount: Int { reconnects.withLock { $0 } }

    public func open(_ owner: StorageOwner, done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        submit { core in
            core.open(owner) { result in
                self.openPlace.withLock { $0 = core.place }
                done(result)
            }
        }
    }

    public var place: String? { openPlace.withLock { $0 } }

    public func abandoned(done: @escaping @Sendable (Result<[String], StorageError>) -> Void) {
        submit { $0.abandoned(done) }
    }

    public func adopt(
        _ node: String, defining names: Set<String>, after id: JobID?, limit: Int,
        done: @escaping @Sendable (Result<AdoptedJobs, StorageError>) -> Void
    ) {
        submit { $0.adopt(node, defining: names, after: id, limit: limit, done) }
    }

    public func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        submit { $0.save(jobs, done) }
    }

    public func apply(_ changes: [JobChange], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        submit { $0.apply(changes, done) }
    }

    public func load(_ id: JobID, done: @escaping @Sendable (Result<Job?, StorageError>) -> Void) {
        submit { $0.load(id, done) }
    }

    public func jobs(after id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void) {
        submit { $0.jobs(after: id, limit: limit, done) }
    }

    public func jobs(before id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void) {
        submit { $0.jobs(before: id, limit: limit, done) }
    }

    public func reports(
        after key: JobReport.Key?, limit: Int, done: @escaping @Sendable (Result<[StoredReport], StorageError>) -> Void
    ) {
        submit { $0.reports(after: key, limit: limit, done) }
    }

    public func note(_ entries: [AuditEntry], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        submit { $0.note(entries, done) }
    }

    public func audit(limit: Int, done: @escaping @Sendable (Result<[AuditEntry], StorageError>) -> Void) {
        submit { $0.audit(limit: limit, done) }
    }

    public func change(
        _ changes: [ControlChange], saving jobs: [Job],
        done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void
    ) {
        submit { $0.change(changes, saving: jobs, done) }
    }

    public func lead(done: @escaping @Sendable (Result<String?, StorageError>) -> Void) {
        submit { $0.lead(done) }
    }

    public func saveUnique(
        _ jobs: [Job], done: @escaping @Sendable (Result<[JobID: JobID], StorageError>) -> Void
    ) {
        submit { $0.saveUnique(jobs, done) }
    }

    public func unfinished(_ ids: [JobID], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        submit { $0.unfinished(ids, done) }
    }

    public func freeKeys(
        _ keys: [(key: UniqueKey, job: JobID)], done: @escaping @Sendable (Result<Void, StorageError>) -> Void
    ) {
        submit { $0.freeKeys(keys, done) }
    }

    public func controls(done: @escaping @Sendable (Result<[StoredControl], StorageError>) -> Void) {
        submit { $0.controls(done) }
    }

    public func close(done: @escaping @Sendable () -> Void) {
        submit { $0.close(done) }
    }

    /// The loop is woken once for all that come before it looks.
    private func submit(_ call: @escaping @Sendable (RedisCore) -> Void) {
        let wakes = inbox.withLock { inbox in inbox.put { $0.append(call) } }
        if wakes { loop.execute { self.drain() } }
    }

    private func drain() {
        let calls = inbox.withLock { $0.take() }
        guard let core = core.value else { return }
        for call in calls { call(core) }
    }
}
