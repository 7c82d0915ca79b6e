import Foundation
import JobReactorTesting
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import JobReactorWire

/// Certificates made by the `openssl` command, in a folder of their own that goes when they do.
final class Certificates: Sendable {
    private let folder: URL

    /// One set for all tests, as making them takes a moment.
    static let shared = Result { try Certificates() }

    private init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "jobreactor-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for authority in ["authority", "stranger"] {
            try make(authority, ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign"])
        }
        let localhost = "subjectAltName=DNS:localhost,IP:127.0.0.1"
        try make("server", ["-addext", localhost], signedBy: "authority")
        try make("elsewhere", ["-addext", "subjectAltName=DNS:elsewhere.example"], signedBy: "authority")
        try make("client", [], signedBy: "authority")
        try make("strange-client", [], signedBy: "stranger")
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func certificate(_ name: String) -> String { folder.appending(path: "\(name).pem").path }
    func key(_ name: String) -> String { folder.appending(path: "\(name).key").path }

    /// Files of who shows the certificate `name`, if any, and trusts `authority`.
    func security(
        _ name: String?, trusts authority: String = "authority", requiresClientCertificate: Bool = false
    ) throws -> WireSecurity {
        WireSecurity(
            tls: try TransportSecurity(
                TransportSecurity.Files(
                    certificate: name.map(certificate), key: name.map(key), authority: certificate(authority),
                    requiresClientCertificate: requiresClientCertificate)))
    }

    private func make(_ name: String, _ extensions: [String], signedBy authority: String? = nil) throws {
        var arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2",
            "-subj", "/CN=\(name)", "-keyout", key(name), "-out", certificate(name),
        ]
        if let authority { arguments += ["-CA", certificate(authority), "-CAkey", key(authority)] }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments + extensions
        process.standardError = FileHandle.nullDevice
        try process.start()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "openssl did not make \(name)")
    }
}

