package import Foundation
private import JobReactorCore

extension Process {
    /// How many were started. It has to have a size: the thread sanitizer takes an empty value for what stands beside it.
    private static let launches = Locked(0)

    /// Starts the program while no other is being started so. A `Process` notices the end of its program when the last copy of
    /// a socket is closed, and a program that is started at the same moment by another thread may have inherited one: then the
    /// end is noticed when that one ends, too.
    package func start() throws {
        try Self.launches.withLock { count in
            count += 1
            try run()
        }
    }
}
