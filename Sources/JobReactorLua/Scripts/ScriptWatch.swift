internal import JobReactorCore

/// Watches the job scripts of a folder for new, changed, renamed and deleted files and folders, and for changed
/// symbolic links, also in the path to the folder. Sleeps until the system reports a change; simultaneous changes are
/// reported as one.
public final class ScriptWatch: Sendable {
    /// What is told, on the watch's own thread: what the folder has now, when it is not what it had; or, once, why it cannot
    /// be read, or not all of it watched.
    public typealias Change = @Sendable (Result<ScriptSet, ScriptError>) -> Void

    #if os(Linux)
        private let watcher: FolderWatcher
    #endif

    /// Begins to watch. `known` is the current snapshot. Throws if the system refuses.
    public init(_ directory: JobDirectory, known: ScriptSet, _ change: @escaping Change) throws(ScriptError) {
        #if os(Linux)
            let told = Locked(Told(last: .success(known)))
            watcher = try FolderWatcher(directory.path) { incomplete in
                let now: Result<ScriptSet, ScriptError>
                do throws(ScriptError) { now = .success(try ScriptSet.read(directory)) } catch { now = .failure(error) }
                let (isNew, isIncomplete) = told.withLock { told in
                    defer { told = Told(last: now, incomplete: incomplete) }
                    return (told.last != now, told.incomplete != incomplete)
                }
                if isIncomplete, let incomplete { change(.failure(incomplete)) }
                if isNew { change(now) }
            }
        #else
            throw ScriptError("changes of the job scripts cannot be watched on this system: send SIGHUP, or RELOAD")
        #endif
    }

    private struct Told {
        var last: Result<ScriptSet, ScriptError>
        var incomplete: ScriptError?
    }

    deinit { stop() }

    /// Ends the watch without waiting for a change that is being reported.
    public func stop() {
        #if os(Linux)
            watcher.stop()
        #endif
    }
}
