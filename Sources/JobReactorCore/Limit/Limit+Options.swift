// Limits as Lua and JSON write them: the names of the wire in lower case.

extension Limit {
    /// Makes a limit from options as in Lua, such as `{"concurrency": 2, "rate": 100, "per": 60, "key": "account"}`.
    /// Throws for a wrong name or value.
    public init(_ name: String, _ options: [String: JSONValue]) throws(JobError) {
        self.init(name: name)
        // Sorted, so that of several mistakes always the same is told.
        for (option, value) in options.sorted(by: { $0.key < $1.key }) {
            func wrong(_ needed: String) -> JobError {
                JobError(.invalidOption, "\(option) takes \(needed), not \(value.json.cut(toBytes: 200))")
            }
            func number() throws(JobError) -> Int {
                guard let number = value.int else { throw wrong("a whole number from 1 to \(Self.most)") }
                return number
            }
            switch option {
            case "concurrency": concurrency = try number()
            case "rate": rate = try number()
            case "per":
                guard let seconds = value.double else { throw wrong("seconds") }
                per = seconds
            case "key":
                guard let member = value.string else { throw wrong("the name of a member of args") }
                key = member
            case "when_full":
                guard let rule = value.string.flatMap(WhenFull.init(rawValue:)) else { throw wrong("wait or discard") }
                whenFull = rule
            default:
                throw JobError(
                    .invalidOption,
                    "unknown option '\(option.cut(toBytes: 200))': the options of a limit are concurrency, rate, per,"
                        + " key, when_full")
            }
        }
        try validate()
    }

    /// The options that ``init(_:_:)`` reads; unset options are left out.
    package var options: [String: JSONValue] {
        var options: [String: JSONValue] = [:]
        if let concurrency { options["concurrency"] = JSONValue(concurrency) }
        if let rate {
            options["rate"] = JSONValue(rate)
            options["per"] = .number(per)
        }
        if let key { options["key"] = .string(key) }
        if whenFull != .wait { options["when_full"] = .string(whenFull.rawValue) }
        return options
    }
}
