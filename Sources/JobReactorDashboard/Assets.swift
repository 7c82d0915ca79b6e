/// The files of a dashboard that are not pages: they are the same for everybody, and need no login.
enum Assets {
    static let stylePath = "/assets/dashboard-\(mark(styleText)).css"
    static let scriptPath = "/assets/dashboard-\(mark(scriptText)).js"

    private static let styleText =
        String(decoding: PackageResources.dashboard_css, as: UTF8.self) + StateLook.styleSheet
    private static let scriptText = String(decoding: PackageResources.dashboard_js, as: UTF8.self)
    private static let iconText = String(decoding: PackageResources.icon_svg, as: UTF8.self)

    /// Of another text it is another, so that a browser keeps none that is old.
    private static func mark(_ text: String) -> String {
        let hash = text.utf8.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        return String(hash, radix: 16)
    }

    /// Nil where there is none of that path.
    static func reply(to path: String) -> DashboardReply? {
        var reply: DashboardReply
        switch path {
        case stylePath: reply = DashboardReply(200, styleText, type: "text/css; charset=utf-8")
        case scriptPath: reply = DashboardReply(200, scriptText, type: "text/javascript; charset=utf-8")
        case "/assets/icon.svg": reply = DashboardReply(200, iconText, type: "image/svg+xml")
        default: return nil
        }
        reply.headers.append(("Cache-Control", "public, max-age=86400"))
        return reply
    }
}
