public import JobReactorCore
public import Logging

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// One thread with one Lua state, which runs jobs one at a time: globals of the scripts need no locks.
///
/// All methods may be called from any thread. Hand-over is batched both ways: the thread is woken once for all runs that
/// come while it sleeps, and the owner is told once of all outcomes that come before it looks.
public final class LuaLane: Sendable {
    /// A run to do.
    public struct Run: Sendable {
        /// The record with its run begun.
        public var job: Job
        /// JSON for `args.job_itself`; nil to leave it out.
        public var jobItself: [UInt8]?

        public init(job: Job, jobItself: [UInt8]? = nil) {
            self.job = job
            self.jobItself = jobItself
        }
    }

    /// A run that is done.
    public struct Outcome: Sendable {
        public var job: Job
        public var outcome: RunOutcome
    }

    public struct Options: Sendable {
        public var directory: JobDirectory
        /// Bytes that the Lua state may allocate; 0 for no limit.
        public var memoryLimit: Int
        public var logger: Logger

        public init(directory: JobDirectory, memoryLimit: Int = 0, logger: Logger) {
            self.directory = directory
            self.memoryLimit = memoryLimit
            self.logger = logger
        }
    }

    private let options: Options
    private let queue = LaneQueue<Run>()
    private let outcomes = Locked<[Outcome]>([])
    private let onOutcomes: @Sendable () -> Void

    /// `onOutcomes` is called on the lane's thread when there are outcomes to take and there were none before.
    public init(_ options: Options, onOutcomes: @escaping @Sendable () -> Void) {
        self.options = options
        self.onOutcomes = onOutcomes
    }

    /// Starts the thread, which loads the scripts first. `loaded` is called on it, once; after a failure the thread ends.
    public func start(loaded: @escaping @Sendable (Result<ScriptReport, ScriptError>) -> Void) {
        let thread = LaneThread {
            let generation: LuaGeneration
            do throws(ScriptError) {
                generation = try LuaGeneration.load(
                    self.options.directory, memoryLimit: self.options.memoryLimit, logger: self.options.logger)
            } catch {
                return loaded(.failure(error))
            }
            loaded(.success(generation.report))
            self.work(generation)
        }
        if !thread.start() {
            loaded(.failure(ScriptError("cannot start a thread: raise the limit of threads (ulimit -u)")))
        }
    }

    /// Gives the lane runs to do, in order.
    public func submit(_ runs: [Run]) {
        queue.append(runs)
    }

    /// Takes the outcomes there are.
    public func takeOutcomes() -> [Outcome] {
        outcomes.withLock { outcomes in
            defer { outcomes = [] }
            return outcomes
        }
    }

    /// Takes back the runs that have not begun.
    public func withdraw() -> [Run] { queue.withdraw() }

    /// Ends the thread after the job that it runs now.
    public func stop() { queue.close() }

    private func work(_ generation: LuaGeneration) {
        while let run = queue.take() {
            let outcome = Outcome(job: run.job, outcome: generation.run(run.job, jobItself: run.jobItself))
            let isFirst = outcomes.withLock { outcomes in
                outcomes.append(outcome)
                return outcomes.count == 1
            }
            if isFirst { onOutcomes() }
        }
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
