package import JobReactorCore

/// An order for one schedule: `SCHEDULE SET nightly '30 2 * * *' report`, `SCHEDULE RUN nightly`.
package enum ScheduleOrder: Hashable, Sendable {
    /// Sets a schedule until it is deleted.
    case set(Schedule)
    case delete(String)
    case pause(String)
    case resume(String)
    /// Runs it now, regardless of its due times.
    case run(String)
    /// Returns its fields, without a change.
    case get(String)

    /// The name of the schedule.
    package var name: String {
        switch self {
        case .set(let schedule): schedule.name
        case .delete(let name), .pause(let name), .resume(let name), .run(let name), .get(let name): name
        }
    }

    private static let ofName: [(word: StaticString, order: @Sendable (String) -> ScheduleOrder)] = [
        ("DEL", { .delete($0) }), ("PAUSE", { .pause($0) }), ("RESUME", { .resume($0) }), ("RUN", { .run($0) }),
        ("GET", { .get($0) }),
    ]

    /// The words behind `SCHEDULE`.
    init(_ frame: RESPFrame, _ count: Int) throws(CommandError) {
        let grammar = "SET name spec job [args-json] [option value …], or DEL, PAUSE, RESUME, RUN or GET name"
        guard count > 1 else { throw CommandError("ERR SCHEDULE takes \(grammar)") }
        if CommandWord.matches(frame.word(1), "SET") {
            guard count >= 5 else {
                throw CommandError("ERR SCHEDULE SET takes name spec job [args-json] [option value …]")
            }
            self = .set(try Self.schedule(frame, count))
            return
        }
        guard let make = Self.ofName.first(where: { CommandWord.matches(frame.word(1), $0.word) }), count == 3 else {
            throw CommandError("ERR SCHEDULE takes \(grammar), not '\(CommandWord.shown(frame.word(1)))'")
        }
        let name = frame.text(2)
        if let problem = Name.problem(in: name) { throw CommandError("ERR the schedule's name \(problem)") }
        self = make.order(name)
    }

    private static func schedule(_ frame: RESPFrame, _ count: Int) throws(CommandError) -> Schedule {
        var args = JobArguments()
        var position = 5
        if position < count, frame.word(position).first == UInt8(ascii: "{") {
            do throws(JSONError) { args = try JobArguments(json: Array(frame.word(position))) } catch {
                throw CommandError("ERR args must be one JSON object: \(error)")
            }
            position += 1
        }
        var options: [String: JSONValue] = [:]
        while position < count {
            let option = CommandWord.shown(frame.word(position))
            guard position + 1 < count else { throw CommandError("ERR \(option) needs a value") }
            let name = option.lowercased()
            options[name] = try value(frame.word(position + 1), of: name, option)
            position += 2
        }
        do throws(JobError) {
            return try Schedule(frame.text(2), frame.text(3), options, job: frame.text(4), args: args)
        } catch { throw CommandError("ERR \(error.message)") }
    }

    private static let seconds: Set<String> = ["window", "jitter", "late_after", "starts", "ends"]
    /// Zones and addresses are written with letters of both cases.
    private static let texts: Set<String> = ["timezone", "heartbeat"]

    private static func value(
        _ word: UnsafeRawBufferPointer, of name: String, _ option: String
    ) throws(CommandError) -> JSONValue {
        if seconds.contains(name) {
            guard let number = CommandWord.number(word) else {
                throw CommandError("ERR \(option) takes seconds, not '\(CommandWord.shown(word))'")
            }
            return .number(number)
        }
        let text = String(decoding: word, as: UTF8.self)
        return .string(texts.contains(name) ? text : text.lowercased())
    }

    /// As words of a command.
    package var words: [String] {
        switch self {
        case .set(let schedule):
            ["SCHEDULE", "SET", schedule.name, "\(schedule.spec)", schedule.job, schedule.args.description]
                + schedule.options.sorted { $0.key < $1.key }.flatMap { name, value in
                    [name.uppercased(), value.string ?? value.json]
                }
        case .delete(let name): ["SCHEDULE", "DEL", name]
        case .pause(let name): ["SCHEDULE", "PAUSE", name]
        case .resume(let name): ["SCHEDULE", "RESUME", name]
        case .run(let name): ["SCHEDULE", "RUN", name]
        case .get(let name): ["SCHEDULE", "GET", name]
        }
    }
}
