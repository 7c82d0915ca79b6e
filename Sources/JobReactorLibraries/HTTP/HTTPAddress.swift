private import FoundationEssentials

/// A URL of the web in parts that were looked at, and put together again from them: those who connect read nothing else into it.
struct HTTPAddress: Hashable, Sendable {
    struct Problem: Error {
        /// Completes a sentence.
        let reason: String

        static let none = Problem(
            reason: "write http://host/path or https://host/path, with reserved characters percent-encoded")
        static let tooLong = Problem(reason: "it is longer than \(HTTPAddress.longest) bytes")
    }

    static let longest = 64 << 10

    /// `http` or `https`.
    let scheme: String
    let server: ServerName
    /// Path and query, percent-encoded.
    let target: String
    /// `user:password`, decoded; it is no part of ``url``.
    let login: [UInt8]?

    /// The fragment is dropped: no server sees it.
    init(_ text: some Collection<UInt8>) throws(Problem) {
        let bytes = Array(text)
        guard bytes.count <= Self.longest else { throw .tooLong }
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[colon...].starts(with: "://".utf8) else {
            throw .none
        }
        scheme = String(decoding: bytes[..<colon], as: UTF8.self).lowercased()
        guard scheme == "http" || scheme == "https" else { throw .none }
        let rest = bytes[(colon + 3)...]
        let authority = rest.prefix { !"/?#".utf8.contains($0) }
        let at = authority.lastIndex(of: UInt8(ascii: "@"))
        let name = authority[(at.map { $0 + 1 } ?? authority.startIndex)...]
        guard !name.isEmpty else { throw .none }
        do throws(ServerName.Problem) { server = try ServerName(name) } catch { throw Problem(reason: error.reason) }
        login = at.flatMap { Self.login(authority[..<$0]) }
        target = PercentEncoding.encode(rest[authority.endIndex...].prefix { $0 != UInt8(ascii: "#") })
    }

    /// Nil where there is no user.
    private static func login(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let user = text.prefix { $0 != UInt8(ascii: ":") }
        guard !user.isEmpty else { return nil }
        return PercentEncoding.decode(user) + [UInt8(ascii: ":")]
            + PercentEncoding.decode(text[user.endIndex...].dropFirst())
    }

    var port: Int { server.port ?? (scheme == "https" ? 443 : 80) }

    var url: String { "\(scheme)://\(host)\(target)" }

    /// `host:port`, or the host alone where the URL says no port.
    var host: String { server.port.map { "\(server.urlHost):\($0)" } ?? server.urlHost }

    /// What is the same for all that one server has.
    var origin: String { "\(scheme) \(server.host) \(port)" }

    /// Where the `Location` of an answer leads from here; nil where that is no place of the web.
    func following(_ location: String) throws(Problem) -> HTTPAddress? {
        let start = location.utf8.prefix { !"/?#".utf8.contains($0) }
        if let colon = start.firstIndex(of: UInt8(ascii: ":")) {
            let scheme = location[..<colon].lowercased()
            return try scheme == "http" || scheme == "https" ? HTTPAddress(location.utf8) : nil
        }
        if location.utf8.starts(with: "//".utf8) { return try HTTPAddress("\(scheme):\(location)".utf8) }
        let path = PercentEncoding.encode(location.utf8.prefix { $0 != UInt8(ascii: "#") })
        guard let base = URL(string: url), let to = URL(string: path, relativeTo: base) else { return nil }
        return try HTTPAddress(to.absoluteString.utf8)
    }
}
