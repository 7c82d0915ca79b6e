internal import JobReactorCore
internal import Synchronization

/// What the jobs and outcomes that wait in this process take, and may take. Safe to use from any thread.
///
/// It is counted, not measured: the bytes of names and args, and ``base`` for each job and outcome. The loop that has them
/// says how much it is; the threads that enqueue look, and say what they have given it.
final class JobMemory: Sendable {
    /// Bytes beside its name and its args that a job or an outcome takes here.
    static let base = 300

    let limit: Int
    private let used = Atomic<Int>(0)
    /// Of jobs that are on their way to the loop.
    private let coming = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    /// Bytes that wait on the loop.
    var count: Int {
        get { used.load(ordering: .relaxed) }
        set { used.store(newValue, ordering: .relaxed) }
    }

    /// Whether nothing more is taken, or not so much.
    func isFull(with more: Int = 0) -> Bool { count + coming.load(ordering: .relaxed) + more >= limit }

    /// A thread gives a job to the loop.
    func gives(_ bytes: Int) { coming.add(bytes, ordering: .relaxed) }

    /// The loop has it, and counts it.
    func has(_ job: Job) { coming.subtract(Self.bytes(job.name, job.args), ordering: .relaxed) }

    static func bytes(_ name: String, _ args: JobArguments) -> Int { base + name.utf8.count + args.bytes.count }

    /// Says what is full, and what to do.
    var fullMessage: String {
        "the jobs and outcomes that wait here take \(count) bytes, and \(limit) is the limit (max_memory):"
            + " try again when some have left, or start more nodes"
    }
}
