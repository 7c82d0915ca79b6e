internal import DequeModule
private import Foundation
internal import JobReactorWire
internal import NIOCore

/// Who may read what is not for everybody at an HTTP port: who has the password of the installation, and users that may look, by
/// the header `Authorization: Basic`. On one event loop.
final class HTTPLogin {
    enum Verdict: Sendable {
        case allowed(User)
        /// Without a password, or with a wrong one.
        case unknown
        /// The user may not look.
        case forbidden(String)
        /// So many passwords wait to be checked that this one is not.
        case busy
    }

    /// Passwords that wait to be checked at once.
    static let mostWaiting = 16

    private struct Check {
        let name: String
        let password: [UInt8]
        let promise: EventLoopPromise<User?>
    }

    private let password: Password?
    private let users: (any UserDirectory)?
    private let loop: any EventLoop
    private var wrong = WrongPasswords()
    private var waiting: Deque<Check> = []
    private var isChecking = false

    init(_ security: WireSecurity, on loop: any EventLoop) {
        password = security.portPassword
        users = security.users
        self.loop = loop
    }

    /// Whether somebody has to say who it is.
    var asks: Bool { password != nil || users != nil }

    /// Whether who says that may look. A wrong password is answered later, the more of them have come from that address.
    func check(_ authorization: String?, from peer: PeerNetwork) -> EventLoopFuture<Verdict> {
        guard asks else { return loop.makeSucceededFuture(.allowed(.standard)) }
        guard let authorization, let (name, given) = Self.read(authorization) else {
            return loop.makeSucceededFuture(.unknown)
        }
        return check(name, given, from: peer)
    }

    /// The same, for a name and a password.
    func check(_ name: String, _ given: [UInt8], from peer: PeerNetwork) -> EventLoopFuture<Verdict> {
        // Where there is only one, its name does not matter.
        guard let users, name != User.standard.name, !name.isEmpty else {
            let isRight = password.map { password in given.withUnsafeBytes { password.matches($0) } } == true
            return verdict(on: isRight ? .standard : nil, from: peer)
        }
        if let user = users.known(name, given) { return verdict(on: user, from: peer) }
        guard waiting.count < Self.mostWaiting else { return loop.makeSucceededFuture(.busy) }
        let check = Check(name: name, password: given, promise: loop.makePromise(of: User?.self))
        waiting.append(check)
        checkNext()
        let bound = NIOLoopBound(self, eventLoop: loop)
        return check.promise.futureResult.flatMap { bound.value.verdict(on: $0, from: peer) }
    }

    private func verdict(on user: User?, from peer: PeerNetwork) -> EventLoopFuture<Verdict> {
        if let user { return loop.makeSucceededFuture(user.has(.viewer) ? .allowed(user) : .forbidden(user.name)) }
        switch wrong.wrong(from: peer, at: loop.now) {
        case .never: return loop.makeSucceededFuture(.busy)
        case .after(let time):
            return loop.assumeIsolated().scheduleTask(in: time) {
                self.wrong.answered(peer)
                return Verdict.unknown
            }.futureResult
        }
    }

    /// One at a time, as each takes a processor for a while. Behind a wrong one the next waits nine times as long.
    private func checkNext() {
        guard let users, !isChecking, let check = waiting.popFirst() else { return }
        isChecking = true
        let (bound, began) = (NIOLoopBound(self, eventLoop: loop), loop.now)
        users.check(check.name, check.password) { user in
            bound.eventLoop.execute {
                let login = bound.value
                check.promise.succeed(user)
                let rest = user == nil ? min(.seconds(1), (login.loop.now - began) * 9) : .zero
                login.loop.assumeIsolated().scheduleTask(in: rest) {
                    login.isChecking = false
                    login.checkNext()
                }
            }
        }
    }

    /// The name and the password of `Basic bmFtZTpwYXNzd29yZA==`.
    static func read(_ authorization: String) -> (name: String, password: [UInt8])? {
        let words = authorization.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "basic", let data = Data(base64Encoded: String(words[1])),
            let colon = data.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return (String(decoding: data[..<colon], as: UTF8.self), Array(data[data.index(after: colon)...]))
    }
}
