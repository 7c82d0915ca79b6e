private import FoundationEssentials
internal import NIOHTTP1

/// One request on the way to the answer.
struct HTTPHop: Sendable {
    var url: String
    var method: String
    var headers = HTTPHeaders()
    var body: [UInt8]?

    /// `host:port`, or the host alone where the port is the usual one.
    var host: String {
        guard let url = URL(string: url), let host = url.host() else { return url }
        let name = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        return url.port.map { "\(name):\($0)" } ?? name
    }

    /// The request that an answer asks for; nil when it asks for none.
    ///
    /// What a client does by custom: a POST that was moved becomes a GET, and secrets do not go to another server.
    func next(status: UInt, location: String?) -> HTTPHop? {
        guard [301, 302, 303, 307, 308].contains(status), let location, let from = URL(string: url),
            let to = URL(string: location, relativeTo: from)?.absoluteURL, to.scheme == "http" || to.scheme == "https"
        else { return nil }
        var hop = self
        hop.url = to.absoluteString
        if (status == 303 && method != "HEAD") || (status <= 302 && method == "POST") {
            hop.method = "GET"
            hop.body = nil
            for name in ["Content-Length", "Content-Type", "Content-Encoding"] { hop.headers.remove(name: name) }
        }
        if Self.origin(from) != Self.origin(to) {
            for name in ["Authorization", "Cookie", "Proxy-Authorization", "Origin", "Host"] {
                hop.headers.remove(name: name)
            }
        }
        return hop
    }

    private static func origin(_ url: URL) -> [String] {
        [url.scheme ?? "", url.host()?.lowercased() ?? "", "\(url.port ?? (url.scheme == "https" ? 443 : 80))"]
    }
}
