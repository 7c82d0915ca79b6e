#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// What is in a folder and below it, hidden names left out. Symbolic links are followed, but not in circles.
struct FolderWalk {
    /// Those with the suffix.
    private(set) var files: [String] = []
    /// The folder itself, too.
    private(set) var folders: [String] = []
    /// Wherever they lead, also nowhere.
    private(set) var links: [String] = []
    /// `path: what is wrong`, of what is left out.
    private(set) var problems: [String] = []

    private let suffix: String
    private var isCut = false

    /// Links that lead to and fro can make a few folders look like any number.
    private static let mostFolders = 10_000

    /// Throws when the folder itself cannot be read.
    init(_ folder: String, suffix: String) throws(ScriptError) {
        self.suffix = suffix
        guard let entries = Self.entries(in: folder) else {
            throw ScriptError("cannot read the folder \(folder): \(String(cString: strerror(errno)))")
        }
        visit(folder, entries, ancestors: [FileIdentity(folder)].compactMap(\.self))
    }

    private mutating func visit(_ folder: String, _ entries: [Entry], ancestors: [FileIdentity]) {
        folders.append(folder)
        for entry in entries where !entry.name.hasPrefix(".") {
            let path = folder == "/" ? "/" + entry.name : folder + "/" + entry.name
            if let kind = entry.misnamed {
                noteMisnamed(path, kind)
                continue
            }
            if entry.isLink { links.append(path) }
            switch FileKind.of(path) {
            case .file: if entry.name.hasSuffix(suffix) { files.append(path) }
            case .folder: enter(path, ancestors)
            case .other, .missing: break
            }
        }
    }

    /// No text leads to it: U+FFFD stands in the path for what is not UTF-8.
    private mutating func noteMisnamed(_ path: String, _ kind: FileKind) {
        switch kind {
        case .file where path.hasSuffix(suffix):
            problems.append("\(path): left out: the name of the file is not UTF-8: rename it")
        case .folder:
            problems.append("\(path): left out: the name of the folder is not UTF-8: rename it")
        case .file, .other, .missing: break
        }
    }

    private mutating func enter(_ folder: String, _ ancestors: [FileIdentity]) {
        // A link to a folder that holds it would lead down for ever.
        guard let identity = FileIdentity(folder), !ancestors.contains(identity) else { return }
        guard folders.count < Self.mostFolders else {
            if !isCut {
                isCut = true
                problems.append(
                    "\(folder): left out, with other folders: there are more than \(Self.mostFolders),"
                        + " or links lead to and fro")
            }
            return
        }
        guard let entries = Self.entries(in: folder) else {
            let error = errno
            // One that has just gone is not there.
            if error != ENOENT {
                let reason = String(cString: strerror(error))
                problems.append("\(folder): cannot be read (\(reason)): check its permissions")
            }
            return
        }
        visit(folder, entries, ancestors: ancestors + [identity])
    }

    private struct Entry {
        let name: String
        let isLink: Bool
        /// Of one whose name is not UTF-8: what it is.
        let misnamed: FileKind?
    }

    /// Sorted by name; nil when they cannot be read.
    private static func entries(in folder: String) -> [Entry]? {
        guard let stream = opendir(folder) else { return nil }
        defer { closedir(stream) }
        var entries: [Entry] = []
        while let entry = readdir(stream) {
            let (name, misnamed) = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { name -> (String, FileKind?) in
                    if let text = String(validatingCString: name) { return (text, nil) }
                    return (String(cString: name), FileKind.of(name, in: folder))
                }
            }
            guard name != ".", name != ".." else { continue }
            // Some file systems do not say.
            let isLink =
                Int32(entry.pointee.d_type) == Int32(DT_UNKNOWN)
                ? FileKind.isLink(folder + "/" + name) : Int32(entry.pointee.d_type) == Int32(DT_LNK)
            entries.append(Entry(name: name, isLink: isLink, misnamed: misnamed))
        }
        return entries.sorted { $0.name < $1.name }
    }
}
