import Foundation
import JobReactorCore
import JobReactorTesting
import JobReactorWire
import Testing

@testable import JobReactorRedis

/// `rediss://`: a server that speaks TLS, with a user of its own.
@Suite struct RedisTLSTests {
    private static func openssl(_ folder: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext",
            "basicConstraints=critical,CA:TRUE", "-keyout", folder + "/key.pem", "-out", folder + "/certificate.pem",
        ]
        process.standardError = FileHandle.nullDevice
        try process.start()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "openssl made no certificate")
    }

    @Test("a server with a certificate of a trusted authority and an ACL user serves; one without is refused")
    func overTLS() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "jobreactor-tls-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Self.openssl(folder)
        let port = try RedisServer.freePort()
        // Its plain port stays, for the test kit to see that it is there.
        let server = try await RedisServer.start([
            "--tls-port", "\(port)", "--tls-cert-file", folder + "/certificate.pem", "--tls-key-file",
            folder + "/key.pem", "--tls-auth-clients", "no", "--user", "ada", "on", ">secret", "~jobreactor:*", "+@all",
        ])
        let tls = try TransportSecurity(TransportSecurity.Files(authority: folder + "/certificate.pem"))
        let location = try #require(RedisLocation("rediss://ada:secret@localhost:\(port)"))
        let subject = RedisStorage(location, options: RedisStorage.Options(logger: silent), tls: tls)
        try await subject.open(StorageOwner(name: "worker_1"))
        let job = Job(id: JobID(high: 1, low: 1), name: "a", args: [:], createdAt: Timestamp(microseconds: 1))
        try await subject.save([job])
        let loaded = try await subject.load(job.id)
        #expect(loaded == job)
        await subject.close()
        // Nobody signed this certificate that the system trusts.
        let stranger = RedisStorage(location, options: RedisStorage.Options(patience: 0.3, logger: silent))
        let error = await #expect(throws: StorageError.self) {
            try await stranger.open(StorageOwner(name: "worker_1"))
        }
        #expect(error?.message.contains("TLS") == true, "\(String(describing: error))")
        withExtendedLifetime(server) {}
    }

    @Test("a user who may not touch our keys is an error at once")
    func forbidden() async throws {
        let server = try await RedisServer.start(["--user", "bob", "on", ">secret", "~other:*", "+@all"])
        let location = try #require(RedisLocation("redis://bob:secret@127.0.0.1:\(server.port)"))
        let subject = RedisStorage(location, options: RedisStorage.Options(logger: silent))
        let error = await #expect(throws: StorageError.self) {
            try await subject.open(StorageOwner(name: "worker_1"))
        }
        #expect(error != nil && error?.code != .held, "\(String(describing: error))")
    }
}
