internal import JobReactor
internal import JobReactorCore
internal import JobReactorWire

/// The fields of a record, name and value in turn, as `jobs show` prints them.
struct JobFields {
    private var fields: [(name: String, value: String)]
    private let clock: LocalTime

    /// Those that are seconds since 1970.
    private static let times = Set(JobFieldTable.all.filter { $0.type == .time }.map(\.name))

    init(_ found: JobMonitor.Found, _ clock: LocalTime) {
        var words = found.job.shownFields
        if let node = found.node ?? (found.owner.role == .node ? found.owner.name : nil) { words += ["on_node", node] }
        if let time = found.job.madeAt { words += ["made_at", "\(time.seconds)"] }
        if let seconds = JobTimes(found.job, clock.now).ran { words += ["run_time", "\(seconds)"] }
        if let text = found.waiting(clock) { words += ["waits_for", text] }
        self.init(words: words, clock)
    }

    /// Of a reply to `JOB`, with what its times say together.
    init(reply words: [String], _ clock: LocalTime) {
        self.init(words: Self.completed(words, clock), clock)
    }

    private static func completed(_ words: [String], _ clock: LocalTime) -> [String] {
        func text(_ name: String) -> String? {
            stride(from: 0, to: words.count - 1, by: 2).first { words[$0] == name }.map { words[$0 + 1] }
        }
        func time(_ name: String) -> Timestamp? {
            text(name).flatMap { Double($0) }.flatMap { $0.isFinite ? Timestamp(seconds: $0) : nil }
        }
        guard let status = text("status").flatMap(JobStatus.init(rawValue:)) else { return words }
        var rest = Array(words.prefix(words.count / 2 * 2))
        let waitsForLane = text("doing").map(JobTimes.isWaiting) ?? false
        let times = JobTimes(
            status, began: time("run_at"), failed: time("failed_at"), waitsForLane: waitsForLane, clock.now)
        if let seconds = times.ran { rest += ["run_time", "\(seconds)"] }
        if let wait = time("due_at").flatMap({ clock.wait(of: status, dueAt: $0) }) {
            if let place = stride(from: 0, to: rest.count - 1, by: 2).first(where: { rest[$0] == "waits_for" }) {
                rest[place + 1] = "\(wait), \(rest[place + 1])"
            } else {
                rest += ["waits_for", wait]
            }
        }
        return rest
    }

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
        JobFieldTable.named(name)?.shownType.json(of: text) ?? .string(text)
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
