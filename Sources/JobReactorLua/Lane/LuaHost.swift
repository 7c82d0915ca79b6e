internal import CLuaShim
internal import JobReactorCore
internal import Logging

/// What a state gets from the process around it: a place for what scripts print, for how far they are, for the jobs that
/// they enqueue, and the functions of the libraries.
///
/// Belongs to the thread of its state.
final class LuaHost {
    private unowned let lane: LuaLane
    private let options: LuaLane.Options
    private let libraries: [any ScriptLibrary]
    /// By the numbers that C knows them by.
    private let bodies: [ScriptFunction.Body]
    private var ids = JobID.Generator()
    /// The thread that runs the state; nil while scripts load.
    weak var worker: LaneWorker?
    /// The number of the generation.
    var generation = 0
    /// The job that runs now; nil while scripts load.
    private(set) var current: Job?
    /// The span of its run.
    private var trace: JobTrace?
    /// Whether it has enqueued jobs.
    private var hasEnqueued = false
    /// What ends that for which jobs pause, when nobody waits for it any more, by its token. Those that sleep have none.
    private var cancellations: [UInt64: @Sendable () -> Void] = [:]
    /// The answer to the last call, which C reads after it.
    private var reply: [UInt8] = []
    private let answer = AnswerBuffer()

    /// The lane outlives its threads' hosts.
    init(_ lane: LuaLane, _ options: LuaLane.Options) {
        self.lane = lane
        self.options = options
        libraries = [CoreLibrary(lane.context)] + options.libraries
        // What sleeps is the worker's.
        bodies = [.immediate { _, _ in [] }] + libraries.flatMap { $0.functions.map(\.body) }
    }

    private static let sleepNumber: Int32 = 0

    /// A run begins, or runs on.
    func begin(_ job: Job, _ trace: JobTrace?) {
        current = job
        self.trace = trace
        hasEnqueued = false
    }

    /// Returns whether it has enqueued jobs since.
    func end() -> Bool {
        (current, trace) = (nil, nil)
        return hasEnqueued
    }

    // MARK: Libraries

    /// Runs the Lua of the libraries.
    func openLibraries(in state: OpaquePointer) throws(ScriptError) {
        var next: Int32 = 1
        for library in libraries {
            var functions = library.functions.map { function in
                defer { next += 1 }
                let suspends = if case .suspending = function.body { true } else { false }
                return (name: function.name, number: next, suspends: suspends)
            }
            if library is CoreLibrary { functions.append(("sleep", Self.sleepNumber, true)) }
            try open(library, functions, in: state)
        }
    }

    private func open(
        _ library: any ScriptLibrary, _ functions: [(name: String, number: Int32, suspends: Bool)],
        in state: OpaquePointer
    ) throws(ScriptError) {
        let names = CStrings(functions.map(\.name))
        let table = functions.indices.map {
            jr_function(name: names[$0], number: functions[$0].number, suspends: functions[$0].suspends)
        }
        var source = library.source
        var error = jr_bytes()
        let isGood = source.withUTF8 { text in
            text.withMemoryRebound(to: CChar.self) { text in
                withUnsafePointer(to: CChar(0)) { empty in
                    jr_open_library(
                        state, library.name, text.baseAddress ?? empty, text.count, table, table.count, &error)
                }
            }
        }
        if !isGood { throw ScriptError("the library \(library.name) cannot be loaded: \(error.text)") }
    }

    private var call: ScriptCall {
        var logger = options.logger
        if let current {
            logger[metadataKey: "job"] = "\(current.name)"
            logger[metadataKey: "id"] = "\(current.id)"
        }
        return ScriptCall(job: current, isSandboxed: options.isSandboxed, logger: logger, trace: trace)
    }

    private func call(_ number: Int32, _ arguments: [ScriptValue], _ answer: inout jr_answer) {
        guard case .immediate(let body) = bodies[Int(number)] else { return }
        do throws(ScriptFailure) { self.answer.fill(try body(call, arguments), &answer) } catch {
            self.answer.fill(error, &answer)
        }
    }

    private func start(_ number: Int32, _ token: UInt64, _ arguments: [ScriptValue], _ answer: inout jr_answer) {
        guard current != nil, let worker else {
            return self.answer.fill(ScriptFailure("no job runs"), &answer)
        }
        if number == Self.sleepNumber {
            return worker.sleep(token, of: generation, seconds: arguments.first?.double ?? 0)
        }
        guard case .suspending(let body) = bodies[Int(number)] else { return }
        do throws(ScriptFailure) {
            // One without a way to cancel it is told from a sleep by what does nothing.
            cancellations[token] = try body(call, arguments, worker.answerer(token, of: generation)) ?? {}
        } catch {
            self.answer.fill(error, &answer)
        }
    }

    /// An answer has come.
    func forget(_ token: UInt64) {
        if !cancellations.isEmpty { cancellations[token] = nil }
    }

    /// What was to be answered to the token is not needed any more.
    private func abandon(_ token: UInt64) {
        if let cancel = cancellations.removeValue(forKey: token) { cancel() } else { worker?.noteStaleAlarm() }
    }

