internal import JobReactorCore
internal import JobReactorWire

/// Who has logged in, by cookies that this process has signed: nothing is kept here but those that were logged out.
struct Sessions: Sendable {
    /// How long one lasts, in seconds.
    static let seconds = 43_200.0
    /// Of those that were logged out so many are remembered.
    private static let mostEnded = 10_000

    struct Session: Hashable, Sendable {
        /// What the cookie has.
        let text: String
        let name: String
        let ends: Timestamp
        /// Of the secret that the user had.
        let mark: String
    }

    let key: SealingKey
    private let ended = Locked<[String]>([])

    init(_ key: SealingKey) { self.key = key }

    /// A session of that user from now on.
    func begin(_ user: User, at now: Timestamp) -> Session {
        let ends = now.advanced(bySeconds: Self.seconds)
        let mark = mark(of: user)
        return Session(
            text: "\(ends.microseconds) \(SealingKey.random()) \(mark) \(user.name)", name: user.name, ends: ends,
            mark: mark)
    }

    /// The value of the cookie.
    func cookie(_ session: Session) -> String { key.sealed("session", session.text) }

    /// The session of a cookie; nil for one that is none of this process, is over or was ended.
    func session(_ cookie: String, at now: Timestamp) -> Session? {
        guard let text = key.opened("session", cookie) else { return nil }
        let words = text.split(separator: " ", maxSplits: 3)
        guard words.count == 4, let microseconds = Int64(words[0]) else { return nil }
        let ends = Timestamp(microseconds: microseconds)
        guard now < ends, !ended.withLock({ $0.contains(text) }) else { return nil }
        return Session(text: text, name: String(words[3]), ends: ends, mark: String(words[2]))
    }

    /// Whether it is of that user as it is now: not with another password.
    func isOf(_ session: Session, _ user: User) -> Bool {
        session.name == user.name && key.isProof(session.mark, "user", user.name + " " + user.secret)
    }

    func end(_ session: Session) {
        ended.withLock { ended in
            if ended.count >= Self.mostEnded { ended.removeFirst(Self.mostEnded / 10) }
            ended.append(session.text)
        }
    }

    private func mark(of user: User) -> String { key.proof("user", user.name + " " + user.secret) }

    // MARK: Forms

    /// What every form of the session says with it.
    func formMark(of session: Session) -> String { key.proof("form", session.text) }

    func isFormMark(_ mark: String, of session: Session) -> Bool { key.isProof(mark, "form", session.text) }
}
