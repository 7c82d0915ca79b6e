internal import JobReactorCore

/// The states of a job and the ways between them, as SVG; the state that it is in is marked. It is made of our own words alone.
struct StateDiagram {
    let picture: String

    private struct Box {
        let status: JobStatus
        let x: Int
        let y: Int
    }

    private static let size = (width: 104, height: 30)
    private static let boxes = [
        Box(status: .new, x: 4, y: 55), Box(status: .queued, x: 150, y: 55), Box(status: .inProgress, x: 300, y: 55),
        Box(status: .error, x: 300, y: 115), Box(status: .complete, x: 470, y: 5), Box(status: .failed, x: 470, y: 115),
        Box(status: .cancelled, x: 470, y: 60),
    ]
    private static let arrows = [
        "M108 70H146", "M254 70H296", "M352 85V111", "M300 130H202V89", "M404 62L466 24", "M404 130H466",
        "M404 72L466 75",
    ]

    init(_ status: JobStatus?) {
        let ways = Self.arrows.map { "<path class=\"way\" d=\"\($0)\" marker-end=\"url(#tip)\"/>" }.joined()
        let boxes = Self.boxes.map { box in
            let mark = box.status == status ? " now" : ""
            let middle = (x: box.x + Self.size.width / 2, y: box.y + Self.size.height / 2 + 4)
            return "<g><rect class=\"box \(StateLook(box.status).style)\(mark)\" x=\"\(box.x)\" y=\"\(box.y)\" "
                + "width=\"\(Self.size.width)\" height=\"\(Self.size.height)\" rx=\"6\"/>"
                + "<text x=\"\(middle.x)\" y=\"\(middle.y)\" text-anchor=\"middle\" class=\"word\(mark)\">"
                + "\(box.status.rawValue)</text></g>"
        }.joined()
        let words = status.map { "The job is in the state \($0.rawValue)." } ?? "The states of a job."
        picture =
            "<svg class=\"states\" viewBox=\"0 0 580 150\" role=\"img\" aria-label=\"\(words)\"><defs>"
            + "<marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
            + "orient=\"auto-start-reverse\"><path class=\"tip\" d=\"M0 0L8 4L0 8z\"/></marker></defs>\(ways)\(boxes)</svg>"
    }
}
