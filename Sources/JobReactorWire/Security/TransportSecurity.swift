public import Logging
internal import NIOCore
internal import NIOSSL

/// TLS for every socket of a process: the ports it listens on and the connections it opens. Version 1.2 and later, with
/// forward secrecy.
///
/// Paths name PEM files. They are read at once, and again for the first connection after a change. If a changed file is
/// invalid, the earlier content stays in use, and the log says so.
public struct TransportSecurity: Sendable {
    /// The files to read.
    public struct Files: Hashable, Sendable {
        /// The certificate chain that a listener presents, and a dialer if the peer asks for one.
        public var certificate: String?
        /// Its key.
        public var key: String?
        /// The certificates to trust instead of the system's.
        public var authority: String?
        /// Whether a listener refuses peers without a certificate that `authority` signed.
        public var requiresClientCertificate: Bool

        public init(
            certificate: String? = nil, key: String? = nil, authority: String? = nil,
            requiresClientCertificate: Bool = false
        ) {
            self.certificate = certificate
            self.key = key
            self.authority = authority
            self.requiresClientCertificate = requiresClientCertificate
        }
    }

    private let contexts: TLSContexts

    /// Reads the files. Throws if they are invalid.
    public init(_ files: Files, logger: Logger = Logger(label: "jobreactor.tls")) throws(WireError) {
        guard (files.certificate == nil) == (files.key == nil) else {
            throw WireError(.configuration, "TLS: a certificate and its key belong together: give both or neither")
        }
        guard !files.requiresClientCertificate || files.authority != nil else {
            throw WireError(
                .configuration, "TLS: client certificates are required, but no authority for them is given")
        }
        contexts = try TLSContexts(files, logger: logger)
    }

    /// The files are looked at again for the next connection, whenever they were looked at last.
    public func reload() { contexts.lookAgain() }

    /// For a connection that was accepted. Throws when there is no certificate to show.
    func serverHandler() throws(WireError) -> NIOSSLServerHandler {
        guard let server = contexts.current().server else {
            throw WireError(.configuration, "TLS: listening needs a certificate and its key")
        }
        return NIOSSLServerHandler(context: server)
    }

    /// For a connection to `host`.
    func clientHandler(host: String) throws(WireError) -> NIOSSLClientHandler {
        do {
            // Addresses are no server names; the certificate is checked against the address itself.
            let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
            return try NIOSSLClientHandler(
                context: contexts.current().client, serverHostname: isAddress ? nil : host)
        } catch {
            throw WireError(.configuration, "TLS: \(error)", cause: error)
        }
    }
}
