internal import JobReactorCore
internal import JobReactorWire

/// Jobs that came over a link in one read, with the numbers of their hand-overs.
struct ReceivedJobs {
    var jobs: [Job]
    var numbers: [Int]
    /// Those of them that a node had when it was lost.
    var suspects: Set<JobID>
    /// Those that have their place in the limits of their job.
    var permitted: Set<JobID> = []
    /// When they came, from which their waits count.
    var at: Moment

    var handOvers: some Sequence<HandOver> { zip(numbers, jobs).lazy.map { HandOver($0, $1.id) } }
}
