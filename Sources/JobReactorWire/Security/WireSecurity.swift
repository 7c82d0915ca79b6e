/// The security settings of a process: how it protects its ports and authenticates to peers.
public struct WireSecurity: Sendable {
    /// The password of the installation, or of ``user``. It is sent to every peer, and gives all rights on the ports of
    /// this process. If both ``user`` and ``users`` are set, it does not open the ports; only ``users`` do.
    public var password: Password?
    /// The user as which this process logs in at peers; nil is `default`, with the password of the installation.
    public var user: String?
    /// The users of the ports of this process, in addition to `default`.
    public var users: (any UserDirectory)?
    /// Whether args are hidden from users without the roles `operator` and `author`.
    public var hidesArgs: Bool
    /// TLS on every socket; nil for none.
    public var tls: TransportSecurity?
    /// Allows listening beyond this machine without a password.
    public var isInsecureAllowed: Bool

    public init(
        password: Password? = nil, user: String? = nil, users: (any UserDirectory)? = nil, hidesArgs: Bool = false,
        tls: TransportSecurity? = nil, isInsecureAllowed: Bool = false
    ) {
        self.password = password
        self.user = user
        self.users = users
        self.hidesArgs = hidesArgs
        self.tls = tls
        self.isInsecureAllowed = isInsecureAllowed
    }

    /// The command that says to a peer who we are; nil where there is nothing to say.
    package var login: [String]? {
        guard let password else { return nil }
        return user.map { ["AUTH", $0, password.text] } ?? ["AUTH", password.text]
    }

    /// What opens a port of this process, beside what ``users`` have.
    package var portPassword: Password? {
        users == nil || user == nil || user == User.standard.name ? password : nil
    }

    private var asksForPassword: Bool { password != nil || users != nil }

    /// Throws when a port at this address would be open to the network without a password.
    public func checkListening(on address: Address) throws(WireError) {
        guard !asksForPassword, !isInsecureAllowed, !address.isLoopback else { return }
        throw WireError(
            .configuration,
            "refusing to listen on \(address) without a password: anybody who reaches it could run jobs;"
                + " give a password or users, listen on localhost, or set isInsecureAllowed")
    }
}