@Suite(.timeLimit(.minutes(5))) struct TransportSecurityTests {
    private let certificates: Certificates

    init() throws { certificates = try Certificates.shared.get() }

    /// Dials with a PING and returns what came of it: the reply, or why there was none.
    private func ping(_ host: String, port: Int, _ security: WireSecurity) async throws -> DialledEvents.Event {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        var events = DialledEvents()
        let continuation = events.continuation
        let channel = try await loop.flatSubmit {
            Dialer.connect(to: Address(host: host, port: port), on: loop, tls: security.tls) {
                Connection(role: .client, limits: RESPLimits(), session: pingingSession(continuation))
            }
        }.get()
        #expect(try await events.next() == .connection(.connected))
        let answer = try await events.next()
        try? await channel.close().get()
        return answer
    }

    private static let pong = DialledEvents.Event.connection(.frame(.simple("PONG")))

    private func refusal(_ event: DialledEvents.Event) throws -> String {
        guard case .connection(.disconnected(let reason?)) = event else {
            Issue.record("not refused with a reason: \(event)")
            return ""
        }
        return reason
    }

    @Test("over TLS commands are answered, to a name and to an address", arguments: ["localhost", "127.0.0.1"])
    func roundTrip(host: String) async throws {
        try await withServer(security: try certificates.security("server")) { server in
            let client = try certificates.security(nil)
            #expect(try await ping(host, port: server.port, client) == Self.pong)
            let connection = try await RESPClient.connect(to: Address(host: host, port: server.port), security: client)
            let text = String(repeating: "x", count: 3 << 20)
            #expect(try await connection.send(["PING", text]) == bulk(text))
            await connection.close()
        }
    }

    @Test("a server whose certificate another authority signed is left")
    func wrongAuthority() async throws {
        try await withServer(security: try certificates.security("server")) { server in
            let event = try await ping(
                "localhost", port: server.port, try certificates.security(nil, trusts: "stranger"))
            let reason = try refusal(event)
            #expect(reason == "the TLS handshake failed: certificate verify failed")
            // The authorities of the system do not know it either.
            let trusting = WireSecurity(tls: try TransportSecurity(TransportSecurity.Files()))
            let other = try refusal(try await ping("localhost", port: server.port, trusting))
            #expect(other == "the TLS handshake failed: certificate verify failed")
        }
    }

    @Test("a server that shows the certificate of another is left", arguments: ["localhost", "127.0.0.1"])
    func wrongName(host: String) async throws {
        try await withServer(security: try certificates.security("elsewhere")) { server in
            let event = try await ping(host, port: server.port, try certificates.security(nil))
            let reason = try refusal(event)
            #expect(reason.hasSuffix(" in certificate from peer"))
        }
    }

    @Test("where a client's certificate is required, only one that the authority signed is served")
    func clientCertificate() async throws {
        let required = try certificates.security("server", requiresClientCertificate: true)
        try await withServer(security: required) { server in
            let good = try certificates.security("client")
            #expect(try await ping("localhost", port: server.port, good) == Self.pong)
            let nameless = try refusal(
                await ping("localhost", port: server.port, try certificates.security(nil)))
            #expect(nameless == "tlsv1 alert certificate required")
            let strange = WireSecurity(
                tls: try TransportSecurity(
                    TransportSecurity.Files(
                        certificate: certificates.certificate("strange-client"),
                        key: certificates.key("strange-client"),
                        authority: certificates.certificate("authority"))))
            let stranger = try refusal(await ping("localhost", port: server.port, strange))
            #expect(stranger == "tlsv1 alert unknown ca")
            #expect(try await ping("localhost", port: server.port, good) == Self.pong)
        }
    }

    @Test("files that have changed are read for the next connection; those of no use leave the ones before in use")
    func renewed() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "renewed-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (certificate, key) = (folder.appending(path: "c.pem").path, folder.appending(path: "c.key").path)
        func put(_ name: String) throws {
            for (from, to) in [(certificates.certificate(name), certificate), (certificates.key(name), key)] {
                try? FileManager.default.removeItem(atPath: to)
                try FileManager.default.copyItem(atPath: from, toPath: to)
            }
        }
        try put("elsewhere")
        let log = LogLines()
        let tls = try TransportSecurity(
            TransportSecurity.Files(certificate: certificate, key: key), logger: log.logger)
        try await withServer(security: WireSecurity(tls: tls)) { server in
            let client = try certificates.security(nil)
            let before = try refusal(try await ping("localhost", port: server.port, client))
            #expect(before.hasSuffix(" in certificate from peer"))
            try put("server")
            tls.reload()
            #expect(try await ping("localhost", port: server.port, client) == Self.pong)
            try Data("no certificate".utf8).write(to: URL(filePath: certificate))
            for _ in 0..<2 {
                tls.reload()
                #expect(try await ping("localhost", port: server.port, client) == Self.pong)
            }
            #expect(log.all.count == 1 && log.all[0].text.hasPrefix("the changed TLS files are invalid"))
        }
    }

    @Test("a peer of an older version is refused, and the log says why there is no TLS")
    func oldVersion() async throws {
        let log = LogLines()
        let server = try await TestServer.start(security: try certificates.security("server"), logger: log.logger)
        var old = TLSConfiguration.makeClientConfiguration()
        (old.minimumTLSVersion, old.maximumTLSVersion) = (.tlsv1, .tlsv11)
        old.certificateVerification = .none
        let context = try NIOSSLContext(configuration: old)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = try NIOSSLClientHandler(context: context, serverHostname: nil)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .connect(host: "localhost", port: server.port).get()
        try await channel.closeFuture.get()
        try await eventually("it is logged") { log.all.contains { $0.text == "no TLS with a peer" } }
        #expect("\(log.all[0].metadata["reason"] ?? "")".contains("unsupported protocol"))
        _ = try await RawPeer.exchange(port: server.port, sending: "PING\r\n")
        try await eventually("it is logged, too") { log.all.count == 2 }
        #expect("\(log.all[1].metadata["reason"] ?? "")".contains("wrong version number"))
        try await server.stop()
    }

    @Test("one who speaks TLS to a port that does not is closed, and the log says why")
    func plainServer() async throws {
        let log = LogLines()
        let server = try await TestServer.start(logger: log.logger)
        let error = await #expect(throws: WireError.self) {
            try await RESPClient.connect(to: server.address, security: try certificates.security(nil)).send(["PING"])
        }
        #expect(error?.code == .connect)
        try await eventually("it is logged") { log.all.contains { $0.text == "no TLS with a peer" } }
        #expect("\(log.all[0].metadata["reason"] ?? "")".hasPrefix("the peer uses TLS, and this port does not"))
        try await server.stop()
    }

    @Test("where none is required, a certificate does no harm")
    func optionalClientCertificate() async throws {
        try await withServer(security: try certificates.security("server")) { server in
            let client = try certificates.security("strange-client")
            #expect(try await ping("localhost", port: server.port, client) == Self.pong)
        }
    }

    @Test("one who does not speak TLS is not answered in plain text")
    func plainClient() async throws {
        try await withServer(security: try certificates.security("server")) { server in
            let answer = try await RawPeer.exchange(port: server.port, sending: "PING\r\n")
            #expect(!answer.contains("PONG"))
        }
    }

    @Test("over TLS too a breach of the protocol is answered before the end")
    func oversized() async throws {
        try await withServer(
            security: try certificates.security("server"), limits: RESPLimits(frameBytes: 1 << 20)
        ) { server in
            let client = try await RESPClient.connect(to: server.address, security: try certificates.security(nil))
            #expect(
                try await client.send(["PING", String(repeating: "x", count: 2 << 20)])
                    == .error("ERR Protocol error: a command is larger than the frame limit of 1048576 bytes"))
            await client.close()
        }
    }

    @Test("over TLS too one connection too many is told the limit")
    func connectionLimit() async throws {
        try await withServer(security: try certificates.security("server"), maximumConnections: 1) { server in
            let client = try certificates.security(nil)
            let first = try await RESPClient.connect(to: server.address, security: client)
            #expect(try await first.send(["PING"]) == .simple("PONG"))
            #expect(
                try await ping("localhost", port: server.port, client)
                    == .connection(.frame(.error("ERR max number of clients reached: the connection limit is 1"))))
            await first.close()
        }
    }

    @Test("a password is asked for over TLS as well")
    func password() async throws {
        var security = try certificates.security("server")
        security.password = Password("secret")
        try await withServer(security: security) { server in
            var client = try certificates.security(nil)
            client.password = Password("secret")
            let connection = try await RESPClient.connect(to: server.address, security: client)
            #expect(try await connection.send(["NODES"]) == .simple("OK"))
            await connection.close()
        }
    }

    @Test("without a certificate no TLS port is opened")
    func noCertificate() async throws {
        let security = try certificates.security(nil)
        let error = try #require(
            await #expect(throws: WireError.self) { try await TestServer.start(security: security) })
        #expect(error.code == .configuration)
        #expect(error.message == "TLS: listening needs a certificate and its key")
    }

    @Test("files that are not there, or not what they should be, are named as the cause")
    func badFiles() throws {
        let (certificate, key) = (certificates.certificate("server"), certificates.key("server"))
        for files in [
            TransportSecurity.Files(certificate: "/no/such/file.pem", key: key),
            TransportSecurity.Files(certificate: certificate, key: "/no/such/file.key"),
            TransportSecurity.Files(certificate: key, key: key),
            TransportSecurity.Files(certificate: certificate, key: certificate),
            TransportSecurity.Files(authority: "/no/such/authority.pem"),
            // A pair that is none.
            TransportSecurity.Files(certificate: certificate, key: certificates.key("client")),
            // Half a pair.
            TransportSecurity.Files(certificate: certificate),
            TransportSecurity.Files(key: key),
            // Nobody to sign what is required.
            TransportSecurity.Files(certificate: certificate, key: key, requiresClientCertificate: true),
        ] {
            let error = #expect(throws: WireError.self, "\(files)") { try TransportSecurity(files) }
            #expect(error?.code == .configuration)
            #expect(error?.message.hasPrefix("TLS: ") == true)
        }
    }
}
