internal import JobReactor
private import JobReactorCore

/// Enqueues jobs and waits for their feedbacks.
final class JobFlow: Sendable {
    /// What is enqueued: `{"arg1":1,"arg2":"hello"}`, unless another is said.
    static let usualArgs: JobArguments = ["arg1": 1, "arg2": "hello"]

    /// The name and the args of a job, by its number.
    typealias Kind = @Sendable (Int) -> (name: String, args: JobArguments)

    private let producer: any JobProducer
    private let kind: Kind
    private let latencies: Latencies?
    private let counts: Locked<(unsent: Int, unfinished: Int)>
    /// Nil once it is resumed.
    private let done: Locked<CheckedContinuation<Void, any Error>?>

    /// Keeps `inFlight` jobs on their way until `jobs` are done; returns jobs for each second, from the first enqueued to the
    /// last feedback. `latencies` get the time that each took.
    static func rate(
        _ producer: any JobProducer, jobs: Int, inFlight: Int, args: JobArguments = usualArgs,
        _ latencies: Latencies? = nil
    ) async throws -> Double {
        try await rate(producer, jobs: jobs, inFlight: inFlight, latencies) { _ in ("bench", args) }
    }

    /// The same, with jobs of several kinds.
    static func rate(
        _ producer: any JobProducer, jobs: Int, inFlight: Int, _ latencies: Latencies? = nil, kind: @escaping Kind
    ) async throws -> Double {
        let start = ContinuousClock.now
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            let flow = JobFlow(producer, kind, jobs: jobs, latencies, done)
            flow.begin(min(inFlight, jobs))
        }
        return Double(jobs) / ((ContinuousClock.now - start) / .seconds(1))
    }

    /// Enqueues jobs at a steady rate; the latencies count from when each was to be enqueued.
    static func pace(_ producer: any JobProducer, jobs: Int, perSecond: Double, _ latencies: Latencies) async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            let flow = JobFlow(producer, { _ in ("bench", usualArgs) }, jobs: jobs, latencies, done)
            flow.counts.withLock { $0.unsent = 0 }
            Task {
                await Pacer.run(count: jobs, perSecond: perSecond) { times in
                    for time in times { flow.send(0, countedFrom: time) }
                }
            }
        }
    }

    private init(
        _ producer: any JobProducer, _ kind: @escaping Kind, jobs: Int, _ latencies: Latencies?,
        _ done: CheckedContinuation<Void, any Error>
    ) {
        self.producer = producer
        self.kind = kind
        self.latencies = latencies
        self.done = Locked(done)
        counts = Locked((jobs, jobs))
    }

    private func begin(_ count: Int) {
        counts.withLock { $0.unsent -= count }
        let unsent = counts.withLock { $0.unsent }
        for number in 0..<count { send(unsent + number, countedFrom: latencies == nil ? 0 : Pacer.now) }
    }

    private func send(_ number: Int, countedFrom start: Int64) {
        let job = kind(number)
        do {
            try producer.enqueue(
                job.name, job.args, JobOptions(),
                onSuccess: { _ in
                    self.latencies?.add(nanoseconds: Pacer.now - start)
                    self.finished()
                },
                onError: { failure in
                    self.end(.failure(CommandFailure.failure("a job of the benchmark failed: \(failure.args)")))
                })
        } catch { end(.failure(error)) }
    }

    private func finished() {
        let next = counts.withLock { counts in
            counts.unfinished -= 1
            let sends = counts.unsent > 0
            if sends { counts.unsent -= 1 }
            return (sends: sends, number: counts.unsent, isLast: counts.unfinished == 0)
        }
        if next.sends { send(next.number, countedFrom: latencies == nil ? 0 : Pacer.now) }
        if next.isLast { end(.success(())) }
    }

    private func end(_ result: Result<Void, any Error>) {
        let waiting = done.withLock { done in
            defer { done = nil }
            return done
        }
        waiting?.resume(with: result)
    }
}
