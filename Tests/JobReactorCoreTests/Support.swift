import JobReactorCore

// What the tests of several files use.

/// The moment at which the tests begin: 2026-01-01 00:00 UTC and a fraction.
let start = Timestamp(microseconds: 1_767_225_600_250_000)

/// An id with a number that is easy to read in a failure.
func id(_ number: Int) -> JobID { JobID(high: 0, low: UInt64(number)) }

/// A plain job; equal arguments make equal jobs.
func job(
    _ number: Int, _ name: String = "resize", node: String? = nil, notNode: String? = nil, period: Double? = nil
) -> Job {
    Job(
        id: id(number), name: name, args: [:], options: JobOptions(period: period, node: node, notNode: notNode),
        createdAt: start)
}

/// The bytes of a text.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
