internal import JobReactorCore
internal import JobReactorWire

/// What a visitor changes. Every change takes the role `operator`, as the distributor demands as well.
struct Changes {
    /// What was done, and which page shows it.
    struct Done {
        let notice: String
        let place: String
    }

    private let context: PageContext

    init(_ context: PageContext) { self.context = context }

    private func checkRole() throws(DashboardError) {
        guard context.canAct else { throw .forbidden(.operator) }
    }

    /// What a form at that path asks for, with what stands behind the path: a field of a form would not keep every character.
    func carryOut(_ path: String, _ form: FormFields) async throws(DashboardError) -> Done {
        try checkRole()
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        switch (parts.first, parts.count) {
        case ("jobs", 2) where parts[1] == "change": return try await changeMany(form)
        case ("jobs", 3):
            guard let id = JobID(parts[1]), let order = JobOrder(rawValue: parts[2]) else { break }
            return try await change(order, id)
        case ("names", 2): return try await hold(parts[1], kind: "JOB", try name(form), place: "/names")
        case ("nodes", 2): return try await hold(parts[1], kind: "NODE", try name(form), place: "/nodes")
        case ("schedules", 2): return try await schedule(parts[1], try name(form))
        default: break
        }
        throw DashboardError(status: 404, message: "there is no such form")
    }

    private func name(_ form: FormFields) throws(DashboardError) -> String {
        let name = form["name"] ?? ""
        if let problem = Name.problem(in: name) { throw DashboardError(status: 400, message: "the name \(problem)") }
        return name
    }

    // MARK: One job

    private func change(_ order: JobOrder, _ id: JobID) async throws(DashboardError) -> Done {
        let reply = try await context.answers.ask([order.verb, id.description])
        guard reply.integer == 1 else {
            throw DashboardError(status: 409, message: "no unfinished job \(id) is known here")
        }
        switch order {
        case .retry: return Done(notice: "The job \(id) runs again.", place: "/jobs/\(id)")
        case .cancel: return Done(notice: "The job \(id) is cancelled.", place: "/jobs")
        case .destroy: return Done(notice: "The record of the job \(id) is gone.", place: "/jobs")
        }
    }

    /// Asks whether that is meant.
    func confirm(_ verb: String, _ id: JobID) async throws(DashboardError) -> Page {
        try checkRole()
        guard let order = JobOrder(rawValue: verb) else {
            throw DashboardError(status: 404, message: "there is no such page")
        }
        guard let fields = try await JobPage.load(context, id) else {
            throw DashboardError(status: 404, message: "no job \(id) is known here")
        }
        let page = ConfirmPage(
            question: "\(order.title) the job \(SafeText.line(fields["name"] ?? "", 300)) \(id)?", notes: [note(order)],
            verb: order.title, action: "/jobs/\(id)/\(order.rawValue)",
            back: "/jobs/\(id)",
            csrf: context.csrf)
        return page.page("\(order.title) a job", at: "/jobs")
    }

    private func note(_ order: JobOrder) -> String {
        switch order {
        case .retry: "What has failed runs now, from its first attempt."
        case .cancel: "A job that waits never runs, and a run that goes on is interrupted. This cannot be taken back."
        case .destroy: "The record goes, and a job that is not finished is cancelled. This cannot be taken back."
        }
    }

    // MARK: Many jobs

    private func many(_ fields: FormFields) throws(DashboardError) -> (order: JobOrder, words: [String]) {
        guard let order = fields["order"].flatMap(JobOrder.init(rawValue:)) else {
            throw DashboardError(status: 404, message: "there is no such change")
        }
        let filter = JobsFilter(fields["q"] ?? "", state: fields["state"], now: context.now)
        guard filter.problem == nil, filter.id == nil else {
            throw DashboardError(status: 400, message: filter.problem ?? "an id means one job: open its page")
        }
        // A time that is counted from now would mean other jobs in the form than in the question.
        var meant = filter.filter
        if let since = fields["since"].flatMap({ Double($0) }) { meant.since = Timestamp(seconds: since) }
        return (order, [order.verb] + (meant.isEmpty ? ["ALL"] : meant.words))
    }

