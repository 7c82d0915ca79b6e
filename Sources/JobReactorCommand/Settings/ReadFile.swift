#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// A small file, read at once, with the permissions it had when it was read.
struct ReadFile: Sendable {
    let path: String
    let bytes: [UInt8]
    private let mode: UInt32

    private static let limit = 1 << 20

    /// `purpose` names what took the path, for the error.
    init(_ path: String, for purpose: String) throws(CommandFailure) {
        let descriptor = try Self.open(path, for: purpose)
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.failure(path, purpose) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failure(path, purpose) }
            if count == 0 { break }
            bytes += chunk[..<count]
            guard bytes.count <= Self.limit else {
                throw .usage("\(path) is larger than 1 MiB: name another file with \(purpose)")
            }
        }
        self.path = path
        self.bytes = bytes
        mode = UInt32(status.st_mode)
    }

    /// Throws when the file, or the folder, cannot be opened to be read; a secret one also when others than its owner and
    /// its group can read it.
    static func check(_ path: String, for purpose: String, isSecret: Bool = false) throws(CommandFailure) {
        let descriptor = try open(path, for: purpose)
        defer { close(descriptor) }
        var status = stat()
        guard isSecret, fstat(descriptor, &status) == 0, status.st_mode & 0o037 != 0 else { return }
        throw .usage("\(path) is a private key that others can read: chmod 600 \(path), or 640 for its group")
    }

    private static func open(_ path: String, for purpose: String) throws(CommandFailure) -> Int32 {
        #if canImport(Glibc)
            let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        #elseif canImport(Musl)
            let descriptor = Musl.open(path, O_RDONLY | O_CLOEXEC)
        #else
            let descriptor = Darwin.open(path, O_RDONLY | O_CLOEXEC)
        #endif
        guard descriptor >= 0 else { throw failure(path, purpose) }
        return descriptor
    }

    /// The last call of the system failed.
    private static func failure(_ path: String, _ purpose: String) -> CommandFailure {
        .usage("cannot read \(path): \(String(cString: strerror(errno))): name another file with \(purpose)")
    }

    /// Refuses a file that others can read or change; `why` says what makes it secret.
    func checkPrivacy(_ why: String) throws(CommandFailure) {
        guard mode & 0o077 != 0 else { return }
        throw .usage("\(path) \(why) and others can read it: chmod 600 \(path)")
    }
}
