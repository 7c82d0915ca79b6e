#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// What a path leads to, through links.
enum FileKind {
    case file
    case folder
    case other
    case missing

    static func of(_ path: String) -> FileKind { path.withCString { at($0) } }

    /// Of a name that need not be UTF-8.
    static func of(_ name: UnsafePointer<CChar>, in folder: String) -> FileKind {
        var path = Array((folder + "/").utf8CString.dropLast())
        path += UnsafeBufferPointer(start: name, count: strlen(name) + 1)
        return at(path)
    }

    private static func at(_ path: UnsafePointer<CChar>) -> FileKind {
        var status = stat()
        guard stat(path, &status) == 0 else { return .missing }
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .folder
        default: .other
        }
    }

    /// Whether the path itself is a link.
    static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }
}

/// Tells files apart, whatever path leads to them.
struct FileIdentity: Hashable {
    private let device: UInt64
    private let number: UInt64

    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt64(truncatingIfNeeded: status.st_dev)
        number = UInt64(truncatingIfNeeded: status.st_ino)
    }
}
