internal import NIOCore
internal import NIOSSL

/// TLS for every socket of a process: the ports it listens on and the connections it opens.
///
/// Paths name PEM files. Reading them happens once, when the configuration is loaded.
public struct TransportSecurity: Sendable {
    /// What to read.
    public struct Files: Hashable, Sendable {
        /// The chain a listener shows, and a dialer too where the other side asks for one.
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

    private let server: NIOSSLContext?
    private let client: NIOSSLContext

    /// Reads the files. Throws what is wrong with them.
    public init(_ files: Files) throws(WireError) {
        guard (files.certificate == nil) == (files.key == nil) else {
            throw WireError(.configuration, "TLS: a certificate and its key belong together: give both or neither")
        }
        guard !files.requiresClientCertificate || files.authority != nil else {
            throw WireError(
                .configuration, "TLS: client certificates are required, but no authority is named that signs them")
        }
        do {
            var client = TLSConfiguration.makeClientConfiguration()
            if let authority = files.authority { client.trustRoots = .file(authority) }
            if let certificate = files.certificate, let key = files.key {
                let chain = try NIOSSLCertificate.fromPEMFile(certificate).map {
                    NIOSSLCertificateSource.certificate($0)
                }
                let privateKey = NIOSSLPrivateKeySource.privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
                client.certificateChain = chain
                client.privateKey = privateKey
                var server = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: privateKey)
                if let authority = files.authority { server.trustRoots = .file(authority) }
                if files.requiresClientCertificate { server.certificateVerification = .noHostnameVerification }
                self.server = try NIOSSLContext(configuration: server)
            } else {
                server = nil
            }
            self.client = try NIOSSLContext(configuration: client)
        } catch {
            throw WireError(
                .configuration, "TLS: \(error): check the certificate, key and authority files", cause: error)
        }
    }

    /// For a connection that was accepted. Throws when there is no certificate to show.
    func serverHandler() throws(WireError) -> NIOSSLServerHandler {
        guard let server else {
            throw WireError(.configuration, "TLS: listening needs a certificate and its key")
        }
        return NIOSSLServerHandler(context: server)
    }

    /// For a connection to `host`.
    func clientHandler(host: String) throws(WireError) -> NIOSSLClientHandler {
        do {
            // Addresses are no server names; the certificate is checked against the address itself.
            let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
            return try NIOSSLClientHandler(context: client, serverHostname: isAddress ? nil : host)
        } catch {
            throw WireError(.configuration, "TLS: \(error)", cause: error)
        }
    }
}
