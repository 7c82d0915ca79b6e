private import Foundation
internal import JobReactorWire
private import NIOCore
private import NIOPosix

/// Whether a server could listen at an address of the settings, or does.
enum PortCheck {
    /// `flag` is what named the address.
    static func findings(
        _ address: Address, flag: String, security: WireSecurity, hasUsers: Bool, isInsecure: Bool
    ) async -> [Finding] {
        let subject = "\(flag) \(address)"
        var findings: [Finding] = []
        if !address.isLoopback {
            if security.password == nil, !hasUsers {
                findings.append(
                    isInsecure
                        ? .warning(
                            subject, "whoever reaches it may do anything there, programs that jobs run among it",
                            "set a password or --users, and take --insecure away")
                        : .error(
                            subject, "no server listens there without a password",
                            "set JOBREACTOR_PASSWORD or --users"))
            }
            if security.tls == nil {
                findings.append(
                    .warning(
                        subject, "passwords and args cross the network as they are",
                        "give --tls-certificate and --tls-key, or keep that network to yourself"))
            }
        }
        guard let addresses = await NameCheck.addresses(of: address) else {
            return findings + [NameCheck.unknown(subject)]
        }
        // The system gives one that is free.
        guard address.port != 0 else { return findings + [.good(subject, "any free port will do")] }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        for one in addresses {
            guard let problem = await problem(one, on: loop) else { continue }
            return findings + [await finding(problem, address, security, subject)]
        }
        return findings + [.good(subject, "is free to listen on")]
    }

    /// Nil when it can be listened on.
    private static func problem(_ address: SocketAddress, on loop: any EventLoop) async -> Int32? {
        do {
            let channel = try await ServerBootstrap(group: loop)
                .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
                .serverChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try Transport.closeOnExec(channel) }
                }
                .bind(to: address).get()
            try? await channel.close().get()
            return nil
        } catch { return (error as? IOError)?.errnoCode ?? 0 }
    }

    private static func finding(
        _ problem: Int32, _ address: Address, _ security: WireSecurity, _ subject: String
    ) async -> Finding {
        switch problem {
        case EADDRINUSE:
            let info = try? await Query.send(["INFO", "server"], to: reachable(address), security: security)
            let fields = PeerCheck.fields(info?.text ?? "")
            if let role = fields["role"], let name = fields["name"], fields["jobreactor_version"] != nil {
                return .good(subject, "the \(role) \(name) listens there now")
            }
            return .error(
                subject, "another program uses the port", "stop it (ss -ltnp tells which it is), or choose another port"
            )
        case EACCES:
            return .error(
                subject, "this user may not listen on ports below 1024",
                "choose a higher one, or give the process CAP_NET_BIND_SERVICE")
        case EADDRNOTAVAIL:
            return .error(
                subject, "is no address of this machine", "listen on one of its own (ip address), or on 0.0.0.0 for all"
            )
        default:
            return .error(subject, "cannot be listened on: error \(problem) of the system")
        }
    }

    /// Who listens on all addresses is asked on one of them.
    private static func reachable(_ address: Address) -> Address {
        ["0.0.0.0", "::"].contains(address.host) ? Address(host: "localhost", port: address.port) : address
    }
}
