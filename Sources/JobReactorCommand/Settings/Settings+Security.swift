private import JobReactorUsers
internal import JobReactorWire
private import Logging

extension Settings {
    /// The password and TLS. `listens` tells whether TLS needs a certificate to show.
    func security(
        _ options: SecurityOptions, listens: Bool, log style: TerminalLogHandler.Style = .dated
    ) throws(CommandFailure) -> WireSecurity {
        let password = try password(fileFlag: options.passwordFile)
        let user = try given(\.user, flags: options.user.map { [$0] } ?? [])
        if let user, password == nil {
            throw .usage(
                "\(user.source) needs the password of that user: set JOBREACTOR_PASSWORD or give --password-file")
        }
        return WireSecurity(
            password: password, user: user?.value, tls: try tls(options, listens: listens, Self.logger(style)))
    }

    /// The same for a server, with who may connect to it.
    func security(
        _ options: SecurityOptions, _ serving: ServingOptions, listens: Bool = true
    ) throws(CommandFailure) -> WireSecurity {
        let style = try logStyle(serving)
        var security = try security(options, listens: listens, log: style)
        security.isInsecureAllowed = try value(\.insecure, flag: serving.insecure)
        security.hidesArgs = try value(\.hideArgs, flag: serving.hideArgs)
        guard let path = try value(\.users, flag: serving.users) else { return security }
        do throws(WireError) { security.users = try UsersFile(path, logger: Self.logger(style)) } catch {
            throw .usage(error.message)
        }
        return security
    }

    /// How the log of a server is written.
    func logStyle(_ serving: ServingOptions) throws(CommandFailure) -> TerminalLogHandler.Style {
        switch try value(\.logFormat, flag: serving.logFormat) {
        case .json?: .json
        case .text?: .dated
        case nil: try value(\.logJSON, flag: serving.json) ? .json : .dated
        }
    }

    /// Throws when the port would be open to the network without a password, in the words of the command line.
    static func checkListening(
        on address: Address, _ security: WireSecurity, else risk: String = "run jobs"
    ) throws(CommandFailure) {
        do throws(WireError) { try security.checkListening(on: address) } catch {
            throw .usage(
                "refusing to listen on \(address) without a password: anybody who reaches it could \(risk);"
                    + " set JOBREACTOR_PASSWORD (or --password-file) or --users, listen on localhost, or give --insecure"
            )
        }
    }

    /// Of what is read anew while a server runs.
    private static func logger(_ style: TerminalLogHandler.Style) -> Logger {
        Logger(label: "jobreactor") { _ in TerminalLogHandler(style, level: .info) }
    }

    private func password(fileFlag: String?) throws(CommandFailure) -> Password? {
        let said = try given(\.password)
        let file = try given(\.passwordFile, flags: fileFlag.map { [$0] } ?? [])
        if let said, let file, said.rank == file.rank {
            throw .usage("\(said.source) and \(file.source) are both set: keep one of them")
        }
        guard let file, let path = file.value, file.rank < said?.rank ?? .max else {
            return said?.value.flatMap { Password($0) }
        }
        let content = try ReadFile(path, for: file.source)
        try content.checkPrivacy("is the password file")
        let line = String(decoding: content.bytes.prefix { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
        guard let password = Password(line) else {
            throw .usage("\(path): the first line is empty: write the password there")
        }
        return password
    }

    private func tls(
        _ options: SecurityOptions, listens: Bool, _ logger: Logger
    ) throws(CommandFailure) -> TransportSecurity? {
        let files = TransportSecurity.Files(
            certificate: try readableFile(\.tlsCertificate, flag: options.tlsCertificate),
            key: try readableFile(\.tlsKey, flag: options.tlsKey, isSecret: true),
            authority: try readableFile(\.tlsAuthority, flag: options.tlsAuthority),
            requiresClientCertificate: try value(
                \.tlsRequireClientCertificate, flag: options.tlsRequireClientCertificate))
        let isNamed = files.certificate != nil || files.key != nil || files.authority != nil
        guard try value(\.tls, flag: options.tls) ?? (isNamed || files.requiresClientCertificate) else { return nil }
        if (files.certificate == nil) != (files.key == nil) {
            throw .usage("--tls-certificate and --tls-key belong together: give both")
        }
        if listens {
            if files.certificate == nil {
                throw .usage("listening with TLS needs a certificate: give --tls-certificate and --tls-key")
            }
            if files.requiresClientCertificate, files.authority == nil {
                throw .usage("--tls-require-client-certificate needs --tls-authority, which signed the certificates")
            }
        }
        do throws(WireError) { return try TransportSecurity(files, logger: logger) } catch {
            throw .usage(error.message)
        }
    }

    /// The path, of a file that can be read: TLS itself does not say which file it misses.
    private func readableFile(
        _ setting: KeyPath<SettingTable, Setting<String?>>, flag: String?, isSecret: Bool = false
    ) throws(CommandFailure) -> String? {
        guard let said = try given(setting, flags: flag.map { [$0] } ?? []), let path = said.value else { return nil }
        try ReadFile.check(path, for: said.source, isSecret: isSecret)
        return path
    }
}
