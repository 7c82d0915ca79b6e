package import JobReactorCore
package import JobReactorWire

/// Who asks: a user, and from where.
package struct Visitor: Hashable, Sendable {
    package let user: User
    /// `host:port`, for the audit log.
    package let address: String

    package init(_ user: User, at address: String) {
        self.user = user
        self.address = address
    }
}

/// The distributor that a dashboard shows. Any task may ask.
package protocol DashboardSource: Sendable {
    /// The reply to a command of a Redis client, which may be an error: the roles of the visitor count. Throws where there is no
    /// reply.
    func ask(_ words: [String], for visitor: Visitor) async throws -> RESPValue

    func health() async -> ServiceHealth
}

/// Why there is no page.
struct DashboardError: Error, Hashable {
    /// The status of HTTP.
    let status: Int
    /// In words, for people.
    let message: String

    static func forbidden(_ role: Role) -> DashboardError {
        DashboardError(status: 403, message: "this needs the role \(role.rawValue)")
    }
}

/// Asks for one visitor, and reads the replies.
struct Answers: Sendable {
    let source: any DashboardSource
    let visitor: Visitor

    /// The reply. Throws ``DashboardError`` for one that is an error, and where there is none.
    func ask(_ words: [String]) async throws(DashboardError) -> RESPValue {
        let reply: RESPValue
        do { reply = try await source.ask(words, for: visitor) } catch {
            let text = (error as? JobError)?.message ?? "\(error)"
            throw DashboardError(status: 503, message: "the distributor does not answer: \(text)")
        }
        guard case .error(let line) = reply else { return reply }
        if line.hasPrefix("NOPERM ") { throw DashboardError(status: 403, message: String(line.dropFirst(7))) }
        throw DashboardError(status: 409, message: line.hasPrefix("ERR ") ? String(line.dropFirst(4)) : line)
    }

    /// Rows of names and values.
    func rows(_ words: [String]) async throws(DashboardError) -> [Fields] {
        try await ask(words).elements?.map { Fields($0) } ?? []
    }

    /// The sections of `INFO`.
    func info(_ section: String? = nil) async throws(DashboardError) -> InfoSections {
        InfoSections(try await ask(["INFO"] + (section.map { [$0] } ?? [])).text ?? "")
    }
}

/// Names and values in turn.
struct Fields: Sendable {
    private(set) var all: [(name: String, value: String)] = []

    /// Longer values are cut, but for lists of names, which have a bound of their own.
    init(_ reply: RESPValue, most: Int = 4096) {
        let words = reply.elements ?? []
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            let (name, value) = (SafeText.line(words[index].text ?? ""), words[index + 1].text ?? "")
            all.append((name, name == "jobs" ? value : SafeText.cut(value, to: most).text))
        }
    }

    /// Nil where there is none, or it is empty.
    subscript(name: String) -> String? {
        all.first { $0.name == name }.flatMap { $0.value.isEmpty ? nil : $0.value }
    }

    func integer(_ name: String) -> Int { self[name].flatMap { Int($0) } ?? 0 }
    func isSet(_ name: String) -> Bool { self[name] == "1" }

    /// A time in seconds since 1970.
    func time(_ name: String) -> Timestamp? {
        self[name].flatMap { Double($0) }.flatMap { $0.isFinite ? Timestamp(seconds: $0) : nil }
    }
}

/// What `INFO` says: sections, and names and values in each.
struct InfoSections: Sendable {
    private var sections: [String: [(name: String, value: String)]] = [:]

    init(_ text: String) {
        var section = ""
        for line in text.split(whereSeparator: \.isNewline) {
            if line.hasPrefix("# ") {
                section = line.dropFirst(2).lowercased()
            } else if section == "waiting", let colon = line.ranges(of: ":count=").last {
                // The last: the name before it may have the like.
                sections[section, default: []].append(
                    (String(line[..<colon.lowerBound]), String(line[line.index(after: colon.lowerBound)...])))
            } else if let colon = line.firstIndex(of: ":") {
                sections[section, default: []].append(
                    (String(line[..<colon]), String(line[line.index(after: colon)...])))
            }
        }
    }

    func integer(_ section: String, _ name: String) -> Int { self[section, name].flatMap { Int($0) } ?? 0 }

    subscript(section: String, name: String) -> String? { sections[section]?.first { $0.name == name }?.value }

    /// The jobs that wait for a node, by name.
    var waiting: [(name: String, count: Int, isParked: Bool)] {
        (sections["waiting"] ?? []).compactMap { name, value in
            let values = value.dropFirst("count=".count).split(separator: ",", maxSplits: 1)
            guard let count = values.first.flatMap({ Int($0) }) else { return nil }
            return (name, count, values.count > 1)
        }
    }
}
