import JobReactorTesting

@testable import JobReactor

/// A producer that goes nowhere: it keeps what it is given, and says at once that it went well.
struct RecordingProducer: JobProducer {
    private let jobs = Collector<JobSubmission>()
    private let ids = Locked(JobID.Generator())
    /// That were registered, those that were removed among them.
    let handlers = Collector<(feedback: JobFeedback, registration: HandlerRegistration)>()

    /// Of all jobs, in their order.
    var args: [JSONValue] { jobs.elements.map(\.args.value) }
    var options: [JobOptions] { jobs.elements.map(\.options) }

    @discardableResult
    func enqueue(
        _ name: String, _ args: JobArguments, _ options: JobOptions, feedback: JobFeedback
    ) throws(JobError) -> JobID {
        try JobLimits.check(name, args, options)
        let id = ids.withLock { $0.next(at: .now) }
        jobs.append(JobSubmission(name, args, options))
        feedback.onProgress?(JobProgress(id: id, name: name, fraction: 0.5, text: ""))
        feedback.onSuccess?(JobResult(id: id, name: name, args: args, status: .complete))
        return id
    }

    @discardableResult
    func enqueue(contentsOf jobs: [JobSubmission]) throws(JobError) -> [JobID] {
        var ids: [JobID] = []
        for job in jobs { ids.append(try enqueue(job.name, job.args, job.options, feedback: job.feedback)) }
        return ids
    }

    @discardableResult
    func cancel(_ id: JobID) async throws -> Bool { false }
    func job(_ id: JobID) async throws -> JobInfo? { nil }
    func nodes() async throws -> [NodeInfo] { [] }

    @discardableResult
    func handle(_ name: String, _ feedback: JobFeedback) -> HandlerRegistration {
        let registration = HandlerRegistration()
        handlers.append((feedback, registration))
        return registration
    }
}
