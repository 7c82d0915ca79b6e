internal import JobReactorWire
internal import NIOCore
private import NIOPosix

/// Whether the host of an address of the settings is known.
enum NameCheck {
    static func finding(_ address: Address, flag: String) async -> Finding {
        let subject = "\(flag) \(address)"
        do {
            let shown = try await addresses(of: address).compactMap(\.ipAddress).joined(separator: ", ")
            return .good(subject, "is \(shown)")
        } catch { return unknown(subject, error) }
    }

    /// Throws when there is no such host, or when the system cannot tell.
    static func addresses(of address: Address) async throws -> [SocketAddress] {
        try await HostAddresses.resolve(address, on: MultiThreadedEventLoopGroup.singleton.next()).get()
    }

    static func unknown(_ subject: String, _ error: any Error) -> Finding {
        let reason = (error as? WireError)?.message ?? "\(error)"
        return .error(
            subject, reason == "no such host" ? "there is no such host" : "its host cannot be looked up: \(reason)",
            "check the name, and the output of getent hosts for it on this machine")
    }
}
