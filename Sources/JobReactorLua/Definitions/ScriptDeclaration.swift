internal import JobReactorCore

/// What a script says beside its jobs: what `schedule` and `limit` are called with, and the option `limit` of `job`.
enum ScriptDeclaration: Hashable {
    case schedule(Schedule)
    case limit(Limit)
    /// The limits of a job: by the names of those that `limit` defines, and its own, which has the name of the job.
    case jobLimits(names: [String], own: Limit?)

    /// Reads a JSON array of what the function of that name was called with, or for `job` of the job's name and its option. Throws
    /// what is wrong, in words for who writes the script.
    init(_ word: String, _ json: UnsafeRawBufferPointer) throws(JobError) {
        let arguments: [JSONValue]
        do throws(JSONError) { arguments = try JSONValue(parsing: json).array ?? [] } catch {
            throw JobError(.invalidArguments, "\(error)")
        }
        self =
            switch word {
            case "schedule": .schedule(try Self.schedule(arguments))
            case "limit": .limit(try Self.limit(arguments))
            default: try Self.jobLimits(arguments)
            }
    }

    // MARK: Arguments

    private static func schedule(_ arguments: [JSONValue]) throws(JobError) -> Schedule {
        guard (3...5).contains(arguments.count) else {
            throw JobError(
                .invalidArguments,
                "write schedule(name, spec, options, job, args); options and args are optional")
        }
        let name = try text(arguments[0], "the name of the schedule")
        let spec = try text(arguments[1], "the spec")
        let hasOptions = arguments[2].string == nil
        let options = hasOptions ? try members(arguments[2], "the options") : [:]
        let rest = Array(arguments.dropFirst(hasOptions ? 3 : 2))
        guard let job = rest.first, rest.count <= 2 else {
            throw JobError(.invalidArguments, "write the name of the job, and its args, after the options")
        }
        let args = rest.count == 2 ? try members(rest[1], "the args") : [:]
        // With their members in order: tables that say the same are the same.
        let schedule = try Schedule(
            name, spec, options, job: try text(job, "the name of the job"),
            args: JobArguments(unchecked: Array(JSONValue.object(args).json.utf8)))
        try checkIsDue(schedule)
        return schedule
    }

    /// By the calendar: that its last date is over is no mistake of who wrote it.
    private static func checkIsDue(_ schedule: Schedule) throws(JobError) {
        let now = Timestamp.now
        let start = max(now, schedule.starts ?? now)
        if try schedule.times().next(after: start, countedFrom: start) == nil {
            throw JobError(.invalidOption, "the spec '\(schedule.spec)' is never due in \(schedule.timezone)")
        }
    }

    private static func limit(_ arguments: [JSONValue]) throws(JobError) -> Limit {
        guard arguments.count == 2 else {
            throw JobError(.invalidArguments, "write limit(name, options), such as limit('crm', { concurrency = 10 })")
        }
        return try Limit(
            try text(arguments[0], "the name of the limit"), try members(arguments[1], "the options"))
    }

    private static func jobLimits(_ arguments: [JSONValue]) throws(JobError) -> ScriptDeclaration {
        let name = arguments.first?.string ?? ""
        let said = arguments.count > 1 ? arguments[1] : .null
        var names: [String] = []
        var own: Limit?
        for each in said.array ?? [said] {
            if let shared = each.string {
                if let problem = Name.problem(in: shared) {
                    throw JobError(.invalidOption, "the name of a limit \(problem)")
                }
                if !names.contains(shared) { names.append(shared) }
            } else if let options = each.object {
                guard own == nil else {
                    throw JobError(
                        .invalidOption,
                        "a job may define one limit of its own: define others with limit(name, options), and give their names"
                    )
                }
                own = try Limit(name, options)
            } else {
                throw JobError(
                    .invalidOption,
                    "option 'limit' takes the name of a limit, a table such as { concurrency = 2 }, or a list of those, not "
                        + each.json.cut(toBytes: 200))
            }
        }
        return .jobLimits(names: names, own: own)
    }

    private static func text(_ value: JSONValue, _ what: String) throws(JobError) -> String {
        if let text = value.string { return text }
        throw JobError(.invalidArguments, "\(what) must be a string, got \(value.json.cut(toBytes: 200))")
    }

    /// An empty list is what an empty table may be written as.
    private static func members(_ value: JSONValue, _ what: String) throws(JobError) -> [String: JSONValue] {
        if let members = value.object { return members }
        if value == .null || value == .array([]) { return [:] }
        throw JobError(
            .invalidArguments, "\(what) must be a table with names as keys, got \(value.json.cut(toBytes: 200))")
    }

    // MARK: Kept

    /// What is kept of it in the state of the script.
    var json: String {
        switch self {
        case .schedule(let schedule): schedule.json.json
        case .limit(let limit): Self.json(of: limit).json
        case .jobLimits(let names, let own):
            JSONValue.object([
                "names": .array(names.map { .string($0) }), "own": own.map(Self.json) ?? .null,
            ]).json
        }
    }

    private static func json(of limit: Limit) -> JSONValue {
        .object(["name": .string(limit.name), "options": .object(limit.options)])
    }

    private static func limit(of json: JSONValue?) -> Limit? {
        guard let name = json?["name"]?.string, let options = json?["options"]?.object else { return nil }
        return try? Limit(name, options)
    }

    /// Reads what was kept; nil for what nobody can have kept.
    init?(_ word: String, kept text: [UInt8]) {
        guard let value = try? JSONValue(parsing: text) else { return nil }
        switch word {
        case "schedule":
            guard let schedule = try? Schedule(json: value) else { return nil }
            self = .schedule(schedule)
        case "limit":
            guard let limit = Self.limit(of: value) else { return nil }
            self = .limit(limit)
        default:
            let names = (value["names"]?.array ?? []).compactMap(\.string)
            self = .jobLimits(names: names, own: Self.limit(of: value["own"]))
        }
    }
}
