package import JobReactorCore

/// Limits the number of concurrent commands that scan all jobs of a port, because each takes a share of the loop and of
/// the storage. A value without I/O.
package struct ScanLimit {
    /// At one time.
    package static let most = 8

    private var count = 0

    package init() {}

    /// Begins a scan, which must be followed by ``end()``. Throws if the limit is reached.
    package mutating func begin() throws(JobError) {
        guard count < Self.most else {
            throw JobError(.busy, "too many commands look through all jobs at the moment: try again")
        }
        count += 1
    }

    package mutating func end() { count -= 1 }
}
