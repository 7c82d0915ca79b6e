internal import JobReactorCore
private import Logging

/// Generations come and go on threads of their own: what hangs there, where Lua cannot be interrupted, as within a call of C,
/// holds up nobody.
extension LuaLane {
    private typealias Loaded = Result<LuaGeneration.Parcel, ScriptError>

    /// Loads what was last read of the folder. A script that hangs is left out until it is changed, or its last good version is
    /// used; its thread is given up, and the others are loaded on another.
    func loadGeneration() throws(ScriptError) -> LuaGeneration {
        while true {
            let load = try options.scripts.load()
            let number = LaneChores.nextNumber()
            let ends = LaneQueue<Never, Loaded>(workers: 1)
            let thread = LaneThread { [self] in ends.post(self.load(load, number), to: 0) }
            guard thread.start() else {
                throw ScriptError("cannot start a thread to load the scripts: raise the limit of threads (ulimit -u)")
            }
            var hang: LaneChores.Hang?
            while hang == nil {
                let next = ends.take(worker: 0, until: MonotonicClock.now + 500_000_000)
                if case .events(let loaded)? = next, let loaded = loaded.first { return try loaded.get().open() }
                hang = watched.abandon(number)
            }
            if let hang { try leaveOut(hang, of: load) }
        }
    }

    private func load(_ load: ScriptFolder.Load, _ number: UInt64) -> Loaded {
        let loaded: Loaded
        do throws(ScriptError) {
            let generation = try LuaGeneration.load(
                load, options, host: LuaHost(self, options),
                opened: { watched.begin(.loading, number, $0, scripts: load.scripts.map(\.path)) },
                closes: { watched.end(number) })
            loaded = .success(LuaGeneration.Parcel(generation))
        } catch {
            loaded = .failure(error)
            // It may have been for want of memory.
            options.memory.tellShortage()
        }
        // Who gets the state may close it.
        watched.end(number)
        return loaded
    }

    private func leaveOut(_ hang: LaneChores.Hang, of load: ScriptFolder.Load) throws(ScriptError) {
        let call = hang.call.map { ", \($0)," } ?? ""
        guard let index = hang.script else {
            throw ScriptError("finalizers (__gc) of the scripts hang\(call) where they cannot be interrupted")
        }
        let script = load.scripts[index]
        let reason =
            "\(script.path): hangs\(call) where it cannot be interrupted while it is loaded:"
            + " it is skipped until it is changed, and occupies a thread until it ends"
        options.scripts.note(hanging: script, reason)
        options.logger.critical("\(reason)", metadata: ["seconds": "\(Int(hang.seconds))"])
    }

    /// Closes a state, which is no longer used.
    func close(_ generation: LuaGeneration) {
        let (number, parcel) = (LaneChores.nextNumber(), LuaGeneration.Parcel(generation))
        generation.host.worker = nil
        watched.begin(.closing, number, generation.interrupter)
        put { $0.closes = true }
        let body: @Sendable () -> Void = { [self] in
            // The parcel keeps the state, which others look at until the end of the chore.
            parcel.open().shut()
            watched.end(number)
            noteStates(-1)
        }
        if !LaneThread(body).start() { body() }
    }
}
