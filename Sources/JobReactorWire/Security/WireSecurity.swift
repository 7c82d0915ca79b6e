/// How a process protects its ports and proves itself to others.
public struct WireSecurity: Sendable {
    /// The password of the installation, or of ``user``: said to every peer, and asked on every port of this process, where
    /// who says it may do everything. Where there are both ``user`` and ``users`` it opens no port: that is for these.
    public var password: Password?
    /// The user that this process is at its peers; nil is `default`, who has the password of the installation.
    public var user: String?
    /// Who may log in on ports of this process beside `default`.
    public var users: (any UserDirectory)?
    /// Whether users that may look, and neither operate nor change scripts, see no args.
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
