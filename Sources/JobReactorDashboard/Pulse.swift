internal import JobReactorCore
internal import JobReactorWire

extension Dashboard {
    /// What pages that are live depend on, as a text that is another when that has changed; nil where there is no answer. It
    /// notes the throughput of the distributor, too: to be asked every few seconds.
    package func pulse() async -> String? {
        let answers = Answers(source: source, visitor: Visitor(.standard, at: "the dashboard"))
        guard let info = try? await answers.ask(["INFO"]).text, let pauses = try? await answers.ask(["PAUSES"]),
            let schedules = try? await answers.ask(["SCHEDULES"])
        else { return nil }
        let sections = InfoSections(info)
        func count(_ name: String) -> Int { sections.integer("jobs", name) }
        throughput.note(
            Throughput.Counts(
                enqueued: count("enqueued"), succeeded: count("succeeded"), failed: count("failed")), at: .now)
        // What is about time, and connections, changes always.
        let parts = info.components(ofSections: ["jobs", "waiting", "nodes"])
        return "\(parts)\(pauses)\(schedules)"
    }
}

extension String {
    /// The lines of these sections of `INFO`.
    fileprivate func components(ofSections titles: Set<String>) -> String {
        var isMeant = false
        var lines = ""
        for line in split(whereSeparator: \.isNewline) {
            if line.hasPrefix("# ") { isMeant = titles.contains(line.dropFirst(2).lowercased()) }
            if isMeant { lines += line + "\n" }
        }
        return lines
    }
}
