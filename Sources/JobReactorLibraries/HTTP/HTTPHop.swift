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

    /// The server, as far as connections to it are shared.
    var origin: String { URL(string: url).map { Self.origin($0).joined(separator: " ") } ?? url }

    /// Whether the port in the URL, where there is one, is a number from 1 to 65535. The client that makes the connection takes
    /// that for granted, and a number that is too large for any URL to be no port at all.
    static func hasGoodPort(_ url: String) -> Bool {
        guard let start = url.firstRange(of: "//")?.upperBound else { return true }
        let authority = url[start...].prefix { !"/?#".contains($0) }
        let server = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        guard let colon = server.lastIndex(of: ":"), !server[colon...].contains("]") else { return true }
        let digits = server[server.index(after: colon)...]
        return digits.isEmpty || Int(digits).map { (1...65535).contains($0) } == true
    }

    /// The request that an answer asks for; nil when it asks for none. Throws when there can be no such server.
    ///
    /// What a client does by custom: a POST that was moved becomes a GET, and secrets do not go to another server.
    func next(status: UInt, location: String?) throws -> HTTPHop? {
        guard [301, 302, 303, 307, 308].contains(status), let location, let from = URL(string: url),
            let to = URL(string: location, relativeTo: from)?.absoluteURL, to.scheme == "http" || to.scheme == "https"
        else { return nil }
        guard Self.hasGoodPort(to.absoluteString) else { throw HTTPFailure.badRedirect(to.absoluteString) }
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
