import JobReactorLua
import NIOHTTP1

@testable import JobReactorLibraries

/// An answer, as a test looks at it.
struct WebReply {
    var status: Int?
    var url: String?
    var headers: [(name: String, value: String)]
    /// Nil when it is in a file.
    var body: String?
    var size: Int?
}

/// Calls `http` with what its Lua text would pass.
struct Web {
    var library = HTTPLibrary()
    var isSandboxed = false

    func request(
        _ url: String, method: String = "GET", headers: [(String, String)] = [], body: String? = nil,
        timeout: Double? = nil, maximumBytes: Int? = nil, redirects: Int? = nil, file: String? = nil,
        isInsecure: Bool = false, authority: String? = nil, savesAnyStatus: Bool = false, secrets: [String] = []
    ) async throws -> WebReply {
        let values = try await values(
            url, method: method, headers: headers, body: body, timeout: timeout, maximumBytes: maximumBytes,
            redirects: redirects, file: file, isInsecure: isInsecure, authority: authority,
            savesAnyStatus: savesAnyStatus, secrets: secrets)
        let strings = try PackedStrings.unpack(values[2].bytes ?? []).map { String(decoding: $0, as: UTF8.self) }
        return WebReply(
            status: values[0].int, url: values[1].text,
            headers: stride(from: 0, to: strings.count, by: 2).map { (strings[$0], strings[$0 + 1]) },
            body: values[3].text, size: values[4].int)
    }

    func values(
        _ url: String, method: String = "GET", headers: [(String, String)] = [], body: String? = nil,
        timeout: Double? = nil, maximumBytes: Int? = nil, redirects: Int? = nil, file: String? = nil,
        isInsecure: Bool = false, authority: String? = nil, savesAnyStatus: Bool = false, secrets: [String] = []
    ) async throws -> [ScriptValue] {
        var packed = PackedStrings()
        for (name, value) in headers {
            packed.append(name.utf8)
            packed.append(value.utf8)
        }
        var names = PackedStrings()
        for secret in secrets { names.append(secret.utf8) }
        return try await caller.call(
            "request", .string(method), .string(url), .string(packed.bytes), body.map { .string($0) } ?? .nil,
            timeout.map { .number($0) } ?? .nil, maximumBytes.map { .integer(Int64($0)) } ?? .nil,
            redirects.map { .integer(Int64($0)) } ?? .nil, file.map { .string($0) } ?? .nil, .bool(isInsecure),
            authority.map { .string($0) } ?? .nil, .bool(savesAnyStatus), .string(names.bytes))
    }

    func start(_ url: String) throws -> (result: Task<[ScriptValue], any Error>, cancel: () -> Void) {
        try caller.start("request", [.string("GET"), .string(url)])
    }

    private var caller: Caller { Caller(library: library, isSandboxed: isSandboxed) }
}
