internal import JobReactorCore
internal import JobReactorLua
internal import Subprocess
internal import SystemPackage

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// One run of a program, from its start to its end, by itself or by us.
struct ProcessRun: Sendable {
    /// First a chance to end, then the end, for all that the program started.
    static let teardown = [
        TeardownStep.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: .seconds(2))
    ]
    /// Waits for the end of the process: a signal that none is, and a time that none takes.
    private static let waiting = [
        TeardownStep.send(
            signal: Signal(rawValue: 0), toProcessGroup: true, allowedDurationToNextStep: .seconds(14 * 86_400))
    ]

    private struct Output {
        var standardOutput: [UInt8] = []
        var standardError: [UInt8] = []
        /// Which of both was too long.
        var overflow: String?
    }

    private struct Outputs: Sendable {
        let output: ProcessOutput
        let error: ProcessOutput
        /// Whether a program has them.
        let hasStarted = Locked(false)

        /// Nil when the system has not enough files left for them, and for what else a start takes.
        init?(limit: Int) {
            guard let output = ProcessOutput(limit: limit) else { return nil }
            guard let error = ProcessOutput(limit: limit) else {
                output.discard()
                return nil
            }
            self.output = output
            self.error = error
            guard OpenFiles.hasRoom(for: 8) else {
                discard()
                return nil
            }
        }

        func discard() {
            output.discard()
            error.discard()
        }
    }

    private let request: ProcessRequest
    private let turns: Turns
    private let work: TimedWork

    private init(_ request: ProcessRequest, _ turns: Turns, _ work: TimedWork) {
        self.request = request
        self.turns = turns
        self.work = work
    }

    /// Starts the program; `done` is called once when all is over, with status, signal, standard output and error.
    /// Returns what ends the program.
    static func start(_ request: ProcessRequest, _ turns: Turns, done: @escaping ScriptFunction.Done)
        -> @Sendable () -> Void
    {
        ignoreBrokenPipes
        let work = TimedWork(seconds: request.timeout) { work in done(await ProcessRun(request, turns, work).run()) }
        return { work.cancel() }
    }

    private func run() async -> Result<[ScriptValue], ScriptFailure> {
        do {
            return try await turns.take {
                work.begin()
                return try await runInTurn()
            }
        } catch {
            return .failure(failure(Output()) ?? ScriptFailure(describe(error)))
        }
    }

    private func runInTurn() async throws -> Result<[ScriptValue], ScriptFailure> {
        guard let outputs = Outputs(limit: request.maximumOutput) else {
            return .failure(
                ScriptFailure(
                    "exec: cannot run \(request.program): this process has too many open files: raise the limit of the system"
                        + " (ulimit -n), or run fewer programs at once (\(SettingName.maxPrograms))"))
        }
        do {
            let result = try await Subprocess.run(
                request.configuration, input: .inputWriter,
                output: .fileDescriptor(outputs.output.descriptor, closeAfterSpawningProcess: false),
                error: .fileDescriptor(outputs.error.descriptor, closeAfterSpawningProcess: false)
            ) { execution in
                outputs.hasStarted.withLock { $0 = true }
                return await self.converse(execution, outputs)
            }
            let output = result.closureResult
            if let failure = failure(output) { return .failure(failure) }
            let (status, signal): (ScriptValue, ScriptValue) =
                switch result.terminationStatus {
                case .exited(let code): (.integer(Int64(code)), .nil)
                case .signaled(let number): (.nil, .integer(Int64(number)))
                }
            return .success([status, signal, .string(output.standardOutput), .string(output.standardError)])
        } catch {
            if !outputs.hasStarted.withLock({ $0 }) { outputs.discard() }
            throw error
        }
    }

    private func failure(_ output: Output) -> ScriptFailure? {
        if work.hasTimedOut {
            return ScriptFailure(
                "exec: \(request.program) was ended after its timeout of \(TimedWork.words(request.timeout)): raise it"
                    + " with timeout = seconds")
        }
        if let stream = output.overflow {
            return ScriptFailure(
                "exec: \(request.program) was ended: it wrote more than the limit of \(request.maximumOutput) bytes to its"
                    + " \(stream): raise it with max_output = bytes")
        }
        return Task.isCancelled ? ScriptFailure("exec: \(request.program) was ended: the job was cancelled") : nil
    }

    /// Writes and reads all at once, as each side may wait for the other, until the process is gone.
    private func converse(
        _ execution: Execution<CustomWriteInput, FileDescriptorOutput, FileDescriptorOutput>, _ outputs: Outputs
    ) async -> Output {
        let input = request.input
        let end: @Sendable () -> Void = { Task { await execution.teardown(using: Self.teardown) } }
        outputs.output.start(onOverflow: end)
        outputs.error.start(onOverflow: end)
        async let isWritten: Void = {
            // A program may end, or close its input, before it has read all.
            if !input.isEmpty { _ = try? await execution.standardInputWriter.write(input) }
            try? await execution.standardInputWriter.finish()
        }()
        // It may go on without its outputs.
        await execution.teardown(using: Self.waiting)
        let (out, err) = await (outputs.output.finish(), outputs.error.finish())
        await isWritten
        var output = Output()
        output.standardOutput = out ?? []
        output.standardError = err ?? []
        output.overflow = out == nil ? "standard output" : err == nil ? "standard error" : nil
        // Afterwards its number is still its group's, for what ignored the first signal.
        if output.overflow != nil || Task.isCancelled { try? execution.send(signal: .kill, toProcessGroup: true) }
        return output
    }

    private func describe(_ error: any Error) -> String {
        let program = request.program
        guard let error = error as? SubprocessError else { return "exec: cannot run \(program): \(error)" }
        switch error.code {
        case .executableNotFound where request.isPath:
            return "exec: there is no executable program \(program): check the path and its permissions"
        case .executableNotFound:
            return "exec: there is no program \(program) on the PATH: install it, or write its path"
        case .failedToChangeWorkingDirectory:
            return "exec: there is no directory \(request.directory ?? "") to run \(program) in: check the path"
        default:
            let reason = error.underlyingError.map { "\($0)".lowercased() } ?? "\(error)"
            return "exec: cannot run \(program): \(reason): check that it is a program for this machine"
        }
    }

    /// Without a socket in the process nobody else has done it, and a program that does not read its input would end us.
    private static let ignoreBrokenPipes: Void = {
        var action = sigaction()
        sigaction(SIGPIPE, nil, &action)
        #if canImport(Darwin)
            let handler = unsafeBitCast(action.__sigaction_u.__sa_handler, to: Int.self)
        #else
            let handler = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
        #endif
        if handler == 0 { signal(SIGPIPE, SIG_IGN) }
    }()
}
