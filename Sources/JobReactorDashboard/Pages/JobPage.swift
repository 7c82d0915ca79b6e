internal import JobReactorCore
internal import JobReactorWire

/// All that is known of one job.
struct JobPage {
    struct Field {
        let name: String
        let value: String
        let time: ShownTime?
    }

    struct Moment {
        let word: String
        let style: String
        let time: ShownTime
    }

    let id: String
    let name: String
    let nameHref: String
    let state: String
    let style: String
    let diagram: String
    let waits: String?
    let error: String?
    let traceback: String?
    let moments: [Moment]
    let fields: [Field]
    let args: String?
    let areArgsHidden: Bool
    let isCut: Bool
    let csrf: String
    let canRetry: Bool
    let canCancel: Bool
    let canDestroy: Bool
    /// Why it cannot be changed here, and where.
    let elsewhere: String?

    static func page(_ context: PageContext, _ id: JobID) async throws(DashboardError) -> Page {
        guard let fields = try await load(context, id) else {
            throw DashboardError(
                status: 404,
                message: "no job \(id) is known here: it may have ended well, or be at a node that is away")
        }
        let page = JobPage(fields, id, context)
        return Page(
            title: "\(page.name) \(id.description.prefix(12))", place: "/jobs",
            main: Templates.standard.render(.job, page), isLive: true)
    }

    /// As `JOB` tells it; nil where it is not known.
    static func load(_ context: PageContext, _ id: JobID) async throws(DashboardError) -> Fields? {
        let reply = try await context.answers.ask(["JOB", id.description])
        guard let words = reply.elements, !words.isEmpty else { return nil }
        // A byte more than is shown of args, so that it is known that they are cut.
        return Fields(reply, most: PrettyJSON.most + 1)
    }

    private static let times = ["due_at", "run_at", "failed_at", "unique_until", "tick"]
    /// What has a place of its own on the page, or says nothing to people.
    private static let apart: Set<String> = [
        "id", "name", "status", "args", "again", "last_error", "traceback", "waits_for", "on_success", "on_error",
    ]
    private static let words = [
        "attempt": "attempt", "max_attempt": "attempts at most", "due_at": "due", "run_at": "last run began",
        "failed_at": "failed", "on_node": "at the node", "node": "only at the node", "not_node": "not at the node",
        "defer": "deferred", "period": "period in seconds", "make_after": "waits so many seconds",
        "retry_multiplier": "retry multiplier", "unique": "key", "unique_until": "holds its key until",
        "doing": "is doing", "distributor": "distributor",
    ]

    init(_ all: Fields, _ id: JobID, _ context: PageContext) {
        let now = context.now
        func shown(_ time: Timestamp) -> ShownTime { ShownTime(time, now: now) }
        let status = all["status"].flatMap(JobStatus.init(rawValue:))
        self.id = id.description
        name = SafeText.line(all["name"] ?? "?", 300)
        nameHref = JobsFilter.page(ofName: name)
        state = SafeText.line(all["status"] ?? "unknown", 40)
        style = status.map { StateLook($0).style } ?? ""
        diagram = StateDiagram(status).picture
        let dueAt = all.time("due_at")
        let isOpen = status.map { !$0.isFinished } ?? true
        let wait = dueAt.flatMap {
            isOpen && status != .inProgress && $0 > now ? "its time, \(shown($0).distance)" : nil
        }
        let reasons = [wait, all["waits_for"]].compactMap(\.self)
        waits = isOpen && !reasons.isEmpty ? SafeText.line(reasons.joined(separator: "; "), 2000) : nil
        error = all["last_error"]
        traceback = all["traceback"]
        var moments: [(String, StateLook, Timestamp)] = []
        if let time = id.madeAt(before: now) { moments.append(("made", .new, time)) }
        if let dueAt { moments.append((dueAt > now ? "is due" : "was due", .queued, dueAt)) }
        if let time = all.time("run_at") { moments.append(("last run began", .progress, time)) }
        if let time = all.time("failed_at") { moments.append(("failed", .failed, time)) }
        self.moments = moments.sorted { $0.2 < $1.2 }.map { word, look, time in
            Moment(word: word, style: look.style, time: shown(time))
        }
        fields = all.all.filter { !Self.apart.contains($0.name) && !$0.value.isEmpty }.map { name, value in
            let time = Self.times.contains(name) ? all.time(name).map(shown) : nil
            return Field(
                name: Self.words[name] ?? name.replacing("_", with: " "),
                value: time?.text ?? SafeText.cut(value, to: 4096).text, time: time)
        }
        areArgsHidden = User.areHidden(all["args"])
        let args = all["args"].map { PrettyJSON.shown($0) }
        self.args = areArgsHidden ? nil : args?.text
        isCut = args?.isCut ?? false
        csrf = context.csrf
        let node = all["on_node"]
        // The distributor itself runs again, and forgets, what has failed for good there.
        let isKeptHere = status == .failed && node == nil
        canRetry = context.canAct && isKeptHere
        canDestroy = canRetry
        canCancel = context.canAct && isOpen
        elsewhere =
            context.canAct && !isOpen && !isKeptHere
            ? "It has ended, and a node keeps it: ask the node with the command jobreactor jobs retry \(id)."
            : nil
    }
}
