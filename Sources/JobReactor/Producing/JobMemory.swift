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
    /// What the loop has, as it has last said, and what is on its way there.
    private let known = Atomic<Int>(0)
    /// The loop says again what it has when it is so many bytes more or less.
    private let step: Int

    init(limit: Int) {
        self.limit = limit
        step = min(64 << 10, limit / 256 + 1)
    }

    /// Whether nothing more is taken, or not so much, beside what waits to be given to the loop.
    func isFull(with more: Int) -> Bool { known.load(ordering: .relaxed) + more >= limit }

    /// Jobs of so many bytes are given to the loop.
    func gives(_ bytes: Int) { known.add(bytes, ordering: .relaxed) }

    /// The loop has so many bytes, with those that were given to it. Most changes are small and are not passed on: two
    /// processors that write and read one place for each job would wait for each other.
    func has(_ bytes: Int) {
        let said = known.load(ordering: .relaxed)
        if abs(bytes - said) >= step || bytes == 0 && said != 0 { known.store(bytes, ordering: .relaxed) }
    }

    static func bytes(_ name: String, _ args: JobArguments) -> Int { base + name.utf8.count + args.bytes.count }

    /// Says what is full, and what to do. `bytes` are taken; when nil, about as many as the loop has said. `setting` is how
    /// who reads it calls the limit.
    func fullMessage(_ bytes: Int? = nil, setting: String) -> String {
        let bytes = bytes ?? known.load(ordering: .relaxed)
        return "waiting jobs and outcomes use \(bytes) bytes; the limit is \(limit)"
            + " (\(setting)): try again later, or start more nodes"
    }
}
