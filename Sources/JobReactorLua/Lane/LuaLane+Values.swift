public import JobReactorCore
public import Logging

extension LuaLane {
    /// A run for the lane.
    public struct Run: Sendable {
        /// The record at the start of the run.
        public var job: Job
        /// JSON for `args.job_itself`; nil to leave it out.
        public var jobItself: [UInt8]?
        /// The number of the run, unique in the process; never 0.
        public var number: UInt64
        /// Seconds after which the run is interrupted and fails; nil for never.
        public var timeout: Double?
        /// Whether a run that fails comes back as `raised` before its errbacks, so that the failure can be stored.
        public var pauses: Bool
        /// The priority, from 0 (last) to 9 (first).
        public var priority = UInt8(JobPriority.usual)
        /// The failed outcome, if only the errbacks are to run.
        public var raised: RunOutcome? {
            get { rare?.raised }
            set { rare = Rare.of(newValue, trace) }
        }
        /// The span of the run, for requests of its steps to others; nil without tracing.
        public var trace: JobTrace? {
            get { rare?.trace }
            set { rare = Rare.of(raised, newValue) }
        }
        /// Kept apart: few runs have it, and thousands may pause.
        private var rare: Rare?

        private final class Rare: Sendable {
            let raised: RunOutcome?
            let trace: JobTrace?

            private init(_ raised: RunOutcome?, _ trace: JobTrace?) {
                self.raised = raised
                self.trace = trace
            }

            static func of(_ raised: RunOutcome?, _ trace: JobTrace?) -> Rare? {
                raised == nil && trace == nil ? nil : Rare(raised, trace)
            }
        }

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

    /// A run that has ended, or that waits until its failure is stored.
    public struct Outcome: Sendable {
        public var job: Job
        public var outcome: RunOutcome
        /// Whether the run has enqueued jobs.
        public var hasEnqueued: Bool
        /// Whether it was among ``Results/suspended``.
        public var wasSuspended: Bool

        public init(_ job: Job, _ outcome: RunOutcome, hasEnqueued: Bool = false, wasSuspended: Bool = false) {
            self.job = job
            self.outcome = outcome
            self.hasEnqueued = hasEnqueued
            self.wasSuspended = wasSuspended
        }
    }

    /// The latest progress of a running job.
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
        /// The distributor of the job that enqueued it.
        public var distributor: String
    }

    /// The results since the last call.
    public struct Results: Sendable {
        public var outcomes: [Outcome] = []
        /// Jobs that suspended for the first time in their run.
        public var suspended: [JobID] = []
        public var notes: [JobID: Note] = [:]
        public var enqueued: [Enqueued] = []
        /// A state is being closed: see ``chores``.
        public var closes = false
    }

    /// Carries out `perform` of a script: enqueues the job and answers with what it comes to. `onParked` is told why, where the
    /// job waits as no node defines it.
    public typealias Performer =
        @Sendable (
            Enqueued, _ onParked: @escaping @Sendable (String) -> Void, _ done: @escaping ScriptFunction.Done
        ) -> Void

    /// Enqueues a job with a key for a script that waits for the id of the job that stands: this one or another, or for the error
    /// that another does.
    public typealias Placer = @Sendable (Enqueued, _ done: @escaping ScriptFunction.Done) -> Void

    public struct Options: Sendable {
        public var scripts: ScriptFolder
        /// The memory limit of all Lua states together.
        public var memory: LuaMemory
        public var threads: Int
        /// Whether scripts can enqueue jobs, because the owner takes them from the results.
        public var canEnqueue: Bool
        public var perform: Performer?
        /// Nil where scripts enqueue such jobs as any others.
        public var place: Placer?
        /// Whether scripts have no access to files, processes and C modules.
        public var isSandboxed: Bool
        /// Additional libraries.
        public var libraries: [any ScriptLibrary]
        /// The shared values of all states of the process.
        public var shared: SharedDictionary
        public var logger: Logger
        /// The time limit of a script while it is loaded, and of finalizers outside runs.
        package var loadingSeconds = 10.0

        public init(
            scripts: ScriptFolder, memory: LuaMemory = LuaMemory(limit: 0), threads: Int = 1, canEnqueue: Bool = false,
            perform: Performer? = nil, isSandboxed: Bool = false, libraries: [any ScriptLibrary] = [],
            shared: SharedDictionary = SharedDictionary(), logger: Logger
        ) {
            self.scripts = scripts
            self.memory = memory
            self.threads = max(1, threads)
            self.canEnqueue = canEnqueue
            self.perform = perform
            self.isSandboxed = isSandboxed
            self.libraries = libraries
            self.shared = shared
            self.logger = logger
        }
    }
}
