import Foundation
import JobReactorLua
import NIOSSL
import Testing

@testable import JobReactorLibraries

@Suite(.timeLimit(.minutes(5))) struct HTTPTLSTests {
    private static func context() throws -> NIOSSLContext {
        let folder = FileManager.default.temporaryDirectory.appending(path: "jobreactor-tls-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2", "-subj", "/CN=localhost", "-keyout", folder + "/key.pem", "-out", folder + "/certificate.pem",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "openssl made no certificate")
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: NIOSSLCertificate.fromPEMFile(folder + "/certificate.pem").map { .certificate($0) },
                privateKey: .privateKey(NIOSSLPrivateKey(file: folder + "/key.pem", format: .pem))))
    }

    @Test("a certificate that nobody trusts is an error that says what to check, unless any will do")
    func certificate() async throws {
        try await WebServer.with(tls: try Self.context(), { _ in .text("secret") }) { server in
            let url = "https://127.0.0.1:\(server.port)/"
            let library = HTTPLibrary()
            let message = await failure { try await Web(library: library).values(url) }
            #expect(message.hasPrefix("http: no TLS connection to 127.0.0.1:\(server.port): "), "\(message)")
            #expect(message.hasSuffix("its certificate is good; insecure = true takes any"), "\(message)")
            let reply = try await Web(library: library).request(url, isInsecure: true)
            #expect(reply.body == "secret")
            // The connection that was kept is not used by those who want a good certificate.
            #expect(await failure { try await Web(library: library).values(url) } == message)
        }
    }

    @Test("a server that speaks no TLS is told apart")
    func noTLS() async throws {
        try await WebServer.with({ _ in .text("x") }) { server in
            let message = await failure { try await Web().values("https://127.0.0.1:\(server.port)/") }
            #expect(message.hasPrefix("http: no TLS connection to 127.0.0.1:\(server.port): "), "\(message)")
        }
    }
}
