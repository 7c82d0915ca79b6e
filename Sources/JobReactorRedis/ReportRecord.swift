internal import JobReactorCore
internal import JobReactorWire

/// The record of a report, as words.
enum ReportRecord {
    static func write(_ stored: StoredReport, to words: inout RESPWords) {
        let report = stored.report
        words.add("id", report.id)
        words.add("run", Int(report.run))
        words.add("name", report.name)
        words.add("kind", report.feedback.kind.rawValue)
        words.add("status", report.status.rawValue)
        words.add("args", report.feedback.args.bytes)
        words.add("distributor", stored.distributor)
        words.add("made_at", Int(stored.madeAt.microseconds))
    }

    static func report(_ frame: RESPFrame, at token: Int) -> StoredReport? {
        let fields = RecordFields(frame, at: token)
        guard let id = fields["id"].flatMap({ JobID(hexadecimal: $0) }), let name = fields.text("name"),
            let run = fields.integer("run").flatMap(Int32.init(exactly:)), let args = fields["args"],
            let kind = fields.text("kind").flatMap(Feedback.Kind.init(rawValue:)),
            let status = fields.text("status").flatMap(JobStatus.init(rawValue:)),
            let distributor = fields.text("distributor"), let madeAt = fields.time("made_at")
        else { return nil }
        return StoredReport(
            JobReport(
                id: id, name: name, feedback: Feedback(kind, args: JobArguments(unchecked: Array(args))),
                status: status, run: run),
            distributor: distributor, madeAt: madeAt)
    }
}
