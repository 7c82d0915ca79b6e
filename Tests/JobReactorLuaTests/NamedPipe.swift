import Foundation

/// A pipe with a name in the file system. Who opens it to read waits within the C library until ``open()``.
final class NamedPipe: Sendable {
    let path = FileManager.default.temporaryDirectory.appending(path: "jr-\(UUID().uuidString).pipe").path
    private let descriptor = Descriptor()

    private final class Descriptor: @unchecked Sendable {
        // Guarded by the lock.
        private let lock = NSLock()
        private var number: Int32 = -1

        func set(_ make: () -> Int32) {
            lock.withLock { if number < 0 { number = make() } }
        }

        deinit { if number >= 0 { close(number) } }
    }

    init() throws {
        guard mkfifo(path, 0o600) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    /// Whoever waits goes on.
    func open() {
        let path = path
        descriptor.set { Foundation.open(path, O_RDWR | O_NONBLOCK) }
    }

    deinit {
        open()
        unlink(path)
    }
}
