private import Foundation
private import JobReactorCore
public import JobReactorWire

/// The content of a users file: a line for each user, `name role,… hash [nodes=pattern,…]`; empty lines and comments
/// with `#` keep their place.
///
/// Only one process may change a file at a time: ``write(to:)`` fails while another process writes.
public struct UserTable: Sendable {
    private enum Line: Sendable {
        case user(User, PasswordHash)
        case other(String)

        var text: String {
            switch self {
            case .other(let text): text
            case .user(let user, let hash):
                ([user.name, user.roleNames, hash.description]
                    + (user.nodes.isEmpty ? [] : ["nodes=" + user.nodes.map(\.description).joined(separator: ",")]))
                    .joined(separator: " ")
            }
        }
    }

    private var lines: [Line] = []
    /// Not a line, of a comment or otherwise.
    var isBlank: Bool { lines.isEmpty }

    /// No users.
    public init() {}

    /// Reads a file that only its owner, and possibly its group, can read. The error names the wrong line and the
    /// problem.
    public init(contentsOf path: String) throws(WireError) {
        let text = try Self.text(of: path)
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            do throws(WireError) { lines.append(try Self.read(line)) } catch {
                throw WireError(.configuration, "\(path):\(index + 1): \(error.message)")
            }
        }
        // What stands behind the last line end is no line.
        if case .other("")? = lines.last { lines.removeLast() }
        let names = users.map(\.name)
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw WireError(.configuration, "\(path): the user '\(twice)' is listed twice: keep one of the lines")
        }
    }

    static let fileBytes = 1 << 20

    private static func text(of path: String) throws(WireError) -> String {
        func failure() -> WireError {
            WireError(.configuration, "cannot read the users file \(path): \(String(cString: strerror(errno)))")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure() }
        guard status.st_mode & 0o037 == 0 else {
            throw WireError(
                .configuration,
                "\(path) is a users file and others can read it: chmod 600 \(path), or 640 for its group")
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = readSome(descriptor, &chunk)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure() }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
            guard bytes.count <= fileBytes else {
                throw WireError(.configuration, "\(path) is larger than 1 MiB: it is not a users file")
            }
        }
    }

    private static func read(_ line: Substring) throws(WireError) -> Line {
        let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
        guard let name = words.first, !name.hasPrefix("#") else { return .other(String(line)) }
        guard (3...4).contains(words.count) else {
            throw WireError(
                .configuration, "a line is: name role,… hash [nodes=pattern,…]; jobreactor user add writes it")
        }
        try check(new: name)
        guard let hash = PasswordHash(words[2]) else {
            throw WireError(.configuration, "invalid hash of a password: jobreactor user passwd writes one")
        }
        var nodes: [NamePattern] = []
        if words.count == 4 {
            guard words[3].hasPrefix("nodes="), words[3] != "nodes=" else {
                throw WireError(.configuration, "'\(words[3])' is not nodes=pattern,…")
            }
            nodes = words[3].dropFirst("nodes=".count).split(separator: ",").map { NamePattern(String($0)) }
        }
        return .user(User(name: name, roles: try roles(words[1]), nodes: nodes, secret: words[2]), hash)
    }

    /// Parses `viewer,producer`. Throws for an unknown role.
    public static func roles(_ text: String) throws(WireError) -> Set<Role> {
        var roles: Set<Role> = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let role = Role(rawValue: word.lowercased()) else {
                let all = Role.allCases.map(\.rawValue).joined(separator: ", ")
                throw WireError(.configuration, "'\(word)' is not a role: the roles are \(all)")
            }
            roles.insert(role)
        }
        return roles
    }

    /// Throws for an invalid name of a user.
    public static func check(new name: String) throws(WireError) {
        if let problem = User.problem(in: name) { throw WireError(.configuration, "the user's name \(problem)") }
        if name == User.standard.name {
            throw WireError(
                .configuration,
                "'default' is the user with the password of the installation (\(SettingName.passwordFile)):"
                    + " choose another name")
        }
    }

    // MARK: Users

    /// In the order of the file.
    public var users: [User] {
        lines.compactMap { if case .user(let user, _) = $0 { user } else { nil } }
    }

    func hash(of name: String) -> PasswordHash? {
        for case .user(let user, let hash) in lines where user.name == name { return hash }
        return nil
    }

    /// What a password said for that name is checked against. For a name that nobody has it is the hash of another, so that it
    /// takes as long: who guesses learns no names.
    func hashToCheck(_ name: String) -> PasswordHash? {
        if let hash = hash(of: name) { return hash }
        for case .user(_, let hash) in lines { return hash }
        return nil
    }

    /// Adds a user. Takes a moment for the hash of the password. Throws if the name exists or is invalid.
    public mutating func add(
        _ name: String, roles: Set<Role>, nodes: [NamePattern] = [], password: Password
    ) throws(WireError) {
        try Self.check(new: name)
        guard hash(of: name) == nil else {
            throw WireError(.configuration, "the user '\(name)' exists already: change the password with user passwd")
        }
        guard !roles.isEmpty else { throw WireError(.configuration, "a user needs a role") }
        lines.append(try Self.line(name, roles, nodes, password))
    }

    /// As ``add(_:roles:nodes:password:)``, for an existing user.
    public mutating func setPassword(_ password: Password, of name: String) throws(WireError) {
        let index = try index(of: name)
        guard case .user(let user, _) = lines[index] else { return }
        lines[index] = try Self.line(name, user.roles, user.nodes, password)
    }

    public mutating func remove(_ name: String) throws(WireError) { lines.remove(at: try index(of: name)) }

    private func index(of name: String) throws(WireError) -> Int {
        for (index, line) in lines.enumerated() {
            if case .user(let user, _) = line, user.name == name { return index }
        }
        throw WireError(.configuration, "there is no user '\(name)': user list shows all users")
    }

    private static func line(
        _ name: String, _ roles: Set<Role>, _ nodes: [NamePattern], _ password: Password
    ) throws(WireError) -> Line {
        guard let hash = PasswordHash(of: Array(password.text.utf8)) else {
            throw WireError(.configuration, "the password cannot be hashed: there may be too little memory")
        }
        return .user(User(name: name, roles: roles, nodes: nodes, secret: hash.description), hash)
    }

    // MARK: Writing

    /// Replaces the file atomically. Its permissions stay; only the owner can read a new file.
    public func write(to path: String) throws(WireError) {
        let new = path + ".new"
        let mode = (try? FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber) ?? 0o600
        // An empty file is one that is being written.
        let text = lines.isEmpty ? "# no users\n" : lines.map { $0.text + "\n" }.joined()
        let descriptor = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(mode.intValue & 0o740))
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            let advice = errno == EEXIST ? "another process is changing the users; if none is, remove \(new)" : reason
            throw WireError(.configuration, "cannot write \(new): \(advice)")
        }
        let isGood = writeAll(Array(text.utf8), to: descriptor) && fsync(descriptor) == 0
        let reason = String(cString: strerror(errno))
        close(descriptor)
        guard isGood, rename(new, path) == 0 else {
            let problem = isGood ? String(cString: strerror(errno)) : reason
            unlink(new)
            throw WireError(.configuration, "cannot write \(path): \(problem): it is unchanged")
        }
    }
}

private func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var written = 0
    while written < bytes.count {
        let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        written += count
    }
    return true
}

private func readSome(_ descriptor: Int32, _ chunk: inout [UInt8]) -> Int {
    chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
}
