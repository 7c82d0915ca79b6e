#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// Finds files below a folder, through symbolic links, each of which is followed once on its way down.
struct FolderWalk {
    let suffix: String

    /// Throws when the folder itself cannot be read; `problem` is told of those below it.
    func visit(
        _ folder: String, file: (String) -> Void, folder entered: (String) -> Void = { _ in },
        problem: (String) -> Void
    ) throws(ScriptError) {
        guard let names = Self.names(in: folder) else {
            throw ScriptError("cannot read the folder \(folder): \(String(cString: strerror(errno)))")
        }
        visit(folder, names, ancestors: [FileIdentity(folder)].compactMap(\.self), file, entered, problem)
    }

    private func visit(
        _ folder: String, _ names: [String], ancestors: [FileIdentity], _ file: (String) -> Void,
        _ entered: (String) -> Void, _ problem: (String) -> Void
    ) {
        entered(folder)
        for name in names where !name.hasPrefix(".") {
            let path = folder == "/" ? "/" + name : folder + "/" + name
            // Most names say what they are: of those no more need be asked.
            if name.hasSuffix(suffix), FileKind.of(path) == .file {
                file(path)
            } else if FileKind.of(path) == .folder {
                // A link to a folder that holds it would lead down for ever.
                guard let identity = FileIdentity(path), !ancestors.contains(identity) else { continue }
                guard let names = Self.names(in: path) else {
                    problem("\(path): cannot be read (\(String(cString: strerror(errno)))): check its permissions")
                    continue
                }
                visit(path, names, ancestors: ancestors + [identity], file, entered, problem)
            }
        }
    }

    private static func names(in folder: String) -> [String]? {
        guard let stream = opendir(folder) else { return nil }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

/// What a path leads to, through links.
enum FileKind {
    case file
    case folder
    case other
    case missing

    static func of(_ path: String) -> FileKind {
        var status = stat()
        guard stat(path, &status) == 0 else { return .missing }
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .folder
        default: .other
        }
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

/// The bytes of a file.
enum ReadBytes {
    enum Failure: Error {
        case missing
        case unreadable(String)
    }

    static func of(_ path: String) -> Result<[UInt8], Failure> {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            return .failure(errno == ENOENT ? .missing : .unreadable(String(cString: strerror(errno))))
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var status = stat()
        if fstat(descriptor, &status) == 0 { bytes.reserveCapacity(Int(status.st_size) + 1) }
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count == 0 { return .success(bytes) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return .failure(.unreadable(String(cString: strerror(errno)))) }
            bytes.append(contentsOf: chunk[..<count])
        }
    }
}
