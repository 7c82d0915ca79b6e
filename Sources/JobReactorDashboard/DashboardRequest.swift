package import JobReactorWire

/// What a browser asks of a dashboard.
package struct DashboardRequest: Sendable {
    package enum Method: Hashable, Sendable { case get, post, other }

    package var method: Method
    /// Without the query.
    package var path: String
    /// Behind the first `?`; empty without one.
    package var query: String
    /// Headers by their names in small letters, each once.
    package var headers: [String: String]
    package var body: [UInt8]
    package var peer: PeerNetwork
    /// `host:port` of the peer, for the audit log.
    package var address: String
    /// It comes from this machine.
    package var isLocal: Bool

    package init(
        _ method: Method = .get, _ path: String, query: String = "", headers: [String: String] = [:],
        body: [UInt8] = [], peer: PeerNetwork = .none, address: String = "?", isLocal: Bool = false
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.peer = peer
        self.address = address
        self.isLocal = isLocal
    }
}

/// What it is answered.
package struct DashboardReply: Sendable {
    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: String
    /// The body are events, for as long as the browser stays; see ``DashboardEvents``.
    package var isEvents = false

    init(_ status: Int, _ body: String, type: String) {
        self.status = status
        self.body = body
        headers = [("Content-Type", type)] + Self.protection
    }

    static func page(_ body: String, status: Int = 200) -> DashboardReply {
        DashboardReply(status, body, type: "text/html; charset=utf-8")
    }

    /// To another page, by `GET`.
    static func redirect(to place: String) -> DashboardReply {
        var reply = DashboardReply(303, "", type: "text/plain; charset=utf-8")
        reply.headers.append(("Location", place))
        return reply
    }

    /// Nothing but our own files is loaded or run, nothing stands in a frame, and forms go here alone.
    private static let protection: [(name: String, value: String)] = [
        (
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        ("Referrer-Policy", "same-origin"), ("X-Frame-Options", "DENY"),
        ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
    ]
}
