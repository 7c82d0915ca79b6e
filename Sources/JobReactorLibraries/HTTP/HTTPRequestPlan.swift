private import FoundationEssentials
internal import JobReactorCore
internal import JobReactorLua
internal import JobReactorWire
internal import NIOHTTP1

/// What a script asks for, and its bounds.
struct HTTPRequestPlan: Sendable {
    /// The first request; redirects make others of it.
    var hop: HTTPHop
    /// Seconds for all of it, from the look-up of the name to the last byte of the answer.
    var timeout = 30.0
    /// Bytes of the answer's body; nil for no limit.
    var maximumBytes: Int?
    /// How many are followed; where it is 0 the answer is what the server said.
    var redirects = 5
    /// Where the body goes instead of into memory.
    var file: String?
    /// Whether any certificate will do.
    var isInsecure = false

    static let usualBytes = 16 << 20
    static let longestTimeout = 86_400.0

    /// What the Lua text passes: method, URL, packed names and values of the headers, body, timeout, bytes, redirects,
    /// file, whether it is insecure.
    init(_ values: [ScriptValue]) throws(ScriptFailure) {
        let given = ScriptArguments(values, of: "http.request")
        let url = try given.text(1)
        hop = HTTPHop(url: url, method: try given.text(0), body: try given.optionalBytes(3))
        let headers = try PackedStrings.unpack(given.optionalBytes(2) ?? [])
        for index in stride(from: 0, to: headers.count - 1, by: 2) {
            hop.headers.add(
                name: try Self.headerName(headers[index]),
                value: String(decoding: headers[index + 1], as: UTF8.self))
        }
        timeout = try given.optionalDouble(4) ?? timeout
        file = try given.optionalText(7)
        maximumBytes = try given.optionalInt(5) ?? (file == nil ? Self.usualBytes : nil)
        redirects = try given.optionalInt(6) ?? redirects
        isInsecure = given[8].isTrue
        try takeLogin()
        try check()
        if !hop.headers.contains(name: "User-Agent") {
            hop.headers.add(name: "User-Agent", value: "JobReactor/\(JobReactorVersion.current)")
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

    /// The span of the run goes along, but for headers that the script gives.
    mutating func add(_ trace: JobTrace) {
        for (name, value) in trace.fields where !name.isEmpty && name.utf8.allSatisfy(Self.isOfName) {
            let isGood = value.utf8.allSatisfy { (0x20...0x7E).contains($0) }
            if isGood, !hop.headers.contains(name: name) { hop.headers.add(name: name, value: value) }
        }
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
        guard timeout > 0, timeout <= Self.longestTimeout else {
            throw ScriptFailure("http: the timeout must be more than 0 and at most \(Int(Self.longestTimeout)) seconds")
        }
        guard (maximumBytes ?? 0) >= 0 else { throw ScriptFailure("http: max_bytes must not be negative") }
        guard (0...100).contains(redirects) else { throw ScriptFailure("http: redirects must be 0 to 100") }
        if let file, file.isEmpty || file.hasSuffix("/") || file.utf8.contains(0) {
            throw ScriptFailure("http: '\(file)' is no path of a file")
        }
    }

    /// Looks at the URL, and makes a header of a user and a password in it.
    private mutating func takeLogin() throws(ScriptFailure) {
        guard var parts = URLComponents(string: hop.url), let scheme = parts.scheme?.lowercased(),
            scheme == "http" || scheme == "https", parts.host?.isEmpty == false
        else {
            throw ScriptFailure(
                "http: '\(hop.url)' is no URL: write http://host/path or https://host/path, with reserved characters"
                    + " percent-encoded")
        }
        guard HTTPHop.hasGoodPort(hop.url) else {
            throw ScriptFailure("http: '\(hop.url)' is no URL: a port is a number from 1 to 65535")
        }
        guard let user = parts.user, !user.isEmpty else { return }
        if !hop.headers.contains(name: "Authorization") {
            let login = Base64.standard.encode(Array("\(user):\(parts.password ?? "")".utf8))
            hop.headers.add(name: "Authorization", value: "Basic \(String(decoding: login, as: UTF8.self))")
        }
        (parts.user, parts.password) = (nil, nil)
        hop.url = parts.string ?? hop.url
    }
}
