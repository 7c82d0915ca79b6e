#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif
internal import JobReactorCore

/// The lock of an owner: a file that is locked as long as its process lives, however that ends, and tells who it is.
final class SQLiteLock: Sendable {
    private let descriptor: Locked<Int32>

    init(file: String, owner: StorageOwner) throws(StorageError) {
        let descriptor = Self.open(file)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno)).lowercased()
            throw StorageError(
                "cannot write \(file): \(reason): check that the folder exists and is writable", code: .unusable)
        }
        // `holder(file:)` takes the lock briefly, and so does a program that a process starts, from its fork to its exec.
        var isHeld = flock(descriptor, LOCK_EX | LOCK_NB) != 0
        for _ in 0..<50 where isHeld {
            usleep(10_000)
            isHeld = flock(descriptor, LOCK_EX | LOCK_NB) != 0
        }
        guard !isHeld else {
            let holder = Self.read(descriptor).split(separator: "\n", omittingEmptySubsequences: false)
            _ = Self.close(descriptor)
            let address = holder.count > 2 && !holder[2].isEmpty ? String(holder[2]) : nil
            let process = holder.count > 1 ? "process \(holder[1])" : nil
            throw .held(
                by: holder.first.map(String.init) ?? owner.name, address: address, detail: process,
                remedy: "give this process its own file")
        }
        let text = "\(owner.name)\n\(getpid())\n\(owner.address ?? "")\n"
        // It only serves those who are refused.
        if ftruncate(descriptor, 0) == 0 {
            _ = text.utf8.withContiguousStorageIfAvailable { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        }
        self.descriptor = Locked(descriptor)
    }

    deinit { release() }

    /// Makes an empty file that only its owner can read.
    static func make(_ file: String) {
        let descriptor = open(file)
        if descriptor >= 0 { _ = close(descriptor) }
    }

    /// Who holds the lock; nil when nobody does.
    static func holder(file: String) -> (name: String, address: String?)? {
        let descriptor = open(file)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        // Shared, and only for this moment: two that look do not take each other for the owner.
        if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { return nil }
        let lines = read(descriptor).split(separator: "\n", omittingEmptySubsequences: false)
        return (lines.first.map(String.init) ?? "", lines.count > 2 && !lines[2].isEmpty ? String(lines[2]) : nil)
    }

    func release() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { _ = Self.close(descriptor) }
            descriptor = -1
        }
    }

    private static func read(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    private static func open(_ file: String) -> Int32 {
        #if canImport(Darwin)
            Darwin.open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        #elseif canImport(Musl)
            Musl.open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        #else
            Glibc.open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        #endif
    }

    private static func close(_ descriptor: Int32) -> Int32 {
        #if canImport(Darwin)
            Darwin.close(descriptor)
        #elseif canImport(Musl)
            Musl.close(descriptor)
        #else
            Glibc.close(descriptor)
        #endif
    }
}
