internal import JobReactorLua

/// Runs a job again each time its scripts have changed.
struct RepeatedTrial {
    let trial: JobTrial

    init(_ trial: JobTrial) { self.trial = trial }

    /// Does not return by itself. Throws when the folder cannot be read or watched; whatever else goes wrong is told, and the
    /// next change waited for.
    func run() async throws {
        let directory = JobDirectory(trial.directory)
        var known = try ScriptSet.read(directory)
        let (changes, change) = AsyncStream.makeStream(of: Result<ScriptSet, ScriptError>.self)
        let watch = try ScriptWatch(directory, known: known) { change.yield($0) }
        defer { watch.stop() }
        var current = begin()
        defer { current.cancel() }
        for await change in changes {
            switch change {
            case .failure(let error): Terminal.complain("\(error)")
            case .success(let set):
                // One that still runs is of no interest any more; it may be long in coming to its end.
                current.cancel()
                Terminal.note("-- \(Terminal.printable("\(ScriptChanges(from: known, to: set))"))")
                known = set
                current = begin()
            }
        }
    }

    private func begin() -> Task<Void, Never> {
        Task { [trial] in
            do {
                let end = try await trial.run()
                Terminal.note("-- \(end.succeeded ? "succeeded" : "failed") after \(Self.text(of: end.duration))")
            } catch is CancellationError {
                return
            } catch {
                if let message = CommandFailure(error).message { Terminal.complain(message) }
            }
            Terminal.note("-- waiting for changes in \(Terminal.printable(trial.directory)); Ctrl-C ends")
        }
    }

    /// `12.3 ms`, or `1.234 s`.
    static func text(of duration: Duration) -> String {
        let microseconds = duration / .microseconds(1)
        return microseconds < 1_000_000
            ? "\((microseconds / 100).rounded() / 10) ms" : "\((microseconds / 1000).rounded() / 1000) s"
    }
}
