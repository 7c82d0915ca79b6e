/// The job scripts of a folder as they were when they were read. Two are equal when a load would be the same.
public struct ScriptSet: Hashable, Sendable {
    public struct Script: Hashable, Sendable {
        /// As errors show it.
        public let path: String
        /// What `require` calls it, such as `lib.tally`; nil where another script has that name.
        public let module: String?
        public let source: [UInt8]
    }

    /// Sorted by path.
    public private(set) var scripts: [Script] = []
    /// `path: what is wrong`, of files and folders that cannot be read.
    public private(set) var problems: [String] = []

    /// Reads the folder. Throws when there is none, or it cannot be read; single files that cannot are told of in
    /// ``problems``. A file that vanishes meanwhile is not there.
    public static func read(_ directory: JobDirectory) throws(ScriptError) -> ScriptSet {
        let path = directory.path
        switch FileKind.of(path) {
        case .folder: break
        case .missing:
            throw ScriptError("no folder \(path): create it, or name the folder of your job scripts with --jobs")
        case .file, .other: throw ScriptError("\(path) is a file: --jobs takes the folder of your job scripts")
        }
        var set = ScriptSet()
        var paths: [String] = []
        try FolderWalk(suffix: ".lua").visit(path) {
            paths.append($0)
        } problem: {
            set.problems.append($0)
        }
        var modules: Set<String> = []
        for file in paths.sorted() where directory.includesTests || !file.hasSuffix("_test.lua") {
            switch ReadBytes.of(file) {
            case .success(let source):
                let module = moduleName(of: file.dropFirst(path == "/" ? 1 : path.count + 1))
                let isNew = module.map { modules.insert($0).inserted } ?? false
                set.scripts.append(Script(path: file, module: isNew ? module : nil, source: source))
            case .failure(.missing): break
            case .failure(.unreadable(let reason)):
                set.problems.append("\(file): cannot be read (\(reason)): check its permissions")
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
