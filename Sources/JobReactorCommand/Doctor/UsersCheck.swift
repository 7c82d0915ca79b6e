private import JobReactorUsers
internal import JobReactorWire

/// Whether the users of a file can do together what an installation needs.
enum UsersCheck {
    static func findings(_ file: String) -> [Finding] {
        let subject = "--users \(file)"
        do throws(WireError) { return findings(try UserTable(contentsOf: file).users, subject) } catch {
            return [.error(subject, error.message)]
        }
    }

    static func findings(_ users: [User], _ subject: String) -> [Finding] {
        let needed: [(role: Role, what: String)] = [
            (.node, "no node can connect"), (.producer, "nobody can enqueue"), (.viewer, "nobody can read"),
            (.operator, "nobody can cancel or retry jobs"),
        ]
        let missing = needed.filter { need in !users.contains { $0.has(need.role) } }.map { need in
            Finding.warning(
                subject,
                "no user has the role \(need.role.rawValue): \(need.what) without the password of the installation",
                "jobreactor user add NAME --role \(need.role.rawValue)")
        }
        return [.good(subject, "is readable, and has \(users.count) user\(users.count == 1 ? "" : "s")")] + missing
    }
}
