public import JobReactorCore
private import Logging

/// Threads with a Lua state each that run jobs, one at a time on each thread, until the job ends or suspends. The
/// *reactor lane* has one thread, so that globals of scripts need no locks; the *defer lane* has several, for jobs that
/// would block others.
///
/// All methods may be called from any thread. Both directions are batched: a thread is woken once for all runs that
/// arrive while it sleeps, and the owner is notified once for all results until it takes them.
public final class LuaLane: Sendable {
    let options: Options
    let queue: LaneQueue<Run, LaneEvent>
    private let results = Locked(Mailbox(Results()))
    private let interrupters = Locked<[Int: LuaGeneration.Interrupter]>([:])
    private let isStarted = Locked(false)
    private let open = Locked(0)
    let watched = LaneChores()
    private let onResults: @Sendable () -> Void
    let context: ScriptContext

    /// `onResults` is called on a thread of the lane when the first result is available after the last
    /// ``takeResults()``.
    public init(_ options: Options, onResults: @escaping @Sendable () -> Void) {
        self.options = options
        self.onResults = onResults
        queue = LaneQueue(workers: options.threads) { ($0.job.name, Int($0.priority)) }
        context = ScriptContext(options)
    }

    /// Starts the threads, which first load the scripts. `loaded` is called once, on the first thread, which ends after
    /// a failure. The others retry every second.
    public func start(loaded: @escaping @Sendable (Result<ScriptReport, ScriptError>) -> Void) {
        isStarted.withLock { $0 = true }
        options.memory.whenShort { [weak self] in self?.collectGarbage() }
        for number in 0..<options.threads {
            let tell = number == 0 ? loaded : nil
            let thread = LaneThread { LaneWorker(number, of: self, self.options).live(loaded: tell) }
            if !thread.start() {
                let error = ScriptError("cannot start a thread: raise the limit of threads (ulimit -u)")
                if number == 0 { loaded(.failure(error)) } else { options.logger.error("\(error)") }
            }
        }
    }

    /// Loads the last snapshot of the folder beside the current scripts, on the calling thread. New runs use it;
    /// current runs end in their generation. Throws if there is not enough memory; then nothing changes. Does nothing,
    /// and returns nil, on a lane that was not started.
    public func reload() throws(ScriptError) -> ScriptReport? {
        guard isStarted.withLock({ $0 }) else { return nil }
        var loaded: [LuaGeneration.Parcel] = []
        var report: ScriptReport?
        for _ in 0..<options.threads {
            let generation = try loadGeneration()
            report = report ?? generation.report
            loaded.append(LuaGeneration.Parcel(generation))
        }
        for (worker, parcel) in loaded.enumerated() { queue.post(.generation(parcel), to: worker, isUrgent: true) }
        return report
    }

    /// The number of open Lua states: one for each thread, and those of earlier generations with suspended runs.
    public var stateCount: Int { open.withLock { $0 } }

    /// Adds runs: higher priorities go first, names of jobs take turns, and runs of one name keep their order.
    public func submit(_ runs: [Run]) {
        queue.append(runs)
    }

    /// Returns and removes all results.
    public func takeResults() -> Results {
        results.withLock { $0.take() }
    }

    /// Removes and returns the runs that have not begun, in the order of their turns. Runs that wait for their errbacks
    /// have begun.
    public func withdraw() -> [Run] { queue.withdraw { $0.raised == nil } }

    /// The jobs whose runs have not begun, in no order.
    public var waitingJobs: [JobID] { queue.unbegun.map(\.job.id) }

    /// Cancels the run of a job. A run that has not begun is removed and returned; a current run is interrupted, a
    /// suspended run is ended, and its outcome arrives as usual.
    public func cancel(_ id: JobID) -> Run? {
        if let run = queue.withdrawOne(where: { $0.job.id == id }) { return run }
        for (worker, run) in queue.workersAt({ $0.job.id == id }) {
            interrupters.withLock { $0[worker]?.cancel(run.number) }
        }
        // It may pause, or be about to.
        for worker in 0..<options.threads { queue.post(.cancel(id), to: worker) }
        return nil
    }

    /// Makes `job.stopping()` of scripts return true.
    public func announceStop() { context.announceStop() }

    /// Ends each thread after its current job; runs that have not begun and suspended runs are dropped.
    public func stop() { queue.close() }

    // MARK: Runs that take long

    /// A current run on one of the threads.
    public struct Slice: Sendable {
        public var job: Job
        public var number: UInt64
        /// Since it began to run, or ran on after a pause.
        public var seconds: Double
        /// The place of a call into Lua's libraries that has not returned, such as `jobs.lua:3 in os.execute`; nil for
        /// none that may take long.
        public var call: String?
        /// Whether ``warn(_:)`` has asked for its place and it has not answered, because it is in C.
        public var isSilent: Bool
        /// Where it was within C when it was last asked, as `jobs.lua:3 in receive`; nil where that was not to be seen.
        public var site: String?
        /// Where it is, as far as that is known.
        public var place: String? { call ?? site }
        fileprivate var worker: Int
    }

    /// What runs now.
    public var slices: [Slice] {
        let now = MonotonicClock.now
        return queue.workersAt { _ in true }.compactMap { worker, run in
            guard let activity = interrupters.withLock({ $0[worker]?.activity }), activity.began != 0 else {
                return nil
            }
            return Slice(
                job: run.job, number: run.number, seconds: Double(now - activity.began) / 1e9, call: activity.call,
                isSilent: activity.asked == run.number, site: activity.site, worker: worker)
        }
    }

    /// Makes the run log its place at its next Lua instruction. A run in C is ``Slice/isSilent`` until then.
    public func warn(_ slice: Slice) { interrupters.withLock { $0[slice.worker]?.warn(slice.number) } }

    /// Raises an error in the run, because it took too long without suspension. Lua code gets it at its next
    /// instruction; C code is not interrupted.
    public func end(_ slice: Slice) { interrupters.withLock { $0[slice.worker]?.endSlice(slice.number) } }

    /// Each thread collects the garbage of its states, when it has come to the end of what it is at.
    private func collectGarbage() {
        for worker in 0..<options.threads { queue.post(.collectGarbage, to: worker, isUrgent: true) }
    }

    // MARK: From the workers

    func use(_ interrupter: LuaGeneration.Interrupter?, on worker: Int) {
        interrupters.withLock { $0[worker] = interrupter }
    }

    func noteStates(_ change: Int) { open.withLock { $0 += change } }

    func put(_ change: (inout Results) -> Void) {
        let wakes = results.withLock { $0.put(change) }
        if wakes { onResults() }
    }
}

/// What a worker is told of between runs.
enum LaneEvent: Sendable {
    /// What a pause waits for has come.
    case answer(generation: Int, token: UInt64, Result<[ScriptValue], ScriptFailure>)
    case cancel(JobID)
    /// Scripts to use from now on.
    case generation(LuaGeneration.Parcel)
    case collectGarbage
}
