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

/// A random generator whose sequence its seed fixes, so that a failure can be had again (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
