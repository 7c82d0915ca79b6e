internal import JobReactorCore
internal import JobReactorWire

/// Whether a distributor answers, as who we are there, of which release it is, and what time it has.
enum PeerCheck {
    static func findings(_ address: Address, security: WireSecurity) async -> [Finding] {
        let subject = "distributor \(address)"
        do {
            let asked = Timestamp.now
            let info = try await Query.send(["INFO", "server"], to: address, security: security)
            let answered = Timestamp.now
            let fields = Self.fields(info.text ?? "")
            let findings = release(fields, subject)
            guard fields["role"] == "distributor" else { return findings }
            let clock = fields["server_time_usec"].flatMap { Int64($0) }.map {
                ClockCheck.finding(
                    subject,
                    ClockReading(asked: asked, theirs: Timestamp(microseconds: $0), answered: answered))
            }
            let identity = try await Query.send(["WHOAMI"], to: address, security: security)
            return findings + [clock].compactMap { $0 } + [roles(NodesCommand.fields(identity), subject)]
                + (await nodes(address, security, subject))
        } catch {
            let failure = CommandFailure(error)
            // Without the role viewer there is nothing to see, and nothing wrong with that.
            if failure.message?.contains("NOPERM") == true {
                return [.good(subject, "answers, but this user lacks the role viewer")]
            }
            return [.error(subject, failure.message ?? "\(error)")]
        }
    }

    /// Of the lines of an `INFO`.
    static func fields(_ info: String) -> [String: String] {
        info.split(whereSeparator: \.isNewline).reduce(into: [String: String]()) { fields, line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { fields[String(parts[0])] = String(parts[1]) }
        }
    }

    static func release(_ fields: [String: String], _ subject: String) -> [Finding] {
        guard let release = fields["jobreactor_version"], let role = fields["role"] else {
            return [.error(subject, "is not a jobreactor server", "give the address of a distributor")]
        }
        guard role == "distributor" else {
            return [.error(subject, "is a \(role)", "give the address of a distributor")]
        }
        let name = fields["name"] ?? "?"
        guard release == JobReactorVersion.current else {
            return [
                .warning(
                    subject, "\(name) runs release \(release), and this is \(JobReactorVersion.current)",
                    "run the same release on both: different releases may not understand each other")
            ]
        }
        return [.good(subject, "\(name) answers, of the same release")]
    }

    static func roles(_ fields: [String: String], _ subject: String) -> Finding {
        let user = fields["user"] ?? "?"
        let roles = (fields["roles"] ?? "").split(separator: ",").compactMap { Role(rawValue: String($0)) }
        let names = roles.map(\.rawValue).joined(separator: ", ")
        guard roles.contains(.node) || roles.contains(.admin) else {
            return .warning(
                subject, "the user \(user), with the roles \(names), may not run a node there",
                "for a node, give the user the role node in the users file, or choose another --user")
        }
        return .good(subject, "the user \(user) has the roles \(names)")
    }

    /// Those that cannot do what they are there for.
    private static func nodes(_ address: Address, _ security: WireSecurity, _ subject: String) async -> [Finding] {
        guard let reply = try? await Query.send(["NODES"], to: address, security: security) else { return [] }
        let rows = (reply.elements ?? []).map(NodesCommand.fields)
        let refusing = rows.compactMap { row -> Finding? in
            guard let problem = row["storage_error"], !problem.isEmpty else { return nil }
            return .error(
                "node \(row["name"] ?? "?")", "its storage refuses jobs: \(problem)",
                "check the disk or the server of its storage; the node takes jobs again automatically")
        }
        let count = rows.count == 1 ? "1 node is" : "\(rows.count) nodes are"
        return [.good(subject, "\(count) connected")] + refusing
    }
}
