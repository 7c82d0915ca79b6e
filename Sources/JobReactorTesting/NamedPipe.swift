private import Foundation
private import JobReactorCore

/// A pipe with a name in the file system. Who opens it to read waits within the C library until ``open()``.
package final class NamedPipe: Sendable {
    package let path = FileManager.default.temporaryDirectory.appending(path: "jr-\(UUID().uuidString).pipe").path
    /// Negative until it is open.
    private let descriptor = Locked<Int32>(-1)

    package init() throws {
        guard mkfifo(path, 0o600) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    /// Whoever waits goes on.
    package func open() {
        descriptor.withLock { descriptor in
            if descriptor < 0 { descriptor = Foundation.open(path, O_RDWR | O_NONBLOCK) }
        }
    }

    deinit {
        open()
        descriptor.withLock { _ = close($0) }
        unlink(path)
    }
}
