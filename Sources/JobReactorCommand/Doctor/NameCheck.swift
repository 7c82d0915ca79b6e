internal import JobReactorWire
internal import NIOCore
private import NIOPosix

/// Whether the host of an address of the settings is known.
enum NameCheck {
    static func finding(_ address: Address, flag: String) async -> Finding {
        let subject = "\(flag) \(address)"
        guard let addresses = await addresses(of: address) else { return unknown(subject) }
        let shown = addresses.compactMap(\.ipAddress).joined(separator: ", ")
        return .good(subject, "is \(shown)")
    }

    /// Nil when there is no such host.
    static func addresses(of address: Address) async -> [SocketAddress]? {
        try? await HostAddresses.resolve(address, on: MultiThreadedEventLoopGroup.singleton.next()).get()
    }

    static func unknown(_ subject: String) -> Finding {
        .error(subject, "there is no such host", "look at the name, and at what getent hosts says of it here")
    }
}
