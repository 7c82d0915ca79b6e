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
                            subject, "everybody who reaches the port has all rights there, including running programs",
                            "set a password or --users, and remove --insecure")
                        : .error(
                            subject, "servers refuse to listen on it without a password",
                            "set JOBREACTOR_PASSWORD or --users"))
            }
            if security.tls == nil {
                findings.append(
                    .warning(
                        subject, "passwords and args cross the network unencrypted",
                        "give --tls-certificate and --tls-key, or use only a trusted network"))
            }
        }
        let addresses: [SocketAddress]
        do { addresses = try await NameCheck.addresses(of: address) } catch {
            return findings + [NameCheck.unknown(subject, error)]
        }
        // The system gives one that is free.
        guard address.port != 0 else { return findings + [.good(subject, "will use any free port")] }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        var problems: [Int32] = []
        for one in addresses { if let problem = await problem(one, on: loop) { problems.append(problem) } }
        // A server leaves out an address that the machine does not have, such as ::1 where IPv6 is off, beside one that it has.
        let others = problems.filter { ![EADDRNOTAVAIL, EAFNOSUPPORT].contains($0) }
        guard let problem = others.first ?? (problems.count == addresses.count ? problems.first : nil) else {
            return findings + [.good(subject, "is free to listen on")]
        }
        return findings + [await finding(problem, address, security, hasUsers: hasUsers, subject)]
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
        _ problem: Int32, _ address: Address, _ security: WireSecurity, hasUsers: Bool, _ subject: String
    ) async -> Finding {
        switch problem {
        case EADDRINUSE: await finding(ofUsed: address, security, hasUsers: hasUsers, subject)
        case EACCES:
            .error(
                subject, "this user may not listen on ports below 1024",
                "choose a higher port, or give the process CAP_NET_BIND_SERVICE")
        case EADDRNOTAVAIL, EAFNOSUPPORT:
            .error(
                subject, "is no address of this machine",
                "listen on an address of this machine (ip address), or on 0.0.0.0 for all"
            )
        default:
            .error(
                subject, "cannot be listened on: \(String(cString: strerror(problem)).lowercased())",
                "choose another address")
        }
    }

    /// Whoever listens there is asked who it is.
    private static func finding(
        ofUsed address: Address, _ security: WireSecurity, hasUsers: Bool, _ subject: String
    ) async -> Finding {
        var reason = ""
        do {
            let info = try await Query.send(["INFO", "server"], to: reachable(address), security: security)
            let fields = PeerCheck.fields(info.text ?? "")
            if let role = fields["role"], let name = fields["name"], fields["jobreactor_version"] != nil {
                return .good(subject, "the \(role) \(name) listens there now")
            }
        } catch { reason = CommandFailure(error).message ?? "" }
        // So does the server of these settings, to which no password of ours is known.
        if hasUsers, reason.contains("needs a password") || reason.contains("NOPERM") {
            return .good(subject, "a server listens there now that answers only its own users")
        }
        let advice = "stop that program (ss -ltnp shows it), or choose another port"
        return .error(
            subject, "another program uses the port" + (reason.isEmpty ? "" : ", or a server with other settings"),
            advice)
    }

    /// Who listens on all addresses is asked on one of them.
    private static func reachable(_ address: Address) -> Address {
        ["0.0.0.0", "::"].contains(address.host) ? Address(host: "localhost", port: address.port) : address
    }
}