    func abandonAll() {
        for cancel in cancellations.values { cancel() }
        cancellations = [:]
    }

    // MARK: For C

    /// For `jr_open`; valid while this object lives.
    var functions: jr_host {
        jr_host(
            context: Unmanaged.passUnretained(self).toOpaque(),
            log: { context, _, level, message, length in
                LuaHost.of(context)?.log(level, text(message, length))
            },
            progress: { context, _, fraction, message, length in
                LuaHost.of(context)?.progress(fraction.isNaN ? nil : fraction, text(message, length))
            },
            enqueue: options.canEnqueue
                ? { context, _, json, length, reply in
                    guard let host = LuaHost.of(context) else { return false }
                    return host.enqueue(UnsafeRawBufferPointer(start: json, count: length), &reply.pointee)
                } : nil,
            declare: { context, word, json, length, reply in
                guard let host = LuaHost.of(context) else { return false }
                let json = UnsafeRawBufferPointer(start: json, count: length)
                return host.declare(String(cString: word), json, &reply.pointee)
            },
            call: { context, _, number, arguments, count, answer in
                LuaHost.of(context)?.call(number, ScriptValue.list(arguments, count), &answer.pointee)
            },
            start: { context, _, token, number, arguments, count, answer in
                LuaHost.of(context)?.start(number, token, ScriptValue.list(arguments, count), &answer.pointee)
            },
            abandon: { context, token in LuaHost.of(context)?.abandon(token) })
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> LuaHost? {
        context.map { Unmanaged<LuaHost>.fromOpaque($0).takeUnretainedValue() }
    }

    private func log(_ level: jr_log_level, _ text: String) {
        let level: Logger.Level =
            switch level {
            case JR_LOG_DEBUG: .debug
            case JR_LOG_WARNING: .warning
            case JR_LOG_ERROR: .error
            default: .info
            }
        let metadata: Logger.Metadata = current.map { ["job": "\($0.name)", "id": "\($0.id)"] } ?? [:]
        options.logger.log(level: level, "\(text)", metadata: metadata)
    }

    private func progress(_ fraction: Double?, _ text: String) {
        guard let job = current else { return }
        // Only the last word counts, so those that nobody has looked at yet make room.
        let text = text.cut(toBytes: JobLimits.progressBytes)
        lane.put { $0.notes[job.id] = LuaLane.Note(job: job, fraction: fraction, text: text) }
    }

    private func enqueue(_ json: UnsafeRawBufferPointer, _ answer: inout jr_bytes) -> Bool {
        let isGood: Bool
        do throws(JobError) {
            var jobs = try LuaLane.Enqueued.read(json, distributor: current?.distributor ?? "", ids: &ids)
            if let trace { for index in jobs.indices { jobs[index].options.trace = trace } }
            lane.put { $0.enqueued += jobs }
            hasEnqueued = true
            reply = Array("[\(jobs.map { "\"\($0.id)\"" }.joined(separator: ","))]".utf8)
            isGood = true
        } catch {
            reply = Array(error.message.utf8)
            isGood = false
        }
        give(&answer)
        return isGood
    }

    private func declare(_ word: String, _ json: UnsafeRawBufferPointer, _ answer: inout jr_bytes) -> Bool {
        let isGood: Bool
        do throws(JobError) {
            reply = Array(try ScriptDeclaration(word, json).json.utf8)
            isGood = true
        } catch {
            reply = Array(error.message.utf8)
            isGood = false
        }
        give(&answer)
        return isGood
    }

    /// Hands the reply to C. The array is not touched before the next call, which is how long C reads it.
    private func give(_ answer: inout jr_bytes) {
        answer = reply.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { jr_bytes(bytes: $0.baseAddress, length: $0.count) }
        }
    }
}

extension LuaLane.Enqueued {
    /// Reads `[{"name": …, "args": {…}, "options": {…}}, …]`: all of them, or what is wrong with one.
    static func read(
        _ json: UnsafeRawBufferPointer, distributor: String, ids: inout JobID.Generator
    ) throws(JobError) -> [LuaLane.Enqueued] {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: json) } catch {
            throw JobError(.invalidArguments, "\(error)")
        }
        let now = Timestamp.now
        var jobs: [LuaLane.Enqueued] = []
        for item in value.array ?? [] {
            let name = item["name"]?.string ?? ""
            let options = try JobOptions(item["options"]?.object ?? [:])
            let args = JobArguments(unchecked: Array((item["args"] ?? .object([:])).json.utf8))
            try JobLimits.check(name, args, options, names: .plain)
            jobs.append(
                LuaLane.Enqueued(
                    id: options.id ?? ids.next(at: now), name: name, args: args, options: options,
                    distributor: distributor))
        }
        return jobs
    }
}

private func text(_ bytes: UnsafePointer<CChar>, _ length: Int) -> String {
    String(decoding: UnsafeRawBufferPointer(start: bytes, count: length), as: UTF8.self)
}
