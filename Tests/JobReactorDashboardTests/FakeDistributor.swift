import Foundation
import JobReactorCore
import JobReactorWire
import NIOCore
import Testing

@testable import JobReactorDashboard

/// A distributor that answers what a test says, and remembers what it was asked.
final class FakeDistributor: DashboardSource {
    private let replies = Locked<[String: RESPValue]>([:])
    private let heard = Locked<[(words: [String], visitor: Visitor)]>([])

    init(_ replies: [String: RESPValue] = [:]) {
        let usual = [
            "INFO": RESPValue.bulk(Array("# Jobs\r\nunfinished:0\r\n".utf8)), "NODES": .array([]), "PAUSES": .array([]),
            "SCHEDULES": .array([]), "LIMITS": .array([]), "RECORDS": .array([]), "JOB": .null,
        ]
        self.replies.withLock { $0 = usual.merging(replies) { $1 } }
    }

    /// From now on that command is answered so.
    func answer(_ verb: String, _ reply: RESPValue) { replies.withLock { $0[verb] = reply } }

    /// What it was asked with these verbs, in their order.
    func asked(_ verbs: String...) -> [String] {
        heard.withLock { heard in
            heard.map(\.words).filter { verbs.contains($0[0]) }.map { $0.joined(separator: " ") }
        }
    }

    /// What would have changed something.
    var changes: [String] { asked("CANCEL", "RETRY", "DESTROY", "PAUSE", "RESUME", "SCHEDULE") }
    var lastVisitor: Visitor? { heard.withLock { $0.last?.visitor } }

    func ask(_ words: [String], for visitor: Visitor) async throws -> RESPValue {
        heard.withLock { $0.append((words, visitor)) }
        guard let reply = replies.withLock({ $0[words[0]] }) else { return .error("ERR \(words[0]) is not expected") }
        return reply
    }

    func health() async -> ServiceHealth { ServiceHealth() }

    // MARK: Replies

    /// Names and values in turn.
    static func row(_ fields: KeyValuePairs<String, String>) -> RESPValue {
        .array(fields.flatMap { [RESPValue.bulk(Array($0.key.utf8)), .bulk(Array($0.value.utf8))] })
    }

    static func node(_ name: String, jobs: String = "", isDurable: Bool = false, error: String = "") -> RESPValue {
        row([
            "name": name, "address": "10.0.0.1:5000", "durable": isDurable ? "1" : "0", "draining": "0", "window": "8",
            "load": "3", "storage_error": error, "paused": "0", "jobs_count": "\(jobs.split(separator: " ").count)",
            "jobs": jobs,
        ])
    }

    /// As `RECORDS` answers it.
    static func record(_ job: Job, waitsFor: String? = nil) throws -> RESPValue {
        var words = RESPWords()
        JobRecord.write(job, to: &words)
        if let waitsFor { words.add("waits_for", waitsFor) }
        var buffer = ByteBuffer()
        words.write(to: &buffer)
        return try #require(RESPValue(reading: buffer))
    }

    static func job(_ id: JobID, _ name: String = "greet", args: JobArguments = [:]) -> Job {
        Job(id: id, name: name, args: args, options: JobOptions(), distributor: "d", createdAt: .now)
    }
}

/// Users with passwords, who can come and go.
final class FakeGate: DashboardGate {
    let asks: Bool
    private let users: Locked<[String: User]>

    init(asks: Bool = true, _ users: [User] = FakeGate.usual) {
        self.asks = asks
        self.users = Locked(Dictionary(users.map { ($0.name, $0) }) { first, _ in first })
    }

    static let usual = [
        User(name: "vic", roles: [.viewer], secret: "1"), User(name: "olga", roles: [.viewer, .operator], secret: "2"),
        User(name: "prod", roles: [.producer], secret: "3"),
    ]

    func set(_ user: User) { users.withLock { $0[user.name] = user } }

    func check(_ name: String, _ password: [UInt8], from peer: PeerNetwork) async -> LoginVerdict {
        guard let user = users.withLock({ $0[name] }), password == Array("secret".utf8) else { return .wrong }
        return user.has(.viewer) ? .allowed(user) : .forbidden
    }

    func user(_ name: String) async -> User? { users.withLock { $0[name] } }
}

/// A browser with its cookies.
final class Browser {
    let dashboard: Dashboard
    var cookie: String?
    var host = "localhost:9500"
    var isLocal = true

    init(_ dashboard: Dashboard) { self.dashboard = dashboard }

    func get(_ place: String, headers: [String: String] = [:]) async -> DashboardReply {
        await send(.get, place, headers, [])
    }

    /// Posts a form, by default with the mark that the pages of this session have.
    func post(
        _ place: String, _ form: String? = nil, headers: [String: String] = [:]
    ) async -> DashboardReply {
        var body = form
        if body == nil { body = await mark().map { "csrf=\($0)" } }
        return await send(.post, place, headers, Array((body ?? "").utf8))
    }

    /// What the forms of this session say.
    func mark() async -> String? {
        await get("/nodes").body.firstMatch(of: /name="csrf" value="([^"]+)"/).map { String($0.1) }
    }

    func logIn(_ name: String, _ password: String = "secret") async -> DashboardReply {
        await post("/login", "user=\(name)&password=\(password)&next=%2Fjobs")
    }

    private func send(
        _ method: DashboardRequest.Method, _ place: String, _ more: [String: String], _ body: [UInt8]
    ) async -> DashboardReply {
        let parts = place.split(separator: "?", maxSplits: 1).map(String.init)
        var headers = ["host": host]
        if let cookie { headers["cookie"] = "other=1; \(cookie)" }
        let reply = await dashboard.reply(
            to: DashboardRequest(
                method, parts[0], query: parts.count > 1 ? parts[1] : "", headers: headers.merging(more) { $1 },
                body: body, address: "127.0.0.1:4711", isLocal: isLocal))
        if let set = reply.header("Set-Cookie") { cookie = set.split(separator: ";").first.map(String.init) }
        return reply
    }
}

extension DashboardReply {
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// What stands in the page, without tags, in one line.
    var text: String {
        body.replacing(/<[^>]*>/, with: " ").split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
