internal import JobReactorCore
internal import JobReactorWire

/// Jobs of a state that a filter means, the newest first.
struct JobsPage {
    struct Tab {
        let text: String
        let href: String
        let isCurrent: Bool
    }

    struct Row {
        let href: String
        /// As many digits of the id as tell it from others.
        let id: String
        let name: String
        let nameHref: String
        let state: String
        let style: String
        let attempt: Int
        let made: ShownTime?
        let node: String?
        /// What it waits for, or its error.
        let note: String
        let isError: Bool
    }

    struct Order {
        let text: String
        let href: String
    }

    let tabs: [Tab]
    let state: String?
    let text: String
    let problem: String?
    let names: [String]
    let rows: [Row]
    let isEmpty: Bool
    /// Why some jobs are not among them.
    let elsewhere: String?
    let newest: String?
    let older: String?
    /// For who may.
    let orders: [Order]

    /// Rows of a page.
    static let count = 50
    /// Names that are offered while somebody types.
    private static let mostNames = 200

    static func page(_ context: PageContext, _ fields: FormFields) async throws(DashboardError) -> Page {
        let (text, state) = (fields["q"] ?? "", fields["state"])
        let filter = JobsFilter(text, state: state, now: context.now)
        let nodes = try await context.answers.rows(["NODES"])
        var (rows, hasMore): ([FoundJob], Bool) = ([], false)
        if filter.problem == nil { (rows, hasMore) = try await find(context, filter, fields) }
        let names = Set(nodes.flatMap { ($0["jobs"] ?? "").split(separator: " ").prefix(mostNames).map(String.init) })
        func place(_ before: String?) -> String {
            FormFields([("state", state), ("q", fields["q"]), ("before", before)]).behind("/jobs")
        }
        let jobs = JobsPage(
            tabs: tabs(state, fields["q"]), state: state, text: SafeText.cut(text, to: JobsFilter.most).text,
            problem: filter.problem, names: names.sorted().prefix(mostNames).map { JobsFilter.text(ofName: $0) },
            rows: rows.map { $0.row(context.now) }, isEmpty: rows.isEmpty && filter.problem == nil,
            elsewhere: elsewhere(state, nodes),
            newest: fields["before"] == nil ? nil : place(nil),
            older: hasMore ? rows.last.map { place($0.job.id.description) } : nil,
            orders: context.canAct && filter.problem == nil && filter.id == nil
                ? JobOrder.allCases.map { order in
                    Order(
                        text: "\(order.title)…",
                        href: FormFields([("order", order.rawValue), ("state", state), ("q", fields["q"])])
                            .behind("/jobs/change"))
                } : [])
        return Page(title: "Jobs", place: "/jobs", main: Templates.standard.render(.jobs, jobs))
    }

    /// What a distributor has no list of.
    private static func elsewhere(_ state: String?, _ nodes: [Fields]) -> String? {
        let isOfEnded = state.flatMap(JobStatus.init(rawValue:))?.isFinished == true
        let durable = nodes.count { $0.isSet("durable") }
        guard isOfEnded || durable > 0 else { return nil }
        let whose =
            isOfEnded
            ? "Jobs that have ended at a node are kept by that node"
            : "\(durable.of("node")) with a storage own\(durable == 1 ? "s" : "") what \(durable == 1 ? "it has" : "they have")"
        return whose + ", and not in this list: give the whole id of one here, or ask the node with"
            + " the command jobreactor jobs list."
    }

    private static func tabs(_ state: String?, _ text: String?) -> [Tab] {
        [Tab(text: "all", href: FormFields([("q", text)]).behind("/jobs"), isCurrent: state == nil)]
            + JobStatus.allCases.map { status in
                Tab(
                    text: status.rawValue,
                    href: FormFields([("state", status.rawValue), ("q", text)]).behind("/jobs"),
                    isCurrent: state == status.rawValue)
            }
    }

    private static func find(
        _ context: PageContext, _ filter: JobsFilter, _ fields: FormFields
    ) async throws(DashboardError) -> ([FoundJob], hasMore: Bool) {
        let before = fields["before"].flatMap { JobID($0) }
        let range = filter.id.flatMap { JobID.range(ofPrefix: $0) }
        var query = RecordQuery(.newestFirst, from: before, count: count + 1, filter: filter.filter)
        if let range {
            query = RecordQuery(.oldestFirst, from: range.lowerBound.predecessor, count: count, filter: filter.filter)
        }
        let reply = try await context.answers.ask(query.words).elements ?? []
        var rows = reply.compactMap { FoundJob($0) }
        if let range { rows = rows.filter { range.contains($0.job.id) } }
        // A page that has many bytes ends early.
        let bytes = rows.reduce(0) { $0 + $1.job.args.bytes.count + ($1.job.lastTraceback?.utf8.count ?? 0) }
        let hasMore = range == nil && (rows.count > count || bytes > 1 << 20)
        return (Array(rows.prefix(count)), hasMore)
    }
}

/// A row of an answer to `RECORDS`.
struct FoundJob {
    let job: Job
    let node: String?
    let waitsFor: String?

    /// Nil for what is no record of this release.
    init?(_ reply: RESPValue) {
        guard let words = reply.elements, let job = JobRecord.job(words) else { return nil }
        let fields = Fields(reply)
        self.job = job
        (node, waitsFor) = (fields["on_node"], fields["waits_for"])
    }

    func row(_ now: Timestamp) -> JobsPage.Row {
        let id = job.id.description
        let wait = job.status.isFinished || job.status == .inProgress || job.dueAt <= now ? nil : job.dueAt
        let waits = [wait.map { "its time, \(ShownTime($0, now: now).distance)" }, waitsFor].compactMap(\.self)
        let error = job.lastError.map { SafeText.line($0) }
        return JobsPage.Row(
            href: "/jobs/\(id)", id: String(id.prefix(12)), name: job.name,
            nameHref: JobsFilter.page(ofName: job.name), state: job.status.rawValue,
            style: StateLook(job.status).style, attempt: Int(job.attempt),
            made: job.madeAt.map { ShownTime($0, now: now) }, node: node,
            note: error ?? SafeText.line(waits.joined(separator: "; ")),
            isError: error != nil)
    }
}
