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
            let result = try await turns.take {
                try await Subprocess.run(
                    request.configuration, input: .inputWriter, output: .sequence, error: .sequence
                ) { execution in await self.converse(execution) }
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
            return .failure(failure(Output()) ?? ScriptFailure(describe(error)))
        }
    }

    private func failure(_ output: Output) -> ScriptFailure? {
        if work.hasTimedOut {
            return ScriptFailure(
                "exec: \(request.program) was ended after its timeout of \(TimedWork.words(request.timeout)): give it more"
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
        _ execution: Execution<CustomWriteInput, SequenceOutput, SequenceOutput>
    ) async -> Output {
        let input = request.input
        var output = Output()
        async let isWritten: Void = {
            // A program may end, or close its input, before it has read all.
            if !input.isEmpty { _ = try? await execution.standardInputWriter.write(input) }
            try? await execution.standardInputWriter.finish()
        }()
        async let standardOutput = read(execution.standardOutput, of: execution)
        async let standardError = read(execution.standardError, of: execution)
        let (out, err) = await (standardOutput, standardError)
        await isWritten
        output.standardOutput = out ?? []
        output.standardError = err ?? []
        output.overflow = out == nil ? "standard output" : err == nil ? "standard error" : nil
        // It may go on without its output. Afterwards its number is still its group's, for what ignored the first signal.
        await execution.teardown(using: Self.waiting)
        if output.overflow != nil || Task.isCancelled { try? execution.send(signal: .kill, toProcessGroup: true) }
        return output
    }

    /// Nil when there is more than the limit; the program has then been ended.
    private func read(
        _ sequence: SubprocessOutputSequence,
        of execution: Execution<CustomWriteInput, SequenceOutput, SequenceOutput>
    ) async -> [UInt8]? {
        var bytes: [UInt8] = []
        var iterator = sequence.makeAsyncIterator()
        while let buffer = try? await iterator.next() {
            guard buffer.count <= request.maximumOutput - bytes.count else {
                await execution.teardown(using: Self.teardown)
                return nil
            }
            buffer.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        return bytes
    }

    private func describe(_ error: any Error) -> String {
        let program = request.program
        guard let error = error as? SubprocessError else { return "exec: cannot run \(program): \(error)" }
        switch error.code {
        case .executableNotFound where program.contains("/"):
            return "exec: there is no program \(program) that may be run: check the path and its permissions"
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
