internal import CLuaShim
internal import JobReactorCore
internal import Logging

/// What a state gets from the process around it: a place for what scripts print, for how far they are, and for the jobs
/// that they enqueue.
///
/// Belongs to the thread of its state.
final class LuaHost {
    private unowned let lane: LuaLane
    private let logger: Logger
    private let canEnqueue: Bool
    private var ids = JobID.Generator()
    /// The job that runs now; nil while scripts load.
    var current: Job?
    /// Whether it has enqueued jobs.
    var hasEnqueued = false
    /// The answer to the last `enqueue`, which C reads after the call.
    private var reply: [UInt8] = []

    /// The lane outlives its threads' hosts.
    init(_ lane: LuaLane, _ options: LuaLane.Options) {
        self.lane = lane
        logger = options.logger
        canEnqueue = options.canEnqueue
    }

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
            enqueue: canEnqueue
                ? { context, _, json, length, reply in
                    guard let host = LuaHost.of(context) else { return false }
                    return host.enqueue(UnsafeRawBufferPointer(start: json, count: length), &reply.pointee)
                } : nil)
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
        logger.log(level: level, "\(text)", metadata: metadata)
    }

    private func progress(_ fraction: Double?, _ text: String) {
        guard let job = current else { return }
        // Only the last word counts, so those that nobody has looked at yet make room.
        lane.put { $0.notes[job.id] = LuaLane.Note(job: job, fraction: fraction, text: text) }
    }

    private func enqueue(_ json: UnsafeRawBufferPointer, _ answer: inout jr_bytes) -> Bool {
        let isGood: Bool
        do throws(JobError) {
            let jobs = try read(json)
            lane.put { $0.enqueued += jobs }
            hasEnqueued = true
            reply = Array("[\(jobs.map { "\"\($0.id)\"" }.joined(separator: ","))]".utf8)
            isGood = true
        } catch {
            reply = Array(error.message.utf8)
            isGood = false
        }
        // The array is not touched before the next call, which is how long C reads it.
        answer = reply.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { jr_bytes(bytes: $0.baseAddress, length: $0.count) }
        }
        return isGood
    }

    /// Reads `[{"name": …, "args": {…}, "options": {…}}, …]`: all of them, or what is wrong with one.
    private func read(_ json: UnsafeRawBufferPointer) throws(JobError) -> [LuaLane.Enqueued] {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: json) } catch {
            throw JobError(.invalidArguments, "\(error)")
        }
        let distributor = current?.distributor ?? ""
        let now = Timestamp.now
        var jobs: [LuaLane.Enqueued] = []
        for item in value.array ?? [] {
            let name = item["name"]?.string ?? ""
            if let problem = Name.problem(in: name) { throw JobError(.invalidName, "the job's name \(problem)") }
            let options = try JobOptions(item["options"]?.object ?? [:])
            let args = Array((item["args"] ?? .object([:])).json.utf8)
            jobs.append(
                LuaLane.Enqueued(
                    id: options.id ?? ids.next(at: now), name: name, args: JobArguments(unchecked: args),
                    options: options, distributor: distributor))
        }
        return jobs
    }
}

private func text(_ bytes: UnsafePointer<CChar>, _ length: Int) -> String {
    String(decoding: UnsafeRawBufferPointer(start: bytes, count: length), as: UTF8.self)
}
