internal import JobReactorCore

/// The nodes that are connected.
struct NodesPage {
    struct Row {
        let name: String
        let coded: String
        let address: String
        let load: Int
        let window: Int
        let state: String
        let isGood: Bool
        let isPaused: Bool
        let isDurable: Bool
        let jobs: String
        /// Some of the names that it defines.
        let names: [String]
        let moreNames: String?
    }

    let rows: [Row]
    let isEmpty: Bool
    let more: String?
    let csrf: String
    let canAct: Bool

    static let most = 500
    private static let mostNames = 50

    static func page(_ context: PageContext) async throws(DashboardError) -> Page {
        let all = try await context.answers.rows(["NODES"])
        let page = NodesPage(
            rows: all.prefix(most).map(row), isEmpty: all.isEmpty,
            more: all.count > most ? (all.count - most).of("more node") : nil, csrf: context.csrf,
            canAct: context.canAct)
        return Page(title: "Nodes", place: "/nodes", main: Templates.standard.render(.nodes, page), isLive: true)
    }

    static func state(of node: Fields) -> String {
        if node.isSet("draining") { return "stops" }
        if node["storage_error"] != nil { return "its storage refuses" }
        return node.isSet("paused") ? "paused" : "ready"
    }

    private static func row(_ node: Fields) -> Row {
        let names = (node["jobs"] ?? "").split(separator: " ")
        let count = node.integer("jobs_count")
        let error = node["storage_error"].map { ": " + SafeText.line($0) } ?? ""
        return Row(
            name: node["name"] ?? "", coded: FormFields.coded(node["name"] ?? ""), address: node["address"] ?? "",
            load: node.integer("load"),
            window: max(1, node.integer("window")), state: state(of: node) + error, isGood: state(of: node) == "ready",
            isPaused: node.isSet("paused"), isDurable: node.isSet("durable"), jobs: count.grouped,
            names: names.prefix(mostNames).map(String.init),
            moreNames: count > mostNames ? "and \((count - mostNames).grouped) more" : nil)
    }
}
