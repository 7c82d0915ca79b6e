internal import JobReactorLua
internal import JobReactorWire
internal import NIOHTTP1

/// What a script asks for, and its bounds.
struct HTTPRequestPlan: Sendable {
    /// The first request; redirects make others of it.
    var hop: HTTPHop
    /// Seconds for all of it, from the look-up of the name to the last byte of the answer.
    var timeout = 30.0
    /// Bytes of the answer's body, where the script says how many.
    var maximumBytes: Int?
    /// How many are followed; where it is 0 the answer is what the server said.
    var redirects = 5
    /// Where the body goes instead of into memory.
    var file: String?
    /// Whether it goes there whatever the status is.
    var savesAnyStatus = false
    /// Whether any certificate will do.
    var isInsecure = false
    /// A file of certificates in PEM to trust in place of the system's.
    var authority: String?

    static let usualBytes = 16 << 20
    static let longestTimeout = 86_400.0
    static let largestHeaders = 1 << 20
    static let largestBody = 1 << 30

    /// What the Lua text passes: method, URL, packed names and values of the headers, body, timeout, bytes, redirects,
    /// file, whether it is insecure, file of certificates, whether any status is saved, packed names of secret headers.
    init(_ values: [ScriptValue]) throws(ScriptFailure) {
        let given = ScriptArguments(values, of: "http.request")
        let address = try Self.address(given.bytes(1))
        hop = HTTPHop(url: address.url, method: try given.text(0), body: try given.optionalBytes(3))
        try takeHeaders(PackedStrings.unpack(given.optionalBytes(2) ?? []))
        for name in try PackedStrings.unpack(given.optionalBytes(11) ?? []) {
            hop.secrets.append(try Self.headerName(name))
        }
        timeout = try given.optionalDouble(4) ?? timeout
        file = try given.optionalName(7, "http: the path of the file")
        maximumBytes = try given.optionalInt(5)
        redirects = try given.optionalInt(6) ?? redirects
        isInsecure = given[8].isTrue
        authority = try given.optionalName(9, "http: the path of the certificates")
        savesAnyStatus = given[10].isTrue
        try check()
        if let login = address.login, !hop.headers.contains(name: "Authorization") {
            let text = String(decoding: Base64.standard.encode(login), as: UTF8.self)
            hop.headers.add(name: "Authorization", value: "Basic \(text)")
        }
        if !hop.headers.contains(name: "User-Agent") {
            hop.headers.add(name: "User-Agent", value: "JobReactor/\(JobReactorVersion.current)")
        }
    }

    private static func address(_ url: [UInt8]) throws(ScriptFailure) -> HTTPAddress {
        do throws(HTTPAddress.Problem) { return try HTTPAddress(url) } catch {
            throw ScriptFailure(
                "http: '\(String(decoding: url.prefix(1000), as: UTF8.self))' is no URL: \(error.reason)")
        }
    }

    private mutating func takeHeaders(_ strings: [[UInt8]]) throws(ScriptFailure) {
        guard strings.reduce(0, { $0 + $1.count }) <= Self.largestHeaders else {
            throw ScriptFailure("http: the headers have more than \(Self.largestHeaders) bytes")
        }
        for index in stride(from: 0, to: strings.count - 1, by: 2) {
            let name = try Self.headerName(strings[index])
            hop.headers.add(name: name, value: try Self.headerValue(strings[index + 1], of: name))
        }
    }

    /// The HTTP library ends the process on a name that is not ASCII.
    private static func headerName(_ bytes: some Collection<UInt8>) throws(ScriptFailure) -> String {
        let name = String(decoding: bytes, as: UTF8.self)
        guard !bytes.isEmpty, bytes.allSatisfy(isOfName) else {
            throw ScriptFailure(
                "http: '\(name)' is no name of a header: those have letters, digits and !#$%&'*+-.^_`|~, and nothing else"
            )
        }
        return name
    }

    private static func headerValue(_ bytes: [UInt8], of name: String) throws(ScriptFailure) -> String {
        guard let value = String(validating: bytes, as: UTF8.self),
            bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == UInt8(ascii: "\t") })
        else {
            throw ScriptFailure(
                "http: the value of the header '\(name)' must be text of UTF-8 without line ends and other controls")
        }
        return value
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    private func check() throws(ScriptFailure) {
        guard !hop.method.isEmpty, hop.method.utf8.count <= 32, hop.method.utf8.allSatisfy(Self.isOfName) else {
            throw ScriptFailure("http: '\(hop.method)' is no method")
        }
        guard hop.method != "CONNECT" else { throw ScriptFailure("http: CONNECT is for proxies, and no request") }
        guard hop.body?.count ?? 0 <= Self.largestBody else {
            throw ScriptFailure("http: a body has at most \(Self.largestBody) bytes")
        }
        guard timeout > 0, timeout <= Self.longestTimeout else {
            throw ScriptFailure("http: the timeout must be more than 0 and at most \(Int(Self.longestTimeout)) seconds")
        }
        guard (maximumBytes ?? 0) >= 0 else { throw ScriptFailure("http: max_bytes must not be negative") }
        guard (0...100).contains(redirects) else { throw ScriptFailure("http: redirects must be 0 to 100") }
        for path in [file, authority].compactMap({ $0 })
        where path.isEmpty || path.hasSuffix("/") || path.utf8.contains(0) {
            throw ScriptFailure("http: '\(path)' is no path of a file")
        }
        guard authority == nil || !isInsecure else {
            throw ScriptFailure("http: give ca or insecure, not both: with insecure any certificate will do")
        }
    }
}
