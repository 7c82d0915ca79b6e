internal import JobReactorCore
internal import JobReactorWire

/// Whether all is well, at a glance.
struct OverviewPage {
    struct Tile {
        let label: String
        let value: String
        let note: String
        let href: String
        /// A class of the style sheet.
        let style: String
    }

    struct Node {
        let name: String
        let load: Int
        let window: Int
        let state: String
    }

    let troubles: [Trouble]
    let tiles: [Tile]
    let chart: String
    let scale: String
    let times: [String]
    let summary: String
    let nodes: [Node]
    let moreNodes: String?

    private static let mostNodes = 20

    static func page(_ context: PageContext) async throws(DashboardError) -> Page {
        let answers = context.answers
        let info = try await answers.info()
        let nodes = try await answers.rows(["NODES"])
        let troubles = Trouble.find(
            await answers.source.health(), info, nodes, pauses: try await answers.rows(["PAUSES"]),
            schedules: try await answers.rows(["SCHEDULES"]), limits: try await answers.rows(["LIMITS"]))
        let chart = ThroughputChart(context.throughput, at: context.now)
        let overview = OverviewPage(
            troubles: troubles, tiles: tiles(info, nodes), chart: chart.picture, scale: chart.scale,
            times: chart.times, summary: chart.summary,
            nodes: nodes.prefix(mostNodes).map { node in
                Node(
                    name: node["name"] ?? "", load: node.integer("load"), window: max(1, node.integer("window")),
                    state: NodesPage.state(of: node))
            }, moreNodes: nodes.count > mostNodes ? (nodes.count - mostNodes).of("more node") : nil)
        return Page(
            title: "Overview", place: "/", main: Templates.standard.render(.overview, overview), isLive: true)
    }

    private static func tiles(_ info: InfoSections, _ nodes: [Fields]) -> [Tile] {
        func count(_ name: String) -> Int { info.integer("jobs", name) }
        let atNodes = nodes.reduce(0) { $0 + $1.integer("load") }
        let parked = info.waiting.filter(\.isParked).reduce(0) { $0 + $1.count }
        return [
            Tile(
                label: "Unfinished", value: count("unfinished").grouped, note: "known here", href: "/jobs",
                style: StateLook.new.style),
            Tile(
                label: "Waiting", value: count("waiting").grouped,
                note: parked > 0 ? "\(parked.grouped) of them parked" : "for a node", href: "/names",
                style: StateLook.queued.style),
            Tile(
                label: "At nodes", value: max(0, count("unfinished") - count("waiting")).grouped,
                note: "\(atNodes.grouped) due or running", href: "/nodes",
                style: StateLook.progress.style),
            Tile(
                label: "Good runs", value: count("succeeded").grouped, note: "since the start", href: "/jobs",
                style: StateLook.complete.style),
            Tile(
                label: "Failed", value: count("failed").grouped,
                note: "\(count("kept_failed").grouped) kept here", href: "/jobs?state=failed",
                style: StateLook.failed.style),
            Tile(
                label: "Nodes", value: nodes.count.grouped, note: "connected", href: "/nodes",
                style: StateLook.cancelled.style),
        ]
    }
}

/// Something that is wrong, or stands still, in words.
struct Trouble: Hashable {
    /// What somebody has to do something about, rather than know.
    let isGrave: Bool
    let text: String
    let href: String

    /// Of one kind so many are named.
    private static let mostNamed = 10

    static func find(
        _ health: ServiceHealth, _ info: InfoSections, _ nodes: [Fields], pauses: [Fields], schedules: [Fields],
        limits: [Fields]
    ) -> [Trouble] {
        var troubles: [Trouble] = []
        func add(_ isGrave: Bool, _ texts: [String], _ href: String, others: (Int) -> String) {
            for text in texts.prefix(mostNamed) {
                troubles.append(Trouble(isGrave: isGrave, text: text, href: href))
            }
            if texts.count > mostNamed {
                troubles.append(Trouble(isGrave: isGrave, text: others(texts.count - mostNamed), href: href))
            }
        }
        add(true, (health.faults + health.hindrances).map { "The distributor: \($0)." }, "/") { "\($0) more faults." }
        if info["memory", "busy"] == "1" {
            add(true, ["Jobs are refused: those that wait take all of the memory that they may."], "/names") { _ in "" }
        }
        if nodes.isEmpty {
            add(true, ["No node is connected: no job runs."], "/nodes") { _ in "" }
        }
        add(
            true,
            nodes.compactMap { node in
                node["storage_error"].map {
                    "The storage of the node \(node["name"] ?? "") refuses: \(SafeText.line($0))."
                }
            }, "/nodes"
        ) { "The storages of \($0.of("more node")) refuse." }
        add(
            true,
            info.waiting.filter(\.isParked).map { waiting in
                "\(waiting.count.of("job")) named \(waiting.name) wait\(waiting.count == 1 ? "s" : "") for a node that defines it."
            }, "/names"
        ) { "Jobs of \($0.of("more name")) wait for a node that defines them." }
        add(
            true, schedules.filter { $0.isSet("late") }.map { "The schedule \($0["name"] ?? "") is late." },
            "/schedules"
        ) {
            "\($0.of("more schedule")) are late."
        }
        add(
            false,
            pauses.map { "The \($0["kind"] ?? "") \($0["name"] ?? "") is paused by \($0["by"] ?? "")." }, "/names"
        ) { "\($0.of("more pause"))." }
        add(false, nodes.filter { $0.isSet("draining") }.map { "The node \($0["name"] ?? "") stops." }, "/nodes") {
            "\($0.of("more node")) stop."
        }
        add(
            false,
            schedules.compactMap { row in
                row["paused_by"].map { "The schedule \(row["name"] ?? "") is paused by \($0)." }
            }, "/schedules"
        ) { "\($0.of("more schedule")) are paused." }
        add(
            false,
            limits.filter { $0.integer("waiting") > 0 }.map {
                "\($0.integer("waiting").of("job")) wait for the limit \($0["name"] ?? "")."
            }, "/names"
        ) { "Jobs wait for \($0.of("more limit"))." }
        let failed = info.integer("jobs", "kept_failed")
        if failed > 0 {
            add(
                false, ["\(failed.of("job")) failed for good and \(failed == 1 ? "is" : "are") kept here."],
                "/jobs?state=failed"
            ) {
                _ in ""
            }
        }
        return troubles
    }
}