    /// Says how many jobs it would be, and asks.
    func confirmMany(_ fields: FormFields) async throws(DashboardError) -> Page {
        try checkRole()
        let (order, words) = try many(fields)
        let count = try await context.answers.ask(words + ["DRY"]).integer ?? 0
        let filter = JobsFilter(fields["q"] ?? "", state: fields["state"], now: context.now).filter
        let back = FormFields([("state", fields["state"]), ("q", fields["q"])]).behind("/jobs")
        let jobs =
            order == .retry && fields["state"] == nil ? "failed job" : order == .cancel ? "unfinished job" : "job"
        let action = FormFields([
            ("order", order.rawValue), ("state", fields["state"]), ("q", fields["q"]),
            ("since", filter.since.map { "\($0.seconds)" }), ("count", "\(count)"),
        ]).behind("/jobs/change")
        let page = ConfirmPage(
            question: "\(order.title) \(count.of(jobs))?",
            notes: ["They are those here that the filter means: \(filter).", note(order)]
                + (count == 0 ? ["There is none: nothing is to be done."] : []),
            verb: "\(order.title) \(count.of("job"))", action: count == 0 ? nil : action,
            back: back, csrf: context.csrf)
        return page.page("\(order.title) jobs", at: "/jobs")
    }

    private func changeMany(_ form: FormFields) async throws(DashboardError) -> Done {
        let (order, words) = try many(form)
        // What somebody has agreed to is a number, and not whatever has come meanwhile.
        let (agreed, count) = (
            form["count"].flatMap { Int($0) } ?? 0, try await context.answers.ask(words + ["DRY"]).integer ?? 0
        )
        guard count <= max(agreed + 10, agreed + agreed / 10) else {
            throw DashboardError(
                status: 409, message: "it was \(agreed.of("job")), and is \(count.grouped) now: nothing is changed")
        }
        let changed = try await context.answers.ask(words).integer ?? 0
        return Done(notice: "\(order.done(to: changed)).".withCapital, place: "/jobs")
    }

    // MARK: Pauses and schedules

    private func hold(
        _ verb: String, kind: String, _ name: String, place: String
    ) async throws(DashboardError) -> Done {
        guard verb == "pause" || verb == "resume" else {
            throw DashboardError(status: 404, message: "there is no such form")
        }
        let isNew = try await context.answers.ask([verb.uppercased(), kind, name]).integer == 1
        let state = verb == "pause" ? "paused" : "not paused"
        return Done(notice: "The \(kind.lowercased()) \(name) is \(state)\(isNew ? "" : " already").", place: place)
    }

    private func schedule(_ verb: String, _ name: String) async throws(DashboardError) -> Done {
        let place = "/schedules"
        switch verb {
        case "run":
            let reply = try await context.answers.ask(ScheduleOrder.run(name).words)
            guard let id = reply.text.flatMap({ JobID($0) }) else {
                throw DashboardError(status: 404, message: "there is no schedule \(name)")
            }
            return Done(notice: "The schedule \(name) is run: that is the job \(id).", place: place)
        case "pause", "resume":
            let order: ScheduleOrder = verb == "pause" ? .pause(name) : .resume(name)
            let isNew = try await context.answers.ask(order.words).integer == 1
            let state = verb == "pause" ? "paused" : "not paused"
            return Done(notice: "The schedule \(name) is \(state)\(isNew ? "" : " already").", place: place)
        default: throw DashboardError(status: 404, message: "there is no such form")
        }
    }
}

extension JobOrder {
    /// As it stands on a button.
    var title: String { rawValue.withCapital }
}

extension String {
    var withCapital: String { prefix(1).uppercased() + dropFirst() }
}
