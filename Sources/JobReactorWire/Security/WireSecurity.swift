/// How a process protects its ports and proves itself to others.
public struct WireSecurity: Sendable {
    /// The password of the installation, asked on every port and said to every peer.
    public var password: Password?
    /// TLS on every socket; nil for none.
    public var tls: TransportSecurity?
    /// Allows listening beyond this machine without a password.
    public var isInsecureAllowed: Bool

    public init(password: Password? = nil, tls: TransportSecurity? = nil, isInsecureAllowed: Bool = false) {
        self.password = password
        self.tls = tls
        self.isInsecureAllowed = isInsecureAllowed
    }

    /// Throws when a port at this address would be open to the network without a password.
    public func checkListening(on address: Address) throws(WireError) {
        guard password == nil, !isInsecureAllowed, !address.isLoopback else { return }
        throw WireError(
            .configuration,
            "refusing to listen on \(address) without a password: whoever reaches it could run jobs;"
                + " set JOBREACTOR_PASSWORD (or --password-file), listen on localhost, or say --insecure")
    }
}
