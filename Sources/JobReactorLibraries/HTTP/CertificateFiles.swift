internal import JobReactorCore
internal import NIOPosix
internal import NIOSSL

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// Files of certificates in PEM that are trusted in place of the system's, each looked at once: of one that cannot be used TLS
/// says nothing that its author could make sense of.
final class CertificateFiles: Sendable {
    /// What the variable names that OpenSSL, curl and others read; nil where it names none.
    static var ofEnvironment: String? {
        guard let value = getenv("SSL_CERT_FILE") else { return nil }
        let path = String(cString: value)
        return path.isEmpty ? nil : path
    }

    private let good = Locked<Set<String>>([])

    /// Throws ``HTTPFailure/file(_:)``.
    func check(_ path: String) async throws {
        guard !good.withLock({ $0.contains(path) }) else { return }
        let count = try await NIOThreadPool.singleton.runIfActive {
            (try? NIOSSLCertificate.fromPEMFile(path))?.count ?? 0
        }
        guard count > 0 else {
            throw HTTPFailure.file(
                "there are no certificates to trust in '\(path)': name a file in PEM that this process can read")
        }
        good.withLock { _ = $0.insert(path) }
    }
}
