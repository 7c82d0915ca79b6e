package import JobReactorWire

/// Who may come in.
package protocol DashboardGate: Sendable {
    /// Whether somebody has to say who it is.
    var asks: Bool { get }

    /// Whether that is the password of the user. A wrong one is answered late.
    func check(_ name: String, _ password: [UInt8], from peer: PeerNetwork) async -> LoginVerdict

    /// The user of that name as it is now; nil where there is none any more.
    func user(_ name: String) async -> User?
}

package enum LoginVerdict: Sendable {
    case allowed(User)
    case wrong
    /// The user may not look.
    case forbidden
    /// So many passwords wait that this one is not checked.
    case busy
}
