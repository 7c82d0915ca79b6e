internal import JobReactorCore
internal import JobReactorLua
internal import NIOCore
internal import NIOPosix

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// A file that is there when it is whole, and not before: written under another name beside its own.
///
/// One of ``finish()`` and ``discard()`` ends it.
final class Download: Sendable {
    private let path: String
    private let temporary: String
    /// Nil when it is closed.
    private let descriptor: Locked<Int32?>

    private init(path: String, temporary: String, descriptor: Int32) {
        self.path = path
        self.temporary = temporary
        self.descriptor = Locked(descriptor)
    }

    static func create(_ path: String) async throws -> Download {
        let (folder, name) = split(path)
        let temporary = "\(folder).\(name).\(String(UInt64.random(in: 0 ... .max), radix: 36)).part"
        let descriptor = try await perform("create a file in \(folder.isEmpty ? "this directory" : folder)") {
            open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o666)
        }
        return Download(path: path, temporary: temporary, descriptor: descriptor)
    }

    func write(_ bytes: ByteBuffer) async throws {
        _ = try await Self.perform("write \(path)") {
            guard let descriptor = self.descriptor.withLock({ $0 }) else { return -1 }
            return bytes.withUnsafeReadableBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let written = systemWrite(descriptor, UnsafeRawBufferPointer(rebasing: rest))
                    if written >= 0 {
                        rest = rest.dropFirst(written)
                    } else if errno != EINTR {
                        return -1
                    }
                }
                return 0
            }
        }
    }

    /// Gives it its name.
    func finish() async throws {
        // Only the closing tells that some disks are full.
        _ = try await Self.perform("write \(path)") { self.close() == 0 ? rename(self.temporary, self.path) : -1 }
    }

    /// Removes it.
    func discard() async {
        // A pool does nothing for a task that is cancelled, as the one that calls this may be.
        await Task {
            _ = try? await Self.perform("remove \(temporary)") {
                _ = self.close()
                return unlink(self.temporary)
            }
        }.value
    }

    private func close() -> Int32 {
        let open = descriptor.withLock { descriptor in
            defer { descriptor = nil }
            return descriptor
        }
        return open.map { systemClose($0) } ?? 0
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return ("", path) }
        return (String(path[...slash]), String(path[path.index(after: slash)...]))
    }

    /// On a thread that may block. A negative result is an error.
    private static func perform(_ what: String, _ body: @escaping @Sendable () -> Int32) async throws -> Int32 {
        let (result, code) = try await NIOThreadPool.singleton.runIfActive {
            let result = body()
            return (result, errno)
        }
        guard result >= 0 else {
            throw HTTPFailure.file("cannot \(what): \(String(cString: strerror(code)).lowercased())")
        }
        return result
    }
}

private func systemClose(_ descriptor: Int32) -> Int32 { close(descriptor) }

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}
