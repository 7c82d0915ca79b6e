internal import JobReactorCore
internal import NIOCore

/// A job on its way from any thread to the event loop that owns it.
struct Submission: Sendable {
    var job: Job
    var feedback: JobFeedback
}

/// Takes jobs from any thread and hands them to one event loop, many at a time: the loop is woken once for all that come
/// before it looks.
final class SubmissionInbox: Sendable {
    private struct State {
        var waiting = Mailbox<[Submission]>()
        /// Of those that wait.
        var bytes = 0
        var isClosed = false
        var ids = JobID.Generator()
    }

    private let state = Locked(State())
    private let loop: any EventLoop
    private let clock: WallClock
    private let memory: JobMemory
    private let tracing: JobTracing?
    private let deliver: @Sendable ([Submission]) -> Void

    /// `deliver` is called on the loop.
    init(
        loop: any EventLoop, clock: WallClock, memory: JobMemory, tracing: JobTracing?,
        deliver: @escaping @Sendable ([Submission]) -> Void
    ) {
        self.tracing = tracing
        self.loop = loop
        self.clock = clock
        self.memory = memory
        self.deliver = deliver
    }

    func submit(
        _ name: String, _ args: JobArguments, _ options: JobOptions, _ feedback: JobFeedback, isAwaited: Bool = false
    ) throws(JobError) -> JobID {
        try JobLimits.check(name, args, options)
        guard let tracing else { return try take(name, args, options, feedback, isAwaited) }
        var options = options
        let span = tracing.begin(name, &options)
        do throws(JobError) {
            let id = try take(name, args, options, feedback, isAwaited)
            tracing.end(span, id)
            return id
        } catch {
            tracing.fail(span, error)
            throw error
        }
    }

    private func take(
        _ name: String, _ args: JobArguments, _ options: JobOptions, _ feedback: JobFeedback, _ isAwaited: Bool
    ) throws(JobError) -> JobID {
        let now = clock.now
        return try state.withLock { state throws(JobError) in
            guard !state.isClosed else { throw Self.stopped }
            try take(JobMemory.bytes(name, args), &state)
            let id = options.id ?? state.ids.next(at: now)
            var job = Job(id: id, name: name, args: args, options: options, createdAt: now)
            job.isAwaited = isAwaited
            put(&state) { $0.append(Submission(job: job, feedback: feedback)) }
            return id
        }
    }

    /// Throws when what waits here and on the loop would take more than it may. Behind the lock, so that no two threads take
    /// the same room.
    private func take(_ bytes: Int, _ state: inout State) throws(JobError) {
        guard !memory.isFull(with: state.bytes + bytes) else {
            throw JobError(.busy, memory.fullMessage(setting: "\(SettingName.maxMemory)"))
        }
        state.bytes += bytes
    }

    /// All or none of them.
    func submit(_ jobs: [JobSubmission]) throws(JobError) -> [JobID] {
        for job in jobs { try JobLimits.check(job.name, job.args, job.options) }
        guard let tracing else { return try take(jobs) }
        var jobs = jobs
        let spans = jobs.indices.map { tracing.begin(jobs[$0].name, &jobs[$0].options) }
        do throws(JobError) {
            let ids = try take(jobs)
            for (span, id) in zip(spans, ids) { tracing.end(span, id) }
            return ids
        } catch {
            for span in spans { tracing.fail(span, error) }
            throw error
        }
    }

    private func take(_ jobs: [JobSubmission]) throws(JobError) -> [JobID] {
        let now = clock.now
        return try state.withLock { state throws(JobError) in
            guard !state.isClosed else { throw Self.stopped }
            try take(jobs.reduce(0) { $0 + JobMemory.bytes($1.name, $1.args) }, &state)
            var ids: [JobID] = []
            ids.reserveCapacity(jobs.count)
            for job in jobs { ids.append(job.options.id ?? state.ids.next(at: now)) }
            guard !jobs.isEmpty else { return ids }
            put(&state) { waiting in
                for (job, id) in zip(jobs, ids) {
                    let record = Job(id: id, name: job.name, args: job.args, options: job.options, createdAt: now)
                    waiting.append(Submission(job: record, feedback: job.feedback))
                }
            }
            return ids
        }
    }

    /// Behind the lock, so that nothing is given to a loop that a stop has ended meanwhile.
    private func put(_ state: inout State, _ change: (inout [Submission]) -> Void) {
        if state.waiting.put(change) { loop.execute { self.drain() } }
    }

    private static let stopped = JobError(.stopped, "jobs cannot be enqueued after the stop")

    /// Takes no more jobs; those taken are still delivered.
    func close() {
        state.withLock { $0.isClosed = true }
    }

    /// Delivers what waits, now; on the loop.
    func drain() {
        let batch = state.withLock { state in
            memory.gives(state.bytes)
            state.bytes = 0
            return state.waiting.take()
        }
        if !batch.isEmpty { deliver(batch) }
    }
}
