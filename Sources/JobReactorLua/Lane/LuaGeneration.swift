internal import CLuaShim
internal import JobReactorCore

/// One Lua state with all scripts of a folder as they were at one moment, and the runs that pause in it.
///
/// Belongs to one thread at a time: that which made it, until it is put into a ``Parcel``, then that which opens this.
final class LuaGeneration {
    let state: OpaquePointer
    let host: LuaHost
    /// Tells the generations of a lane apart.
    let number: Int
    let report: ScriptReport
    /// Runs that pause, by their numbers.
    private var suspended: [UInt64: Suspended] = [:]

    /// What is kept of a run while it pauses.
    private final class Suspended {
        let run: LuaLane.Run
        let handle: OpaquePointer
        let hasEnqueued: Bool
        let deadline: Int64

        init(run: LuaLane.Run, handle: OpaquePointer, hasEnqueued: Bool, deadline: Int64) {
            self.run = run
            self.handle = handle
            self.hasEnqueued = hasEnqueued
            self.deadline = deadline
        }
    }

    private init(state: OpaquePointer, host: LuaHost, number: Int, report: ScriptReport) {
        self.state = state
        self.host = host
        self.number = number
        self.report = report
        host.generation = number
    }

    deinit { jr_close(state) }

    /// Between runs.
    func collectGarbage() { jr_collect(state) }

    /// Runs the finalizers that are left, and frees what Lua has. Nothing runs in the state any more.
    func shut() { withExtendedLifetime(host) { jr_shut(state) } }

    /// A generation on its way from the thread that made it to the one that uses it.
    ///
    /// `@unchecked Sendable`: nobody keeps the generation but the parcel, and it is opened once, by its receiver.
    final class Parcel: @unchecked Sendable {
        private let generation: LuaGeneration

        init(_ generation: LuaGeneration) { self.generation = generation }

        func open() -> LuaGeneration { generation }
    }

    /// Loads the scripts of the folder. A script that cannot be loaded is left out, or its last good version is used, and
    /// stands in the report; only a folder that cannot be read, or memory that ran out, is an error.
    static func load(_ options: LuaLane.Options, host: LuaHost) throws(ScriptError) -> LuaGeneration {
        try load(try options.scripts.load(), options, host: host)
    }

    /// As ``load(_:host:)``. Whoever watches is told of the state when it is there, and again before it is gone, should the load
    /// fail.
    static func load(
        _ load: ScriptFolder.Load, _ options: LuaLane.Options, host: LuaHost,
        opened: (Interrupter) -> Void = { _ in }, closes: () -> Void = {}
    ) throws(ScriptError) -> LuaGeneration {
        let made = options.scripts.directory.path.withCString { path in
            var functions = host.functions
            var settings = jr_options(
                memory_limit: 0, budget: options.memory.budget, module_directory: path, strict: options.isSandboxed,
                names_flags: SettingName.areFlags, loading_seconds: options.loadingSeconds)
            return jr_open(&functions, &settings)
        }
        guard let state = made else {
            throw ScriptError("not enough memory for a Lua state: raise \(SettingName.memoryLimit)")
        }
        opened(Interrupter(state: state))
        func giveUp() {
            // Finalizers of scripts may still log.
            withExtendedLifetime(host) { jr_shut(state) }
            closes()
            jr_close(state)
        }
        do throws(ScriptError) { try host.openLibraries(in: state) } catch {
            giveUp()
            throw error
        }
        var report = ScriptReport()
        let builtIn = NamesInState.modules(of: state) ?? []
        let good = load.run(in: state, &report)
        guard report.addDefinitions(of: state) else {
            giveUp()
            throw ScriptError("not enough memory for the job scripts: raise \(SettingName.memoryLimit)")
        }
        options.scripts.note(good: good, now: .now)
        report.problems += ScriptCheck(state, load, report, builtIn: builtIn).problems
        return LuaGeneration(state: state, host: host, number: load.generation, report: report)
    }

    /// Interrupts runs of the state, from any thread; not after the state is closed.
    ///
    /// `@unchecked Sendable`: what it calls may be called from any thread.
    struct Interrupter: @unchecked Sendable {
        fileprivate let state: OpaquePointer

        func cancel(_ run: UInt64) { jr_cancel_run(state, run) }
        func warn(_ run: UInt64) { jr_warn_run(state, run) }
        func endSlice(_ run: UInt64) { jr_stop_slice(state, run) }
        var activity: Activity { Activity(state) }
    }

