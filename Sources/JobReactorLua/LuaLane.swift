public import JobReactorCore
public import Logging

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// Threads with a Lua state each, which run jobs one at a time. The *reactor lane* has one thread, so that globals of the
/// scripts need no locks; the *defer lane* has several, for jobs that would hold up the others.
///
/// All methods may be called from any thread. Hand-over is batched both ways: a thread is woken once for all runs that
/// come while it sleeps, and the owner is told once of all that comes out before it looks.
public final class LuaLane: Sendable {
    /// A run to do.
    public struct Run: Sendable {
        /// The record with its run begun.
        public var job: Job
        /// JSON for `args.job_itself`; nil to leave it out.
        public var jobItself: [UInt8]?
        /// Tells the runs of the process apart; never 0.
        public var number: UInt64
        /// Seconds after which the run is interrupted and fails; nil for never.
        public var timeout: Double?
        /// Whether a run that fails comes back as `raised` before its errbacks, so that the failure can be stored.
        public var pauses: Bool
        /// That outcome, when the errbacks are to run.
        public var raised: RunOutcome?

        public init(
            job: Job, jobItself: [UInt8]? = nil, number: UInt64 = 1, timeout: Double? = nil, pauses: Bool = false,
            raised: RunOutcome? = nil
        ) {
            self.job = job
            self.jobItself = jobItself
            self.number = number
            self.timeout = timeout
            self.pauses = pauses
            self.raised = raised
        }
    }

    /// A run that is done, or paused.
    public struct Outcome: Sendable {
        public var job: Job
        public var outcome: RunOutcome
        /// Whether the run has enqueued jobs.
        public var hasEnqueued: Bool

        public init(_ job: Job, _ outcome: RunOutcome, hasEnqueued: Bool = false) {
            self.job = job
            self.outcome = outcome
            self.hasEnqueued = hasEnqueued
        }
    }

    /// What a running job said last of how far it is.
    public struct Note: Sendable {
        public var job: Job
        public var fraction: Double?
        public var text: String
    }

    /// A job that a script enqueued.
    public struct Enqueued: Sendable {
        public var id: JobID
        public var name: String
        public var args: JobArguments
        public var options: JobOptions
        /// The distributor of the job that did it.
        public var distributor: String
    }

    /// What came out since the last look.
    public struct Results: Sendable {
        public var outcomes: [Outcome] = []
        public var notes: [JobID: Note] = [:]
        public var enqueued: [Enqueued] = []

        var isEmpty: Bool { outcomes.isEmpty && notes.isEmpty && enqueued.isEmpty }
    }

    public struct Options: Sendable {
        public var directory: JobDirectory
        /// Bytes that each Lua state may allocate; 0 for no limit.
        public var memoryLimit: Int
        public var threads: Int
        /// Whether scripts can enqueue jobs: whether somebody takes them from the results.
        public var canEnqueue: Bool
        public var logger: Logger

        public init(
            directory: JobDirectory, memoryLimit: Int = 0, threads: Int = 1, canEnqueue: Bool = false, logger: Logger
        ) {
            self.directory = directory
            self.memoryLimit = memoryLimit
            self.threads = max(1, threads)
            self.canEnqueue = canEnqueue
            self.logger = logger
        }
    }

    private let options: Options
    private let queue: LaneQueue<Run>
    private let results = Locked(Results())
    private let interrupters = Locked<[Int: LuaGeneration.Interrupter]>([:])
    private let onResults: @Sendable () -> Void

    /// `onResults` is called on a thread of the lane when there are results to take and there were none before.
    public init(_ options: Options, onResults: @escaping @Sendable () -> Void) {
        self.options = options
        self.onResults = onResults
        queue = LaneQueue(workers: options.threads)
    }

    /// Starts the threads, which load the scripts first. `loaded` is called on the first, once; after a failure that thread
    /// ends. The others try again each second until it works.
    public func start(loaded: @escaping @Sendable (Result<ScriptReport, ScriptError>) -> Void) {
        for worker in 0..<options.threads {
            let tell = worker == 0 ? loaded : nil
            let thread = LaneThread { self.live(worker, loaded: tell) }
            if !thread.start() {
                let error = ScriptError("cannot start a thread: raise the limit of threads (ulimit -u)")
                if worker == 0 { loaded(.failure(error)) } else { options.logger.error("\(error)") }
            }
        }
    }

    /// Gives the lane runs to do, in order.
    public func submit(_ runs: [Run]) {
        queue.append(runs)
    }

    /// Takes what has come out.
    public func takeResults() -> Results {
        results.withLock { results in
            defer { results = Results() }
            return results
        }
    }

    /// Takes back the runs that have not begun. Those whose errbacks are to run have.
    public func withdraw() -> [Run] { queue.withdraw { $0.raised == nil } }

    /// Cancels the run of a job. One that has not begun is taken back, and returned; one under way is interrupted, and its
    /// outcome comes as any other.
    public func cancel(_ id: JobID) -> Run? {
        if let run = queue.withdrawFirst(where: { $0.job.id == id }) { return run }
        for (worker, run) in queue.workersAt({ $0.job.id == id }) {
            interrupters.withLock { $0[worker]?.cancel(run.number) }
        }
        return nil
    }

    /// Ends each thread after the job that it runs now; runs that have not begun, and paused ones, are forgotten.
    public func stop() { queue.close() }

    private func live(_ worker: Int, loaded: (@Sendable (Result<ScriptReport, ScriptError>) -> Void)?) {
        while queue.isOpen {
            do throws(ScriptError) {
                let generation = try LuaGeneration.load(
                    options.directory, memoryLimit: options.memoryLimit, host: LuaHost(self, options))
                loaded?(.success(generation.report))
                return work(worker, generation)
            } catch {
                if let loaded { return loaded(.failure(error)) }
                options.logger.error("\(error); trying again in 1 s")
                sleep(1)
            }
        }
    }

    private func work(_ worker: Int, _ generation: LuaGeneration) {
        interrupters.withLock { $0[worker] = generation.interrupter }
        while let run = queue.take(worker: worker) {
            let (outcome, hasEnqueued) = generation.run(run)
            put { $0.outcomes.append(Outcome(run.job, outcome, hasEnqueued: hasEnqueued)) }
        }
        // The state is closed only when nobody can reach it any more.
        interrupters.withLock { $0[worker] = nil }
    }

    func put(_ change: (inout Results) -> Void) {
        let isFirst = results.withLock { results in
            defer { change(&results) }
            return results.isEmpty
        }
        if isFirst { onResults() }
    }
}

/// A detached thread with room for Lua's C stack.
private final class LaneThread {
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    func start() -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 8 << 20)
        let box = Unmanaged.passRetained(self)
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let result = pthread_create(&thread, &attributes, laneThreadMain, box.toOpaque())
        if result != 0 { box.release() }
        return result == 0
    }

    fileprivate func run() { body() }
}

#if canImport(Darwin)
    private func laneThreadMain(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        Unmanaged<LaneThread>.fromOpaque(context).takeRetainedValue().run()
        return nil
    }
#else
    private func laneThreadMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        if let context { Unmanaged<LaneThread>.fromOpaque(context).takeRetainedValue().run() }
        return nil
    }
#endif
