internal import JobReactorCore
internal import Logging
internal import NIOSSL

/// What was made of the files of a ``TransportSecurity``, and is made again when they change. Safe to use from any thread.
final class TLSContexts: Sendable {
    struct Pair: Sendable {
        /// Nil without a certificate to show.
        let server: NIOSSLContext?
        let client: NIOSSLContext
    }

    private struct State {
        var pair: Pair
        var stamps: [FileStamp?]
        var lookedAt: ContinuousClock.Instant?
    }

    private let files: TransportSecurity.Files
    private let logger: Logger
    private let state: Locked<State>

    /// The files are looked at once in this time at most.
    private static let interval = Duration.seconds(1)

    init(_ files: TransportSecurity.Files, logger: Logger) throws(WireError) {
        self.files = files
        self.logger = logger
        let stamps = Self.stamps(of: files)
        state = Locked(State(pair: try Self.read(files), stamps: stamps, lookedAt: .now))
    }

    func lookAgain() { state.withLock { $0.lookedAt = nil } }

    func current() -> Pair {
        let (pair, problem) = state.withLock { state -> (Pair, WireError?) in
            let now = ContinuousClock.now
            if let last = state.lookedAt, now - last < Self.interval { return (state.pair, nil) }
            state.lookedAt = now
            let stamps = Self.stamps(of: files)
            guard stamps != state.stamps else { return (state.pair, nil) }
            state.stamps = stamps
            do throws(WireError) {
                state.pair = try Self.read(files)
                return (state.pair, nil)
            } catch { return (state.pair, error) }
        }
        if let problem {
            logger.error("the changed TLS files are invalid, so the earlier ones stay in use: \(problem)")
        }
        return pair
    }

    private static func stamps(of files: TransportSecurity.Files) -> [FileStamp?] {
        [files.certificate, files.key, files.authority].map { $0.flatMap { FileStamp($0) } }
    }

    /// Those of TLS 1.2; those of 1.3 all have forward secrecy.
    private static let cipherSuites = "ECDHE+AESGCM:ECDHE+CHACHA20"

    private static func read(_ files: TransportSecurity.Files) throws(WireError) -> Pair {
        do {
            var client = TLSConfiguration.makeClientConfiguration()
            client.minimumTLSVersion = .tlsv12
            client.cipherSuites = cipherSuites
            if let authority = files.authority { client.trustRoots = .file(authority) }
            guard let certificate = files.certificate, let key = files.key else {
                return Pair(server: nil, client: try NIOSSLContext(configuration: client))
            }
            let chain = try NIOSSLCertificate.fromPEMFile(certificate).map { NIOSSLCertificateSource.certificate($0) }
            let privateKey = NIOSSLPrivateKeySource.privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
            client.certificateChain = chain
            client.privateKey = privateKey
            var server = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: privateKey)
            server.minimumTLSVersion = .tlsv12
            server.cipherSuites = cipherSuites
            if let authority = files.authority { server.trustRoots = .file(authority) }
            if files.requiresClientCertificate { server.certificateVerification = .noHostnameVerification }
            return Pair(
                server: try NIOSSLContext(configuration: server), client: try NIOSSLContext(configuration: client))
        } catch {
            throw WireError(
                .configuration, "TLS: \(error): check the certificate, key and authority files", cause: error)
        }
    }
}
