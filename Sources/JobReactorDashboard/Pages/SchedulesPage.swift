internal import JobReactorCore

/// Schedules: when they were due last, and are next.
struct SchedulesPage {
    struct Row {
        let name: String
        let coded: String
        let spec: String
        let zone: String
        let job: String
        let jobHref: String
        let next: ShownTime?
        let last: ShownTime?
        let outcome: String?
        let style: String
        let isLate: Bool
        let pausedBy: String?
        let missed: String
        let skipped: String
        let place: String
    }

    let rows: [Row]
    let isEmpty: Bool
    /// Who makes the ticks, where that is another.
    let leader: String?
    let more: String?
    let csrf: String
    let canAct: Bool

    static let most = 500

    static func page(_ context: PageContext) async throws(DashboardError) -> Page {
        let all = try await context.answers.rows(["SCHEDULES"])
        let page = SchedulesPage(
            rows: all.prefix(most).map { row($0, context.now) }, isEmpty: all.isEmpty,
            leader: all.lazy.compactMap { $0["leader"] }.first,
            more: all.count > most ? (all.count - most).of("more schedule") : nil, csrf: context.csrf,
            canAct: context.canAct)
        return Page(
            title: "Schedules", place: "/schedules", main: Templates.standard.render(.schedules, page), isLive: true)
    }

    private static func row(_ row: Fields, _ now: Timestamp) -> Row {
        let zone = row["timezone"] ?? "UTC"
        let rules = try? ZoneDatabase.system.rules(of: zone)
        func shown(_ name: String) -> ShownTime? {
            row.time(name).map { ShownTime($0, now: now, offset: rules?.offset(at: $0) ?? 0) }
        }
        let outcome = row["last_outcome"]
        return Row(
            name: row["name"] ?? "", coded: FormFields.coded(row["name"] ?? ""), spec: row["spec"] ?? "", zone: zone,
            job: row["job"] ?? "",
            jobHref: JobsFilter.page(ofName: row["job"] ?? ""), next: shown("next"),
            last: shown("last"), outcome: outcome,
            style: outcome.flatMap(JobStatus.init(rawValue:)).map { StateLook($0).style } ?? "",
            isLate: row.isSet("late"), pausedBy: row["paused_by"], missed: row.integer("missed").grouped,
            skipped: row.integer("skipped").grouped, place: row["place"] ?? "")
    }
}
