private import JobReactorCore

/// A snapshot of the job scripts of a folder. Two snapshots are equal if loading them has the same result.
public struct ScriptSet: Hashable, Sendable {
    /// The role of a file.
    public enum Role: Hashable, Sendable {
        /// To be loaded with the others.
        case script
        /// To be loaded only where it is required.
        case module
        /// A third-party `module`, which is not checked for mistakes.
        case vendored
    }

    public struct Script: Hashable, Sendable {
        /// As errors show it.
        public let path: String
        /// The name for `require`, such as `lib.tally`; nil if another script has that name.
        public let module: String?
        public let role: Role
        public let source: [UInt8]
    }

    /// A script that cannot be read.
    public struct Unreadable: Hashable, Sendable {
        public let path: String
        public let module: String?
        public let role: Role
        /// `path: what is wrong`
        public let problem: String
    }

    /// Sorted by path.
    public private(set) var scripts: [Script] = []
    /// Sorted by path.
    public private(set) var unreadable: [Unreadable] = []
    /// `path: problem`, for skipped folders and files, and for the settings.
    public private(set) var folderProblems: [String] = []

    /// That of an empty folder.
    public init() {}

    /// `path: problem`, for files and folders that cannot be read.
    public var problems: [String] { folderProblems + unreadable.map(\.problem) }

    /// Reads the folder. Throws if it does not exist or cannot be read; single unreadable files are in ``unreadable``.
    /// A file that vanishes meanwhile is ignored.
    public static func read(_ directory: JobDirectory) throws(ScriptError) -> ScriptSet {
        let path = directory.path
        switch FileKind.of(path) {
        case .folder: break
        case .missing:
            throw ScriptError(
                "no folder \(path): create it, or give the folder of your job scripts with \(SettingName.jobDirectory)")
        case .file, .other:
            throw ScriptError("\(path) is a file: \(SettingName.jobDirectory) takes the folder of your job scripts")
        }
        let walk = try FolderWalk(path, suffix: ".lua")
        let folders = ModuleFolders(of: path)
        var set = ScriptSet()
        set.folderProblems = folders.problems + walk.problems
        var modules: Set<String> = []
        for file in walk.files.sorted() {
            let inner = file.dropFirst(path == "/" ? 1 : path.count + 1)
            var role = folders.role(of: inner)
            if file.hasSuffix("_test.lua") {
                guard directory.includesTests, role != .vendored else { continue }
                role = .script
            }
            let module = moduleName(of: inner).flatMap { modules.insert($0).inserted ? $0 : nil }
            switch ReadBytes.of(file) {
            case .success(let source):
                set.scripts.append(Script(path: file, module: module, role: role, source: source))
            case .failure(.missing): break
            case .failure(.unreadable(let reason)):
                let problem = "\(file): cannot be read (\(reason)): check its permissions"
                set.unreadable.append(Unreadable(path: file, module: module, role: role, problem: problem))
            }
        }
        return set
    }

    /// `lib/tally.lua` is `lib.tally`, and `lib/init.lua` is `lib`; nil for what `require` cannot name.
    static func moduleName(of path: some StringProtocol) -> String? {
        var parts = String(path).dropLast(4).split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if parts.count > 1, parts.last == "init" { parts.removeLast() }
        guard !parts.isEmpty, parts.allSatisfy({ !$0.isEmpty && !$0.contains(".") }) else { return nil }
        return parts.joined(separator: ".")
    }
}
