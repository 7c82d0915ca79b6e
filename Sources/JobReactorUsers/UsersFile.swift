private import Crypto
private import Dispatch
private import JobReactorCore
public import JobReactorWire
public import Logging

/// The users of a file, which is read again when it changes, for `WireSecurity.users`.
///
/// If a changed file is invalid, the log says so, and the earlier users stay. A verified password is remembered by a
/// keyed hash in memory, so that only the first login of a user takes the time of scrypt, on a separate thread.
public final class UsersFile: UserDirectory {
    public let path: String
    private let logger: Logger
    private let state: Locked<State>
    private let checks = DispatchQueue(label: "jobreactor.users.checks")
    private let looks = DispatchQueue(label: "jobreactor.users.looks")

    private struct State {
        var table: UserTable
        var users: [String: User]
        var stamp: FileStamp?
        var number = 1
        /// Of passwords that were right, with what they were checked against.
        var known: [String: (secret: String, tag: [UInt8])] = [:]
        let key = SymmetricKey(size: .bits256)

        init(_ table: UserTable, _ stamp: FileStamp?) {
            self.table = table
            self.stamp = stamp
            users = Dictionary(table.users.map { ($0.name, $0) }) { first, _ in first }
        }

        func tag(_ password: [UInt8]) -> [UInt8] {
            Array(HMAC<SHA256>.authenticationCode(for: password, using: key))
        }

        /// Whether the password is one that was right.
        func isKnown(_ user: User, _ tag: [UInt8]) -> Bool {
            guard let known = known[user.name], known.secret == user.secret else { return false }
            return zip(known.tag, tag).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
        }
    }

    /// Throws if the file is invalid.
    public init(_ path: String, logger: Logger = Logger(label: "jobreactor.users")) throws(WireError) {
        self.path = path
        self.logger = logger
        let stamp = FileStamp(path)
        state = Locked(State(try UserTable(contentsOf: path), stamp))
    }

    public func check(_ name: String, _ password: [UInt8], done: @escaping @Sendable (User?) -> Void) {
        if let known = known(name, password) { return done(known) }
        checks.async { [self] in
            lookAgain()
            done(verify(name, password))
        }
    }

    public func known(_ name: String, _ password: [UInt8]) -> User? {
        state.withLock { state in
            guard let user = state.users[name], state.isKnown(user, state.tag(password)) else { return nil }
            return user
        }
    }

    private func verify(_ name: String, _ password: [UInt8]) -> User? {
        let (user, hash, tag, isKnown) = state.withLock { state in
            let tag = state.tag(password)
            let user = state.users[name]
            return (user, state.table.hashToCheck(name), tag, user.map { state.isKnown($0, tag) } == true)
        }
        if isKnown { return user }
        guard let hash, hash.matches(password), let user else { return nil }
        state.withLock { $0.known[name] = (user.secret, tag) }
        return user
    }

    public func look(since number: Int, done: @escaping @Sendable ([String: User], Int) -> Void) {
        looks.async { [self] in
            lookAgain()
            let (users, state) = state.withLock { ($0.users, $0.number) }
            done(users, state)
        }
    }

    private func lookAgain() {
        let stamp = FileStamp(path)
        let isNew = state.withLock { state in
            defer { state.stamp = stamp }
            return state.stamp != stamp
        }
        guard isNew else { return }
        do throws(WireError) {
            let table = try UserTable(contentsOf: path)
            guard !table.isBlank else {
                throw WireError(.configuration, "\(path) is empty: its writer may not have finished")
            }
            state.withLock { state in
                let new = State(table, stamp)
                guard new.users != state.users else { return }
                state.table = table
                state.users = new.users
                state.number += 1
            }
            logger.notice("the users file was read again", metadata: ["users": "\(table.users.count)"])
        } catch {
            logger.error("the changed users file is invalid, so the earlier users stay: \(error.message)")
        }
    }
}
