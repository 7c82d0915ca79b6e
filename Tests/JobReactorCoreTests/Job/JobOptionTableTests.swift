import JobReactorCore
import JobReactorTesting
import Testing

@Suite("The table of the options of a job") struct JobOptionTableTests {
    private static let names = JobOptionTable.all.map(\.name)

    private static func option(_ name: String) throws -> JobOption {
        try #require(JobOptionTable.all.first { $0.name == name })
    }

    /// Values beyond what the type takes.
    private static func wrong(_ type: FieldType) -> [FieldValue] {
        switch type {
        case .seconds: [-1, .nan, .infinity, JobLimits.seconds.nextUp].map { .number($0) }
        case .secondsAboveZero: [0, -1, .nan, JobLimits.seconds.nextUp].map { .number($0) }
        case .whole(let range, _): [.whole(range.lowerBound - 1), .whole(range.upperBound + 1)]
        case .name: ["", "a b", String(repeating: "n", count: 256)].map { .text($0) }
        case .key: ["", "a\n", String(repeating: "k", count: 256)].map { .text($0) }
        case .time: [.time(Timestamp(seconds: 1e13))]
        case .id, .text, .choice, .flag, .object, .trace: []
        }
    }

    /// The field of the record that keeps the option; nil for those that only its due time and its id come of.
    private static func field(of option: JobOption) -> JobField? {
        switch option.name {
        case "run_at", "id": nil
        case "after": JobFieldTable.named("make_after")
        default: JobFieldTable.named(option.name)
        }
    }

    @Test("names are there once") func once() {
        #expect(Self.names.count > 15 && Set(Self.names).count == Self.names.count)
    }

    @Test("what is said is what is there, and its job has it", arguments: names)
    func values(_ name: String) throws {
        let option = try Self.option(name)
        let sample = try #require(option.type.samples.first)
        let options = try #require(option.options(sample))
        #expect(option.value(options) == sample)
        #expect(option.value(JobOptions()) == nil)
        try options.validate(names: .plain)
        let job = Job(id: options.id ?? id(1), name: "resize", args: [:], options: options, createdAt: start)
        switch name {
        case "run_at": #expect(job.dueAt == max(start, options.runAt ?? start))
        case "id": #expect(job.id == options.id)
        case "after":
            #expect(Self.field(of: option)?.value(job) == sample)
            #expect(job.dueAt == start.advanced(bySeconds: 0.25))
        default:
            #expect(Self.field(of: option)?.value(job) == sample, "the record does not keep it")
            #expect(option.value(job.options) == sample, "the options of a record lack it")
        }
    }

    @Test("what it cannot be is refused with its name, for a new job and in a record", arguments: names)
    func limits(_ name: String) throws {
        let option = try Self.option(name)
        // A tick is said by a distributor, which has it of a schedule.
        guard name != "tick" else { return }
        for value in Self.wrong(option.type) {
            let options = try #require(option.options(value))
            let error = #expect(throws: JobError.self, "\(value)") { try options.validate(names: .plain) }
            #expect(error?.message.hasPrefix(name) == true, "\(error?.message ?? "")")
            guard let field = Self.field(of: option), name != "after" else { continue }
            var job = Job(id: id(1), name: "resize", args: [:], options: options, createdAt: start)
            _ = field.set(&job, value)
            #expect(throws: JobError.self, "a record may have \(value)") { try JobLimits.check(stored: job) }
        }
        for value in option.type.samples where option.type != .time {
            try #require(option.options(value)).validate(names: .plain)
        }
    }

    @Test("Lua and JSON say it by its name", arguments: JobOptionTable.ofScripts.map(\.name))
    func members(_ name: String) throws {
        let option = try Self.option(name)
        let sample = try #require(option.type.samples.first)
        var members = [name: sample.json]
        if let part = option.part { members[part] = try Self.option(part).type.samples.first?.json }
        #expect(try JobOptions(members) == option.options(sample))
        members[name] = [1]
        #expect(throws: JobError(.invalidOption, "\(name) takes \(option.type.allowed), not [1]")) {
            try JobOptions(members)
        }
        guard let part = option.part else { return }
        #expect(throws: JobError(.invalidOption, "\(name) needs \(part), a key or true")) {
            try JobOptions([name: sample.json])
        }
    }

    @Test("an unknown option is told with all that there are") func unknown() {
        let all =
            "unknown option 'every': the options are after, run_at, period, node, not_node, defer, max_attempt,"
            + " retry_multiplier, priority, unique, unique_for, on_conflict, id"
        #expect(throws: JobError(.invalidOption, all)) { try JobOptions(["every": 1]) }
        #expect(throws: JobError.self) { try JobOptions(["trace": ["traceparent": "00"]]) }
        #expect(throws: JobError.self) { try JobOptions(["schedule": "s"]) }
    }

    @Test("commands tell their options in the words of the protocol") func usage() {
        #expect(
            JobOptionTable.usageOfCommands
                == "AFTER s, RUN_AT unix-seconds, PERIOD s, NODE n, NOT_NODE n, DEFER, MAX_ATTEMPT n, RETRY_MULTIPLIER s,"
                + " PRIORITY n, UNIQUE key, UNIQUE_FOR s, ON_CONFLICT keep|replace|again|raise, ID id, TRACE json")
    }

    @Test("editors and the help of the program read whole sentences") func texts() throws {
        let meaning = "a key that at most one job of this name holds at a time; `true` derives it from the args"
        #expect(try Self.option("unique").definition == "---@field unique? string|boolean \(meaning)")
        #expect(
            try Self.option("unique").help
                == "A key that at most one job of this name holds at a time; --unique-args derives it from the args.")
        #expect(try Self.option("on_conflict").usage == "ON_CONFLICT keep|replace|again|raise")
        #expect(try Self.option("defer").usage == "DEFER")
        #expect(try Self.option("not_node").flag == "--not-node")
    }
}
