internal import JobReactorCore

/// The folder of job scripts for one process: its last snapshot, the number of the load, and the last good text of each
/// file. All lanes of a node share one. From any thread.
public final class ScriptFolder: Sendable {
    public let directory: JobDirectory

    private struct Contents {
        var set: ScriptSet?
        /// Counts what was read; what lanes have loaded goes by it.
        var generation = 0
        var history: [String: Version] = [:]
        var hangs: [String: Hang] = [:]
    }

    /// A text that hung while it was loaded, and is not loaded again: each time it would keep a thread.
    private struct Hang {
        var source: [UInt8]
        var reason: String
    }

    /// A text that was loaded whole.
    struct Version: Sendable {
        var source: [UInt8]
        var loadedAt: Timestamp
    }

    private let contents = Locked(Contents())

    public init(_ directory: JobDirectory) { self.directory = directory }

    /// What lanes load: scripts with what stands in for those that are broken, and the number of the generation.
    struct Load: Sendable {
        struct Script: Sendable {
            let path: String
            let module: String?
            let role: ScriptSet.Role
            let source: [UInt8]
            /// Why there is no source.
            let problem: String?
            let fallback: Version?
        }

        let generation: Int
        let scripts: [Script]
        let problems: [String]
    }

    /// Reads the folder again, for later loads. Returns the number of the generation. Throws if the folder cannot be
    /// read; then nothing changes.
    @discardableResult
    public func read() throws(ScriptError) -> Int { use(try ScriptSet.read(directory)) }

    /// As ``read()``, with an existing snapshot.
    @discardableResult
    public func use(_ set: ScriptSet) -> Int {
        contents.withLock { contents in
            contents.set = set
            contents.generation += 1
            // A deleted file has no good version.
            let paths = Set(set.scripts.map(\.path) + set.unreadable.map(\.path))
            contents.history = contents.history.filter { paths.contains($0.key) }
            contents.hangs = contents.hangs.filter { path, hang in
                set.scripts.contains { $0.path == path && $0.source == hang.source }
            }
            return contents.generation
        }
    }

    /// The last snapshot; nil before the first.
    public var current: ScriptSet? { contents.withLock { $0.set } }

    /// What is to be loaded; reads the folder if nobody has.
    func load() throws(ScriptError) -> Load {
        if current == nil { try read() }
        return contents.withLock { contents in
            let set = contents.set ?? ScriptSet()
            var scripts = set.scripts.map { script in
                // What fails now would fail once more.
                let good = contents.history[script.path].flatMap { $0.source == script.source ? nil : $0 }
                if let hang = contents.hangs[script.path], hang.source == script.source {
                    return Load.Script(
                        path: script.path, module: script.module, role: script.role, source: [], problem: hang.reason,
                        fallback: good)
                }
                return Load.Script(
                    path: script.path, module: script.module, role: script.role, source: script.source, problem: nil,
                    fallback: good)
            }
            scripts += set.unreadable.map { file in
                Load.Script(
                    path: file.path, module: file.module, role: file.role, source: [], problem: file.problem,
                    fallback: contents.history[file.path])
            }
            scripts.sort { $0.path < $1.path }
            return Load(generation: contents.generation, scripts: scripts, problems: set.folderProblems)
        }
    }

    /// The script hangs where it cannot be interrupted: it is left out until its text is another, or its last good version is
    /// used. When that hangs, too, there is none.
    func note(hanging script: Load.Script, _ reason: String) {
        contents.withLock { contents in
            if script.problem == nil {
                contents.hangs[script.path] = Hang(source: script.source, reason: reason)
            } else {
                contents.history[script.path] = nil
            }
        }
    }

    /// Scripts were loaded as they are.
    func note(good scripts: [Load.Script], now: Timestamp) {
        contents.withLock { contents in
            for script in scripts where contents.history[script.path]?.source != script.source {
                contents.history[script.path] = Version(source: script.source, loadedAt: now)
            }
        }
    }
}
