// Schedules as Lua, JSON, commands and storages write them: the names of the wire in lower case.

extension Schedule {
    /// The names of the options, in order.
    package static let optionNames = [
        "timezone", "overlap", "catch_up", "window", "jitter", "dst_gap", "dst_repeat", "starts", "ends", "heartbeat",
        "late_after",
    ]

    /// A schedule with options such as `{"timezone": "Europe/Berlin", "overlap": "queue"}`; `starts` and `ends` are seconds since
    /// 1970. Throws for a wrong name or value, including an unknown time zone.
    public init(
        _ name: String, _ spec: String, _ options: [String: JSONValue], job: String, args: JobArguments = [:]
    ) throws(JobError) {
        let parsed: ScheduleSpec
        do throws(ScheduleSpecError) { parsed = try ScheduleSpec(parsing: spec) } catch {
            throw JobError(.invalidOption, error.description)
        }
        self.init(name: name, spec: parsed, job: job, args: args)
        // Sorted, so that of several mistakes always the same is told.
        for (name, value) in options.sorted(by: { $0.key < $1.key }) { try set(name, value) }
        try validate()
        _ = try times()
    }

    private mutating func set(_ name: String, _ value: JSONValue) throws(JobError) {
        func wrong(_ needed: String) -> JobError {
            JobError(.invalidOption, "\(name) takes \(needed), not \(value.json.cut(toBytes: 200))")
        }
        func seconds() throws(JobError) -> Double {
            guard let seconds = value.double else { throw wrong("seconds") }
            return seconds
        }
        func choice<Choice: RawRepresentable<String> & CaseIterable>() throws(JobError) -> Choice {
            guard let choice = value.string.flatMap(Choice.init(rawValue:)) else {
                throw wrong("one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return choice
        }
        switch name {
        case "timezone":
            guard let zone = value.string else { throw wrong("the name of a time zone, such as Europe/Berlin") }
            timezone = zone
        case "overlap": overlap = try choice()
        case "catch_up": catchUp = try choice()
        case "window": window = try seconds()
        case "jitter": jitter = try seconds()
        case "dst_gap": gap = try choice()
        case "dst_repeat": repetition = try choice()
        case "starts": starts = Timestamp(seconds: try seconds())
        case "ends": ends = Timestamp(seconds: try seconds())
        case "heartbeat":
            guard let url = value.string else { throw wrong("a URL") }
            heartbeat = url
        case "late_after": lateAfter = try seconds()
        default:
            throw JobError(
                .invalidOption,
                "unknown option '\(name.cut(toBytes: 200))': the options of a schedule are "
                    + Self.optionNames.joined(separator: ", "))
        }
    }

    /// The options that differ from their defaults.
    package var options: [String: JSONValue] {
        let usual = Schedule(name: name, spec: spec, job: job)
        var options: [String: JSONValue] = [:]
        func add<Value: Equatable>(_ name: String, _ path: KeyPath<Schedule, Value>, _ json: (Value) -> JSONValue) {
            if self[keyPath: path] != usual[keyPath: path] { options[name] = json(self[keyPath: path]) }
        }
        add("timezone", \.timezone) { .string($0) }
        add("overlap", \.overlap) { .string($0.rawValue) }
        add("catch_up", \.catchUp) { .string($0.rawValue) }
        add("window", \.window) { .number($0) }
        add("jitter", \.jitter) { .number($0) }
        add("dst_gap", \.gap) { .string($0.rawValue) }
        add("dst_repeat", \.repetition) { .string($0.rawValue) }
        add("starts", \.starts) { $0.map { .number($0.seconds) } ?? .null }
        add("ends", \.ends) { $0.map { .number($0.seconds) } ?? .null }
        add("heartbeat", \.heartbeat) { $0.map { .string($0) } ?? .null }
        add("late_after", \.lateAfter) { .number($0) }
        return options
    }

    /// As JSON; the args are a string in it, so that their bytes stay unchanged.
    package var json: JSONValue {
        var members = options
        members["name"] = .string(name)
        members["spec"] = .string(spec.description)
        members["job"] = .string(job)
        members["args"] = .string(args.description)
        return .object(members)
    }

    /// Reads ``json``. Throws if it is invalid.
    package init(json: JSONValue) throws(JobError) {
        guard var members = json.object, let name = members.removeValue(forKey: "name")?.string,
            let spec = members.removeValue(forKey: "spec")?.string,
            let job = members.removeValue(forKey: "job")?.string
        else { throw JobError(.invalidOption, "a schedule has a name, a spec and a job") }
        let args: JobArguments
        switch members.removeValue(forKey: "args") {
        case nil: args = [:]
        case .string(let text)?:
            do throws(JSONError) { args = try JobArguments(json: text) } catch {
                throw JobError(.invalidArguments, "the args of the schedule '\(name)' are not a JSON object: \(error)")
            }
        case .object(let members)?: args = JobArguments(members.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        case .some: throw JobError(.invalidArguments, "the args of the schedule '\(name)' are not a JSON object")
        }
        try self.init(name, spec, members, job: job, args: args)
    }
}
