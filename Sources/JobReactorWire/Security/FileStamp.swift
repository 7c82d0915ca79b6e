#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// A stamp that shows whether a file has changed.
package struct FileStamp: Hashable, Sendable {
    private let file: UInt64
    private let size: Int64
    private let mode: UInt32
    private let seconds: Int
    private let nanoseconds: Int

    /// Nil when there is no file.
    package init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        #if canImport(Darwin)
            let changed = status.st_mtimespec
        #else
            let changed = status.st_mtim
        #endif
        file = UInt64(status.st_ino)
        size = Int64(status.st_size)
        mode = UInt32(status.st_mode)
        seconds = changed.tv_sec
        nanoseconds = changed.tv_nsec
    }
}
