internal import JobReactorCore
internal import JobReactorLua

/// Where scripts may connect to; without a rule, everywhere.
final class AllowedHosts: Sendable {
    private let rules: Locked<[HostRule]>

    init(_ rules: [HostRule]) { self.rules = Locked(rules) }

    func set(_ rules: [HostRule]) { self.rules.withLock { $0 = rules } }

    /// Throws when no rule allows a server. `what` begins the error.
    func check(_ server: ServerName, port: Int, for what: String) throws(ScriptFailure) {
        let rules = rules.withLock { $0 }
        guard rules.isEmpty || rules.contains(where: { $0.allows(server.host, port) }) else {
            throw ScriptFailure(
                "\(what) must not go to \(server.urlHost):\(port): it is not one of the hosts that \(SettingName.allowHost)"
                    + " names")
        }
    }
}
