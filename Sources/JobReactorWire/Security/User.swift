internal import JobReactorCore

/// A role of a user. A command that needs another role is answered `-NOPERM this needs the role …`.
public enum Role: String, CaseIterable, Hashable, Sendable {
    /// Read: `INFO`, `NODES`, `JOBS`, `JOB`, `RECORDS`, `RECORD`.
    case viewer
    /// `ENQUEUE` and `PERFORM`, linking as a producer, and `JOB` and `CANCEL` of its own jobs.
    case producer
    /// Linking as a node with the user's name, or with a name that ``User/nodes`` allows.
    case node
    /// `CANCEL`, `RETRY` and `DESTROY` of all jobs.
    case `operator`
    /// Reloading scripts: `RELOAD`.
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

/// A user that has logged in on a port.
public struct User: Hashable, Sendable {
    /// Up to 64 bytes, without spaces, control characters, `/` and `:`.
    public let name: String
    public let roles: Set<Role>
    /// Further names for nodes of this user, in addition to the user's name.
    public let nodes: [NamePattern]
    /// The stored credential of the user; it changes with the password.
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

    /// The user with the password of the installation, and every client of a port without passwords; it has all roles.
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

/// A pattern for names: `*` matches any number of characters, including none.
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

/// The users of a port, in addition to the password of the installation; ``User/standard`` is not one of them.
///
/// The product `JobReactorUsers` has an implementation that reads a file. Every method may be called from any thread.
public protocol UserDirectory: Sendable {
    /// Checks the password of a user. `done` gets the user, or nil, on any thread, possibly before this returns. Slow
    /// checks run on another thread. An unknown name takes as long as a wrong password.
    func check(_ name: String, _ password: [UInt8], done: @escaping @Sendable (User?) -> Void)

    /// The user, if the password is known to be right without a check; nil if it must be checked. Must be fast: such
    /// users do not wait for password checks of others. The default implementation returns nil.
    func known(_ name: String, _ password: [UInt8]) -> User?

    /// Checks for added, removed or changed users. `done` gets all current users, and the number of this state, which
    /// equals `state` if nothing has changed.
    func look(since state: Int, done: @escaping @Sendable (_ users: [String: User], _ state: Int) -> Void)
}

extension UserDirectory {
    public func known(_ name: String, _ password: [UInt8]) -> User? { nil }
}