    /// What a state is at, as whoever looks sees it. Times are nanoseconds of the monotonic clock.
    struct Activity {
        /// When what is under way began, without a pause since; 0 when nothing is.
        let began: Int64
        /// When that is to be interrupted; 0 for never.
        let deadline: Int64
        /// The run that was asked where it is and has not answered: it is within C; 0 for none.
        let asked: UInt64
        /// Which script is loaded.
        let script: Int?
        /// The call of C that is under way, as `jobs.lua:3 in os.execute`; nil for none that may take long.
        let call: String?
        /// Where it was within C when it was last asked or interrupted, as `jobs.lua:3 in receive`; nil when it was not, or is not
        /// any more, or that was not to be seen.
        let site: String?
        /// Either, as far as it is known.
        var place: String? { call ?? site }

        fileprivate init(_ state: OpaquePointer) {
            var activity = jr_activity()
            jr_look(state, &activity)
            (began, deadline, asked) = (activity.began, activity.deadline, activity.asked)
            script = activity.script == 0 ? nil : activity.script - 1
            call = activity.function.map { function in
                let place = Self.text(activity.place)
                return (place.isEmpty ? "" : place + " ") + "in " + String(cString: function)
            }
            let site = Self.text(activity.site)
            self.site = site.isEmpty ? nil : site
        }

        /// An array of C that ends with a zero.
        private static func text(_ array: some Any) -> String {
            withUnsafeBytes(of: array) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
    }

    var interrupter: Interrupter { Interrupter(state: state) }

    // MARK: Runs

    /// How far a run came.
    enum SliceEnd {
        case ended(LuaLane.Outcome, hadDeadline: Bool)
        /// `isFirst` when it had not paused before. A deadline is told once.
        case suspended(LuaLane.Run, isFirst: Bool, deadline: Int64?)
    }

    /// Runs a job, with ``JobLifecycle/begin(_:now:)`` done, or the errbacks of one that failed, until it ends or pauses.
    func run(_ run: LuaLane.Run) -> SliceEnd {
        let job = run.job
        host.begin(job, run.trace)
        var result = jr_result()
        var name = job.name
        name.withUTF8 { name in
            job.args.bytes.withUnsafeBytes { args in
                withOptionalBytes(run.jobItself, run.raised?.error) { itself, error in
                    var request = jr_request(
                        run: nil,
                        name: UnsafeRawPointer(name.baseAddress ?? Self.empty).assumingMemoryBound(to: CChar.self),
                        name_length: name.count,
                        args: (args.baseAddress ?? UnsafeRawPointer(Self.empty)).assumingMemoryBound(to: CChar.self),
                        args_length: args.count, job_itself: itself.baseAddress?.assumingMemoryBound(to: CChar.self),
                        job_itself_length: itself.count, number: run.number, attempt: job.attempt,
                        timeout: run.timeout ?? 0, pauses: run.pauses,
                        error: error.baseAddress?.assumingMemoryBound(to: CChar.self), error_length: error.count)
                    jr_run(state, &request, &result)
                }
            }
        }
        return end(of: run, result, before: nil)
    }

    private func end(of run: LuaLane.Run, _ result: jr_result, before: Suspended?) -> SliceEnd {
        let hasEnqueued = host.end() || before?.hasEnqueued == true
        if result.outcome == JR_RUN_SUSPENDED, let handle = result.suspended {
            var run = run
            run.jobItself = nil
            suspended[run.number] = Suspended(
                run: run, handle: handle, hasEnqueued: hasEnqueued, deadline: result.deadline)
            let isNew = result.deadline != 0 && result.deadline != before?.deadline
            return .suspended(run, isFirst: before == nil, deadline: isNew ? result.deadline : nil)
        }
        var outcome = RunOutcome(result, storedArgs: run.job.args)
        if let raised = run.raised {
            // Without a definition any more there are no errbacks.
            if outcome.kind == .undefined {
                outcome = raised
                outcome.kind = .failed
            }
            outcome.traceback = raised.traceback
            outcome.step = raised.step
        } else if let step = outcome.step, let traceback = outcome.traceback {
            outcome.traceback = "in \(step) of the job '\(run.job.name)'\n\(traceback)"
                .cut(toBytes: JobLimits.errorTextBytes)
        }
        // Only args that are too large come so from C, which asks for a pause before the errbacks by itself.
        if outcome.kind == .raised, !run.pauses { outcome.kind = .failed }
        return .ended(
            LuaLane.Outcome(run.job, outcome, hasEnqueued: hasEnqueued, wasSuspended: before != nil),
            hadDeadline: (before?.deadline ?? 0) != 0)
    }

