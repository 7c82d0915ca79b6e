internal import JobReactorCore

/// What a user may do. A command beyond it is answered `-NOPERM this needs the role …`.
public enum Role: String, CaseIterable, Hashable, Sendable {
    /// Look: `INFO`, `NODES`, `JOBS`, `JOB`, `RECORDS`, `RECORD`.
    case viewer
    /// `ENQUEUE` and `PERFORM`, link as a producer, and `JOB` and `CANCEL` of what it enqueued.
    case producer
    /// Link as a node: of its own name, or of one that ``User/nodes`` allows.
    case node
    /// `CANCEL`, `RETRY`, `DESTROY` of any job.
    case `operator`
    /// Change which scripts run: `RELOAD`.
    case author
    /// All of these.
    case admin

    fileprivate var bit: UInt8 {
        switch self {
        case .viewer: 1
        case .producer: 2
        case .node: 4
        case .operator: 8
        case .author: 16
        case .admin: 32
        }
    }
}

/// Who has logged in on a port.
public struct User: Hashable, Sendable {
    /// Up to 64 bytes, without spaces, control characters, `/` and `:`.
    public let name: String
    public let roles: Set<Role>
    /// Which names a node of this user may have, beside the user's own name.
    public let nodes: [NamePattern]
    /// What the password was checked against: of another password it is another text.
    package let secret: String

    /// A bit for each role, with those that an admin has: asked for each command.
    private let may: UInt8

    package init(name: String, roles: Set<Role>, nodes: [NamePattern] = [], secret: String = "") {
        self.name = name
        self.roles = roles
        may = (roles.contains(.admin) ? Role.allCases : Array(roles)).reduce(0) { $0 | $1.bit }
        self.nodes = nodes
        self.secret = secret
    }

    /// Who says the one password of an installation, and everyone where none is asked for: may do everything.
    public static let standard = User(name: "default", roles: Set(Role.allCases), nodes: [NamePattern("*")])

    public func has(_ role: Role) -> Bool { may & role.bit != 0 }

    /// Whether it may link as the node of that name.
    public func mayBe(node name: String) -> Bool {
        has(.node) && (name == self.name || nodes.contains { $0.matches(name) })
    }

    /// The roles in the order of ``Role``, with commas.
    package var roleNames: String { Role.allCases.filter(roles.contains).map(\.rawValue).joined(separator: ",") }

    static let nameBytes = 64

    /// What is wrong with the name; nil for nothing.
    package static func problem(in name: String) -> String? {
        if let problem = Name.problem(in: name) { return problem }
        if name.utf8.count > nameBytes { return "has more than \(nameBytes) bytes" }
        return name.contains("/") || name.contains(":") || name.hasPrefix("#")
            ? "has a '/', a ':' or a '#' in front" : nil
    }
}

/// Names that look alike: `*` stands for any characters, none among them.
public struct NamePattern: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ text: String) { description = text }

    /// Compares bytes, in a time of at most the product of both lengths.
    public func matches(_ name: String) -> Bool {
        let (pattern, text) = (Array(description.utf8), Array(name.utf8))
        var (p, t) = (0, 0)
        // Where the last star was, and where what it stands for ends: the next try is a byte longer.
        var star: (pattern: Int, text: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                star = (p, t)
                p += 1
            } else if p < pattern.count, pattern[p] == text[t] {
                (p, t) = (p + 1, t + 1)
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                (p, t) = (last.pattern + 1, last.text + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

/// Who may log in on a port beside the one password of the installation: ``User/standard`` is none of them.
///
/// The product `JobReactorUsers` has one that reads a file. Every method may be called from any thread.
public protocol UserDirectory: Sendable {
    /// Whether that is the password of the user: `done` gets the user, or nil, on any thread, perhaps before this returns. What
    /// takes longer than a moment is done on another thread. For a name that nobody has it takes as long as for a wrong
    /// password.
    func check(_ name: String, _ password: [UInt8], done: @escaping @Sendable (User?) -> Void)

    /// The user, where it is known at once that this is its password; nil where that has to be checked. Takes no longer than a
    /// moment. Who is known so does not wait for those whose passwords are checked. Without one of its own: always nil.
    func known(_ name: String, _ password: [UInt8]) -> User?

    /// Looks whether users have come, gone or changed: `done` gets all that there are now, and the number of this state, which
    /// is `state` when nothing has changed.
    func look(since state: Int, done: @escaping @Sendable (_ users: [String: User], _ state: Int) -> Void)
}

extension UserDirectory {
    public func known(_ name: String, _ password: [UInt8]) -> User? { nil }
}
