package import NIOCore
private import NIOPosix
private import NIOSSL

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// What listeners and dialers have in common.
package enum Transport {
    /// Large reads under load, small ones for quiet connections.
    static let receiveAllocator = AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 16 << 10, maximum: 256 << 10)

    /// Prevents programs that this process starts from inheriting the channel's socket. A program that inherits it
    /// would keep the connection open, and a port in use, after this process has closed it or has ended. SwiftNIO opens
    /// sockets without the flag; call this in the initializer of every channel.
    package static func closeOnExec(_ channel: any Channel) throws {
        try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { socket in
            _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
        }
    }

    /// The host name of this machine.
    package static var hostName: String {
        var bytes = [CChar](repeating: 0, count: 256)
        guard gethostname(&bytes, bytes.count - 1) == 0 else { return "localhost" }
        let name = String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return name.isEmpty ? "localhost" : name
    }

    /// `host:port` of a socket, or its path.
    package static func describe(_ address: SocketAddress) -> String {
        switch address {
        case .v4, .v6: Address(host: address.ipAddress ?? "?", port: address.port ?? 0).description
        case .unixDomainSocket: address.pathname ?? "unix"
        }
    }

    /// A short text for an I/O error, without the name of its type.
    package static func describe(_ error: any Error) -> String {
        switch error {
        // NIO's own text says "connection reset" of a refused connection.
        case let error as IOError: strerror(error.errnoCode).map { String(cString: $0).lowercased() } ?? "\(error)"
        case let error as ChannelError:
            switch error {
            case .connectTimeout: "no answer in time"
            default: "\(error)"
            }
        case let error as NIOConnectionError:
            if let failure = error.connectionErrors.first {
                describe(failure.error)
            } else {
                "no such host"
            }
        case NIOSSLError.handshakeFailed(let cause): "the TLS handshake failed: \(describe(cause))"
        case NIOSSLError.uncleanShutdown: "closed"
        case BoringSSLError.sslError(let stack): stack.first.map { reason("\($0)") } ?? "TLS error"
        default: "\(error)"
        }
    }

    /// Whether the TLS handshake failed.
    static func isHandshakeFailure(_ error: any Error) -> Bool {
        switch error {
        case NIOSSLError.handshakeFailed, BoringSSLError.sslError: true
        // Of the ``HandshakeDeadline``.
        case let error as WireError: error.code == .connect
        default: false
        }
    }

    /// `error:1000045c:SSL routines:OPENSSL_internal:TLSV1_ALERT_CERTIFICATE_REQUIRED at …`, without all that is for
    /// the authors of the library.
    private static func reason(_ text: String) -> String {
        let message = text.firstRange(of: " at /").map { text[..<$0.lowerBound] } ?? text[...]
        let reason = message.lastIndex(of: ":").map { message[message.index(after: $0)...] } ?? message
        return reason.replacing("_", with: " ").lowercased()
    }
}
