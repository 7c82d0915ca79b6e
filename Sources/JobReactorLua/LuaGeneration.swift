internal import CLuaShim
internal import JobReactorCore

/// One Lua state with all scripts of a folder as they were at one moment.
///
/// Belongs to the thread that made it.
final class LuaGeneration {
    private let state: OpaquePointer
    private let host: LuaHost
    let report: ScriptReport

    private init(state: OpaquePointer, host: LuaHost, report: ScriptReport) {
        self.state = state
        self.host = host
        self.report = report
    }

    deinit { jr_close(state) }

    /// Loads every script of the folder. A script that cannot be loaded is left out and stands in the report; only a
    /// folder that cannot be read, or memory that ran out, is an error.
    static func load(_ directory: JobDirectory, memoryLimit: Int, host: LuaHost) throws(ScriptError) -> LuaGeneration {
        let paths = try directory.scriptPaths()
        let opened = directory.path.withCString { path in
            var functions = host.functions
            var options = jr_options(memory_limit: memoryLimit, module_directory: path)
            return jr_open(&functions, &options)
        }
        guard let state = opened else { throw ScriptError("not enough memory for a Lua state: raise --memory-limit") }
        var report = ScriptReport()
        report.fileCount = paths.count
        for path in paths {
            do throws(ScriptError) { try load(path, of: directory, into: state) } catch {
                report.problems.append(ScriptReport.Problem(isError: true, message: error.message))
            }
        }
        let isJoined = withUnsafeMutablePointer(to: &report) { report in
            jr_join_definitions(state, report) { context, severity, message, length in
                let text = String(decoding: UnsafeRawBufferPointer(start: message, count: length), as: UTF8.self)
                context?.assumingMemoryBound(to: ScriptReport.self).pointee.problems
                    .append(ScriptReport.Problem(isError: severity == JR_PROBLEM_ERROR, message: text))
            }
                && jr_list_jobs(state, report) { context, job in
                    context?.assumingMemoryBound(to: ScriptReport.self).pointee.definitions
                        .append(ScriptReport.Definition(job.pointee))
                }
        }
        guard isJoined else {
            // Finalizers of scripts may still log.
            withExtendedLifetime(host) { jr_close(state) }
            throw ScriptError("not enough memory for the job scripts: raise --memory-limit")
        }
        return LuaGeneration(state: state, host: host, report: report)
    }

    private static func load(
        _ path: String, of directory: JobDirectory, into state: OpaquePointer
    ) throws(ScriptError) {
        let source = try directory.source(of: path)
        var error = jr_bytes()
        let isGood = source.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                withUnsafePointer(to: CChar(0)) { empty in
                    jr_load_script(state, path, characters.baseAddress ?? empty, characters.count, &error)
                }
            }
        }
        if !isGood { throw ScriptError(error.text) }
    }

    /// Interrupts runs of the state, from any thread; not after the state is closed.
    ///
    /// `@unchecked Sendable`: `jr_cancel_run` may be called from any thread.
    struct Interrupter: @unchecked Sendable {
        fileprivate let state: OpaquePointer

        func cancel(_ run: UInt64) { jr_cancel_run(state, run) }
    }

    var interrupter: Interrupter { Interrupter(state: state) }

    /// Runs a job, with ``JobLifecycle/begin(_:now:)`` done, or the errbacks of one that failed; returns whether it has
    /// enqueued others as well.
    func run(_ run: LuaLane.Run) -> (RunOutcome, hasEnqueued: Bool) {
        let job = run.job
        host.current = job
        host.hasEnqueued = false
        defer { host.current = nil }
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
        var outcome = RunOutcome(result, storedArgs: job.args)
        if let raised = run.raised {
            // Without a definition any more there are no errbacks.
            if outcome.kind == .undefined {
                outcome = raised
                outcome.kind = .failed
            }
            outcome.traceback = raised.traceback
        }
        return (outcome, host.hasEnqueued)
    }

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
    fileprivate var array: [UInt8] { Array(UnsafeRawBufferPointer(start: bytes, count: length)) }
    fileprivate var text: String {
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
        if kind == .succeeded {
            self.init(kind, args: JobArguments(unchecked: result.args.array))
            return
        }
        self.init(
            kind, args: JobArguments(unchecked: result.args.array), error: result.error.optionalArray,
            errbackError: result.errback_error.optionalArray, message: result.message.optionalText,
            traceback: result.traceback.optionalText, retryIn: result.retry_in.isNaN ? nil : result.retry_in)
    }
}

extension ScriptReport.Definition {
    fileprivate init(_ job: jr_job_definition) {
        name = String(
            decoding: UnsafeRawBufferPointer(start: job.name, count: job.name_length), as: UTF8.self)
        file = String(cString: job.file)
        line = Int(job.line)
        callbacks = Int(job.callbacks)
        errbacks = Int(job.errbacks)
        policy = ScriptPolicy(
            maxAttempt: job.max_attempt.isNaN ? nil : Int(exactly: job.max_attempt),
            retryMultiplier: job.retry_multiplier.isNaN ? nil : job.retry_multiplier,
            backoff: RetryBackoff(job.backoff), jitter: job.jitter.isNaN ? nil : job.jitter,
            maxRetryDelay: job.max_retry_delay.isNaN ? nil : job.max_retry_delay,
            timeout: job.timeout.isNaN ? nil : job.timeout)
    }
}

extension RetryBackoff {
    /// Nil where the script says nothing, and for a function: its answer comes with the outcome.
    fileprivate init?(_ backoff: jr_backoff) {
        switch backoff {
        case JR_BACKOFF_LINEAR: self = .linear
        case JR_BACKOFF_EXPONENTIAL: self = .exponential
        default: return nil
        }
    }
}
