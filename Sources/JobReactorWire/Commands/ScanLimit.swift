package import JobReactorCore

/// How many commands look through all jobs of a port at one time: each takes its share of the loop and of the storage. A value
/// without I/O.
package struct ScanLimit {
    /// At one time.
    package static let most = 8

    private var count = 0

    package init() {}

    /// One is to begin, which is followed by ``end()``. Throws when as many are under way.
    package mutating func begin() throws(JobError) {
        guard count < Self.most else {
            throw JobError(.busy, "too many commands look through all jobs at the moment: try again")
        }
        count += 1
    }

    package mutating func end() { count -= 1 }
}
