internal import NIOHTTP1

/// One request on the way to the answer.
struct HTTPHop: Sendable {
    var url: String
    var method: String
    var headers = HTTPHeaders()
    var body: [UInt8]?
    /// Headers that are for the first server alone, beside those that always are.
    var secrets: [String] = []

    private static let alwaysSecret = ["Authorization", "Cookie", "Proxy-Authorization", "Origin", "Host"]

    /// Nil for a URL that is none.
    var address: HTTPAddress? { try? HTTPAddress(url.utf8) }

    /// `host:port`, or the host alone where the port is the usual one.
    var host: String { address?.host ?? url }

    /// The server, as far as connections to it are shared.
    var origin: String { address?.origin ?? url }

    /// The request that an answer asks for; nil when it asks for none. Throws when there can be no such server.
    ///
    /// What a client does by custom: a POST that was moved becomes a GET, and secrets do not go to another server.
    func next(status: UInt, location: String?) throws -> HTTPHop? {
        guard [301, 302, 303, 307, 308].contains(status), let location, let from = address else { return nil }
        let to: HTTPAddress
        do throws(HTTPAddress.Problem) {
            guard let place = try from.following(location) else { return nil }
            to = place
        } catch { throw HTTPFailure.badRedirect(location, error.reason) }
        var hop = self
        hop.url = to.url
        if (status == 303 && method != "HEAD") || (status <= 302 && method == "POST") {
            hop.method = "GET"
            hop.body = nil
            for name in ["Content-Length", "Content-Type", "Content-Encoding"] { hop.headers.remove(name: name) }
        }
        if from.origin != to.origin {
            for name in Self.alwaysSecret + secrets { hop.headers.remove(name: name) }
        }
        return hop
    }
}
