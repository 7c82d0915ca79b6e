internal import JobReactorCore
private import Logging

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// What every script finds beside the language: pauses and tasks, other jobs, the job that runs, time, ids, the environment,
/// `shared` and `url`. Its `sleep` is the worker's.
struct CoreLibrary: ScriptLibrary {
    private let context: ScriptContext

    init(_ context: ScriptContext) { self.context = context }

    let name = "jobreactor"
    var source: String { String(decoding: PackageResources.core_lua, as: UTF8.self) }

    var functions: [ScriptFunction] {
        [
            .immediate("clock") { _, _ in [.number(Double(MonotonicClock.now) / 1e9)] },
            .immediate("now") { _, _ in [.number(Timestamp.now.seconds)] },
            .immediate("uuid") { _, _ in [.string(UUIDText.random())] },
            .immediate("new_id") { _, _ in
                var ids = JobID.Generator()
                return [.string(ids.next(at: .now).description)]
            },
            .immediate("env") { call, arguments in
                guard !call.isSandboxed, let name = arguments.first?.text, let value = getenv(name) else {
                    return [.nil]
                }
                return [.string(String(cString: value))]
            },
            .immediate("stopping") { [context] _, _ in [.bool(context.isStopping)] },
            .immediate("field", Self.field),
            .immediate("check_job") { _, arguments throws(ScriptFailure) in
                do throws(JobError) { _ = try LuaLane.Enqueued(arguments, distributor: "") } catch {
                    throw ScriptFailure("enqueue: \(error.message)")
                }
                return []
            },
            .immediate("is_linked") { [context] _, _ in [.bool(context.place != nil)] },
            .suspending("perform", perform), .suspending("enqueue", place),
        ] + sharedFunctions
    }

    private static let field: ScriptFunction.Immediate = { call, arguments throws(ScriptFailure) in
        let name = arguments.first?.text ?? ""
        guard let job = call.job else { throw ScriptFailure("job.\(name) can only be read while a job runs") }
        return switch name {
        case "id": [.string(job.id.description)]
        case "name": [.string(job.name)]
        case "attempt": [.integer(Int64(job.attempt))]
        case "schedule": [job.tick.map { .string($0.schedule) } ?? .nil]
        case "tick": [job.tick.map { tick($0.at) } ?? .nil]
        default: [.nil]
        }
    }

    /// Seconds since 1970; of a tick most often whole ones.
    private static func tick(_ time: Timestamp) -> ScriptValue {
        let (seconds, rest) = time.microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return rest == 0 ? .integer(seconds) : .number(time.seconds)
    }

    private var perform: ScriptFunction.Suspending {
        { [context] call, arguments, done throws(ScriptFailure) in
            guard let perform = context.perform else {
                throw ScriptFailure("perform is not available here: there is no distributor")
            }
            var job: LuaLane.Enqueued
            do throws(JobError) {
                job = try LuaLane.Enqueued(arguments, distributor: call.job?.distributor ?? "")
                job.options.trace = call.trace
            } catch {
                throw ScriptFailure("perform: \(error.message)")
            }
            let logger = call.logger
            perform(job, { logger.warning("perform: \($0)") }, done)
            return nil
        }
    }

    /// `enqueue` of a job with a key.
    private var place: ScriptFunction.Suspending {
        { [context] call, arguments, done throws(ScriptFailure) in
            guard let place = context.place else { throw ScriptFailure("enqueue is not available here") }
            do throws(JobError) {
                var job = try LuaLane.Enqueued(arguments, distributor: call.job?.distributor ?? "")
                job.options.trace = call.trace
                place(job, done)
            } catch {
                throw ScriptFailure("enqueue: \(error.message)")
            }
            return nil
        }
    }

    private var sharedFunctions: [ScriptFunction] {
        let shared = context.shared
        return [
            .immediate("shared_get") { _, arguments in [shared.get(arguments.first?.bytes ?? [])] },
            .immediate("shared_set") { _, arguments throws(ScriptFailure) in
                let hasRoom = shared.set(
                    arguments[0].bytes ?? [], Self.sharedValue(arguments), ttl: Self.ttl(arguments))
                guard hasRoom else { throw ScriptFailure("shared.set: \(shared.fullText)") }
                return []
            },
            .immediate("shared_add") { _, arguments throws(ScriptFailure) in
                let isNew = shared.addIfThereIsRoom(
                    arguments[0].bytes ?? [], Self.sharedValue(arguments), ttl: Self.ttl(arguments))
                guard let isNew else { throw ScriptFailure("shared.add: \(shared.fullText)") }
                return [.bool(isNew)]
            },
            .immediate("shared_incr") { _, arguments throws(ScriptFailure) in
                let key = arguments[0].bytes ?? []
                guard let sum = shared.increment(key, by: arguments[1], ttl: arguments[2].double) else {
                    guard shared.get(key) != .nil else { throw ScriptFailure("shared.incr: \(shared.fullText)") }
                    throw ScriptFailure("shared.incr: '\(String(decoding: key, as: UTF8.self))' is not a number")
                }
                return [sum]
            },
            .immediate("shared_delete") { _, arguments in [.bool(shared.delete(arguments.first?.bytes ?? []))] },
        ]
    }

    private static func sharedValue(_ arguments: [ScriptValue]) -> ScriptValue {
        if arguments[2].isTrue, let json = arguments[1].bytes { return .json(json) }
        return arguments[1]
    }

    private static func ttl(_ arguments: [ScriptValue]) -> Double? { arguments.count > 3 ? arguments[3].double : nil }
}

extension LuaLane.Enqueued {
    /// From a name, JSON of the args and JSON of the options.
    fileprivate init(_ arguments: [ScriptValue], distributor: String) throws(JobError) {
        let name = arguments[0].text ?? ""
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: arguments[2].bytes ?? []) } catch {
            throw JobError(.invalidOption, "\(error)")
        }
        guard let members = value.object else { throw JobError(.invalidOption, "the options must have names as keys") }
        let options = try JobOptions(members)
        let args: JobArguments
        do throws(JSONError) { args = try JobArguments(json: arguments[1].bytes ?? []) } catch {
            throw JobError(.invalidArguments, "\(error)")
        }
        try JobLimits.check(name, args, options, names: .plain)
        var ids = JobID.Generator()
        self.init(
            id: options.id ?? ids.next(at: .now), name: name, args: args, options: options, distributor: distributor)
    }
}

/// A random UUID, of version 4.
enum UUIDText {
    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return text(generator.next(), generator.next())
    }

    static func text(_ high: UInt64, _ low: UInt64) -> String {
        let high = high & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        func hex(_ value: UInt64, _ digits: Int) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: digits - text.count) + text
        }
        let parts = [
            hex(high >> 32, 8), hex(high >> 16 & 0xFFFF, 4), hex(high & 0xFFFF, 4), hex(low >> 48, 4),
            hex(low & 0xFFFF_FFFF_FFFF, 12),
        ]
        return parts.joined(separator: "-")
    }
}
