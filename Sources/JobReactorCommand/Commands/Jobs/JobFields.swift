internal import JobReactor
internal import JobReactorCore
internal import JobReactorWire

/// The fields of a record, name and value in turn, as `jobs show` prints them.
struct JobFields {
    private var fields: [(name: String, value: String)]
    private let clock: LocalTime

    /// Those that are seconds since 1970.
    private static let times: Set<String> = ["made_at", "due_at", "run_at", "failed_at"]

    init(_ found: JobMonitor.Found, _ clock: LocalTime) {
        var words = found.job.shownFields
        if let node = found.node ?? (found.owner.role == .node ? found.owner.name : nil) { words += ["on_node", node] }
        if let time = found.job.madeAt { words += ["made_at", "\(time.seconds)"] }
        if let seconds = JobTimes(found.job, clock.now).ran { words += ["run_time", "\(seconds)"] }
        if let text = found.waiting(clock) { words += ["waits_for", text] }
        self.init(words: words, clock)
    }

    /// Of a reply.
    init(words: [String], _ clock: LocalTime) {
        self.clock = clock
        fields = stride(from: 0, to: words.count - 1, by: 2).map { (words[$0], words[$0 + 1]) }
        guard !fields.contains(where: { $0.name == "made_at" }),
            let id = fields.first(where: { $0.name == "id" }).flatMap({ JobID($0.value) }), let time = id.madeAt()
        else { return }
        fields.append(("made_at", "\(time.seconds)"))
    }

    /// As a JSON object: numbers as numbers, args as an object, each time also as a local one.
    var json: String {
        JobArguments(
            fields.flatMap { name, text -> [(String, JSONValue)] in
                let value = Self.value(name, text)
                guard Self.times.contains(name), let seconds = value.double else { return [(name, value)] }
                return [(name, value), ("\(name)_local", .string(clock.text(Timestamp(seconds: seconds))))]
            }
        ).description
    }

    /// A field in each line, those of several lines indented; times are local.
    var text: String {
        let width = fields.map(\.name.count).max() ?? 0
        return fields.map { name, value in
            var shown = value
            if Self.times.contains(name), let seconds = Double(value), seconds.isFinite {
                shown = clock.text(Timestamp(seconds: seconds))
            }
            return Terminal.printableLine(name).padded(to: width) + "  "
                + Terminal.printable(shown).replacing("\n", with: "\n" + "".padded(to: width + 2))
        }.joined(separator: "\n")
    }

    private static func value(_ name: String, _ text: String) -> JSONValue {
        switch name {
        case "args": (try? JSONValue(parsing: Array(text.utf8))) ?? .null
        case "attempt", "max_attempt": Int(text).map { JSONValue($0) } ?? .null
        case "due_at", "run_at", "failed_at", "made_at", "period", "make_after", "retry_multiplier", "run_time":
            Double(text).flatMap { $0.isFinite ? .number($0) : nil } ?? .null
        case "defer": .bool(text == "true")
        default: .string(text)
        }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
