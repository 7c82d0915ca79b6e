// Options as Lua and JSON write them: what they are called and what they take is told by ``JobOptionTable``.

extension JobOptions {
    /// Reads options as Lua and JSON write them: `{"after": 5, "node": "worker_1"}`, with the names of the wire in
    /// lower case. Throws what is wrong with a name or a value.
    public init(_ members: [String: JSONValue]) throws(JobError) {
        self.init()
        var parts: [(option: JobOption, value: FieldValue)] = []
        // Sorted, so that of several mistakes always the same is told.
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            guard let place = JobOptionTable.namesOfScripts.firstIndex(of: name) else {
                throw JobError(
                    .invalidOption,
                    "unknown option '\(name.cut(toBytes: 200))': the options are "
                        + JobOptionTable.namesOfScripts.joined(separator: ", "))
            }
            let option = JobOptionTable.ofScripts[place]
            guard let read = option.type.value(of: value) else {
                throw JobError(
                    .invalidOption, "\(name) takes \(option.type.allowed), not \(value.json.cut(toBytes: 200))")
            }
            // What they say more of may come behind them.
            if option.part == nil { _ = option.set(&self, read) } else { parts.append((option, read)) }
        }
        for (option, value) in parts {
            guard let whole = JobOptionTable.ofScripts.first(where: { $0.name == option.part }),
                whole.value(self) != nil
            else {
                throw JobError(.invalidOption, "\(option.name) needs \(option.part ?? ""), a key or true")
            }
            _ = option.set(&self, value)
        }
        try validate(names: .plain)
    }
}