    // MARK: Pauses

    var hasSuspended: Bool { !suspended.isEmpty }

    /// The run of a job, if it pauses.
    func suspendedRun(of id: JobID) -> LuaLane.Run? { suspended.values.first { $0.run.job.id == id }?.run }

    func suspendedRun(_ number: UInt64) -> LuaLane.Run? { suspended[number]?.run }

    /// The run that the answer to a token is for; nil when nobody waits for it any more.
    func run(waitingFor token: UInt64) -> LuaLane.Run? { suspended[jr_waiting_run(state, token)]?.run }

    /// Runs a job on with the answer it has waited for.
    func resume(_ run: LuaLane.Run, _ token: UInt64, _ answer: Result<[ScriptValue], ScriptFailure>) -> SliceEnd {
        `continue`(run) { result in
            host.forget(token)
            withAnswer(answer) { answer in _ = jr_resume(state, token, answer, &result) }
        }
    }

    /// Why a run that pauses ends.
    enum EndReason {
        case cancelled
        case timedOut
    }

    func end(_ run: LuaLane.Run, _ reason: EndReason) -> SliceEnd {
        `continue`(run) { result in
            guard let handle = suspended[run.number]?.handle else { return }
            jr_end_suspended(state, handle, reason == .cancelled ? JR_END_CANCELLED : JR_END_TIMED_OUT, &result)
        }
    }

    private func `continue`(_ run: LuaLane.Run, _ body: (inout jr_result) -> Void) -> SliceEnd {
        var result = jr_result()
        guard let before = suspended[run.number] else { return .suspended(run, isFirst: false, deadline: nil) }
        host.begin(before.run.job, before.run.trace)
        body(&result)
        suspended[run.number] = nil
        return end(of: before.run, result, before: before)
    }

    /// The lane ends: what the host still does for runs is not needed any more.
    func abandonAll() { host.abandonAll() }

    // Never freed: a place to point at when there is nothing.
    private static var empty: UnsafePointer<UInt8> { EmptyBytes.pointer }
}

private enum EmptyBytes {
    // Written once, before any use, and never changed.
    nonisolated(unsafe) static let pointer: UnsafePointer<UInt8> = {
        let pointer = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
        pointer.initialize(to: 0)
        return UnsafePointer(pointer)
    }()
}

private func withOptionalBytes(
    _ first: [UInt8]?, _ second: [UInt8]?, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void
) {
    let none = UnsafeRawBufferPointer(start: nil, count: 0)
    if let first { return first.withUnsafeBytes { first in withOptionalBytes(nil, second) { body(first, $1) } } }
    if let second { second.withUnsafeBytes { body(none, $0) } } else { body(none, none) }
}

extension jr_bytes {
    var array: [UInt8] { Array(UnsafeRawBufferPointer(start: bytes, count: length)) }
    var text: String {
        String(decoding: UnsafeRawBufferPointer(start: bytes, count: length), as: UTF8.self)
    }
    fileprivate var optionalArray: [UInt8]? { length == 0 ? nil : array }
    fileprivate var optionalText: String? { length == 0 ? nil : text }
}

extension RunOutcome {
    fileprivate init(_ result: jr_result, storedArgs: JobArguments) {
        let kind: Kind
        switch result.outcome {
        case JR_RUN_SUCCEEDED: kind = .succeeded
        case JR_RUN_CANCELLED: kind = .cancelled
        case JR_RUN_RAISED: kind = .raised
        case JR_RUN_FAILED_CANCELLED: kind = .failedCancelled
        case JR_RUN_UNDEFINED:
            self.init(.undefined, args: storedArgs)
            return
        default: kind = .failed
        }
        // What is too large is not even copied.
        let isTooLarge = result.args.length > RunOutcome.limit(after: storedArgs)
        if kind == .succeeded, !isTooLarge {
            self.init(kind, args: JobArguments(unchecked: result.args.array))
            return
        }
        let keepsStored = isTooLarge || result.args.bytes == nil
        let args = keepsStored ? storedArgs : JobArguments(unchecked: result.args.array)
        self.init(
            kind, args: args, error: result.error.optionalArray,
            errbackError: result.errback_error.optionalArray, message: result.message.optionalText,
            traceback: result.traceback.optionalText, retryIn: result.retry_in.isNaN ? nil : result.retry_in)
        step = result.step.optionalText
        limit(leftBytes: isTooLarge ? result.args.length : nil, stored: storedArgs)
    }
}
