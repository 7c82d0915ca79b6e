internal import JobReactorCore
internal import JobReactorWire

/// The names of jobs that nodes define or that wait, and the limits of scripts.
struct NamesPage {
    struct Row {
        let name: String
        let coded: String
        let href: String
        let nodes: Int
        let waiting: String
        let isParked: Bool
        let pausedBy: String?
        let pausedAt: ShownTime?
    }

    struct Limit {
        let name: String
        let rule: String
        let inUse: String
        let waiting: String
        let next: ShownTime?
        let whenFull: String
    }

    let rows: [Row]
    let isEmpty: Bool
    let limits: [Limit]
    let more: String?
    let csrf: String
    let canAct: Bool

    static let most = 500

    static func page(_ context: PageContext) async throws(DashboardError) -> Page {
        let (answers, now) = (context.answers, context.now)
        var defined: [String: Int] = [:]
        for node in try await answers.rows(["NODES"]) {
            for name in (node["jobs"] ?? "").split(separator: " ") { defined[String(name), default: 0] += 1 }
        }
        let waiting = Dictionary(try await answers.info("waiting").waiting.map { ($0.name, $0) }) { first, _ in first }
        let pauses = Dictionary(
            try await answers.rows(["PAUSES"]).filter { $0["kind"] == "job" }.map { ($0["name"] ?? "", $0) }
        ) { first, _ in first }
        // The line of all other names has spaces, as no name has.
        let known = Set(defined.keys).union(pauses.keys).union(waiting.keys.filter { Name.problem(in: $0) == nil })
        // What needs somebody first.
        func weight(_ name: String) -> Int {
            waiting[name]?.isParked == true ? 0 : pauses[name] != nil ? 1 : waiting[name] != nil ? 2 : 3
        }
        let names = known.map { (weight($0), $0) }.sorted { $0 < $1 }.map(\.1)
        let page = NamesPage(
            rows: names.prefix(most).map { name in
                Row(
                    name: name, coded: FormFields.coded(name), href: JobsFilter.page(ofName: name),
                    nodes: defined[name] ?? 0,
                    waiting: (waiting[name]?.count ?? 0).grouped, isParked: waiting[name]?.isParked ?? false,
                    pausedBy: pauses[name].map { $0["by"] ?? "?" },
                    pausedAt: pauses[name]?.time("at").map { ShownTime($0, now: now) })
            }, isEmpty: names.isEmpty,
            limits: try await answers.rows(["LIMITS"]).prefix(most).map { limit($0, now) },
            more: names.count > most ? (names.count - most).of("more name") : nil, csrf: context.csrf,
            canAct: context.canAct)
        return Page(
            title: "Names", place: "/names", main: Templates.standard.render(.names, page), isLive: names.count <= most)
    }

    private static func limit(_ row: Fields, _ now: Timestamp) -> Limit {
        let rules = [
            row["concurrency"].map { "\($0) at once" },
            row["rate"].map { "\($0) in \(row["per"] ?? "?") s" }, row["key"].map { "for each \($0)" },
        ]
        return Limit(
            name: row["name"] ?? "", rule: rules.compactMap(\.self).joined(separator: ", "),
            inUse: row.integer("in_use").grouped, waiting: row.integer("waiting").grouped,
            next: row.time("next_free").map { ShownTime($0, now: now) }, whenFull: row["when_full"] ?? "")
    }
}
