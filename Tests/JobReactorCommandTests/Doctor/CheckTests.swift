import Foundation
import JobReactor
import JobReactorCore
import JobReactorRedis
import JobReactorSQLite
import JobReactorTesting
import JobReactorWire
import Testing

@testable import JobReactorCommand

/// The checks of the doctor, each with what it looks at being real. `DoctorTests` has the command itself.
@Suite("Checks of the doctor") struct CheckTests {
    /// A folder that goes with the test.
    private final class Folder: Sendable {
        let path = FileManager.default.temporaryDirectory.appending(path: "jobreactor-\(UUID().uuidString)").path

        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    /// What is not as it should be.
    private static func problems(_ findings: [Finding]) -> [String] {
        findings.filter { $0.level != .good }.map(\.line)
    }

    // MARK: Ports and distributors

    private static func port(
        _ host: String, _ port: Int, hasUsers: Bool = false, isInsecure: Bool = false
    ) async -> [Finding] {
        await PortCheck.findings(
            Address(host: host, port: port), flag: "--listen", security: WireSecurity(), hasUsers: hasUsers,
            isInsecure: isInsecure)
    }

    @Test("a port may be used, free, nobody's, or open to everybody")
    func ports() async throws {
        let server = try await RedisServer.start()
        let taken = Self.problems(await Self.port("127.0.0.1", server.port))
        #expect(taken.count == 1 && taken[0].contains("another program uses the port"), "\(taken)")
        await server.kill()
        let free = try RedisServer.freePort()
        #expect(Self.problems(await Self.port("localhost", free)) == [])
        let distributor = try await Distributor.start(host: "localhost", port: 0)
        let own = await Self.port("localhost", try #require(distributor.port))
        #expect(own.map(\.level) == [.good] && own[0].message.hasSuffix("listens there now"), "\(own)")
        await distributor.stop()
        // Without a network nobody knows whether there is such a host.
        let unknown = Self.problems(await Self.port("nowhere.invalid", 1))
        #expect(unknown.contains { $0.hasPrefix("error ") && $0.contains("getent hosts") }, "\(unknown)")
        // For examples in documents: no machine has it.
        let elsewhere = Self.problems(await Self.port("192.0.2.1", free, isInsecure: true))
        #expect(elsewhere.contains { $0.contains("is no address of this machine") }, "\(elsewhere)")
        let open = await Self.port("0.0.0.0", free)
        #expect(open.map(\.level) == [.error, .warning, .good], "\(open)")
        #expect(open.first?.advice?.contains("JOBREACTOR_PASSWORD") == true)
        #expect(await Self.port("0.0.0.0", free, isInsecure: true).map(\.level) == [.warning, .warning, .good])
        #expect(await Self.port("0.0.0.0", free, hasUsers: true).map(\.level) == [.warning, .good])
    }

    @Test("a distributor may be away, or another server")
    func peers() async throws {
        func problems(_ port: Int) async -> [String] {
            Self.problems(
                await PeerCheck.findings(Address(host: "127.0.0.1", port: port), security: WireSecurity()))
        }
        let server = try await RedisServer.start()
        let other = await problems(server.port)
        #expect(other.count == 1 && other[0].contains("is not a jobreactor server"), "\(other)")
        await server.kill()
        let away = await problems(server.port)
        #expect(away.count == 1 && away[0].contains("connection refused"), "\(away)")
        let distributor = try await Distributor.start(host: "localhost", port: 0)
        #expect(await problems(try #require(distributor.port)) == [])
        await distributor.stop()
    }

    // MARK: Certificates

    @Test("a certificate may be good, near its end, beyond it, or none")
    func certificates() throws {
        let folder = try Folder()
        let openssl = Process()
        openssl.executableURL = URL(filePath: "/usr/bin/env")
        openssl.arguments = [
            "sh", "-ec",
            """
            cd "$0"
            key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost"
            openssl req -x509 $key -days 100 -keyout key.pem -out good.pem
            openssl req -x509 $key -days 5 -keyout key.pem -out soon.pem
            cat good.pem soon.pem >both.pem
            echo text >text.pem
            """, folder.path,
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.start()
        openssl.waitUntilExit()
        try #require(openssl.terminationStatus == 0, "openssl made no certificates")
        let now = Timestamp.now
        func problems(_ file: String, isChain: Bool = true, onDay day: Double = 0) -> [String] {
            Self.problems(
                CertificateCheck.findings(
                    "\(folder.path)/\(file)", flag: "--tls-certificate", isChain: isChain,
                    now: Timestamp(seconds: now.seconds + day * 86_400 + 3600)))
        }
        #expect(problems("good.pem") == [])
        let soon = problems("good.pem", onDay: 95)
        #expect(soon.count == 1 && soon[0].hasPrefix("warning ") && soon[0].contains("5 d from now"), "\(soon)")
        let late = problems("good.pem", onDay: 101)
        #expect(late.count == 1 && late[0].hasPrefix("error ") && late[0].contains("has expired"), "\(late)")
        let early = problems("good.pem", onDay: -1)
        #expect(early.count == 1 && early[0].contains("is not valid before"), "\(early)")
        // Each of a chain has to be good, of authorities one.
        let chain = problems("both.pem", onDay: 6)
        #expect(chain.count == 1 && chain[0].contains("has expired"), "\(chain)")
        #expect(problems("both.pem", isChain: false, onDay: 6) == [])
        let text = problems("text.pem")
        #expect(text.count == 1 && text[0].contains("has no certificate in PEM"), "\(text)")
        // The command has told of it.
        #expect(problems("none.pem") == [])
    }

    // MARK: Storages

    private static func redis(_ url: String) async throws -> [String] {
        problems(await RedisCheck.findings(RedisPlace(try #require(RedisLocation(url)))))
    }

    @Test(
        "a Redis server may forget jobs, be full, or be another's copy",
        arguments: [
            (["--appendonly", "no"], "error", "stores nothing on its disk"),
            (["--appendonly", "no", "--save", "3600 1"], "warning", "since its last snapshot"),
            (["--maxmemory-policy", "allkeys-lru", "--maxmemory", "500mb"], "error", "evicts jobs when it is full"),
            (["--maxmemory", "900kb"], "warning", "is nearly full"),
            (["--replicaof", "127.0.0.1 1"], "error", "is a replica"),
            (["--cluster-enabled", "yes"], "error", "is part of a cluster"),
        ])
    func redis(options: [String], level: String, text: String) async throws {
        let server = try await RedisServer.start(options)
        let problems = try await Self.redis(server.url)
        #expect(problems.count == 1 && problems[0].hasPrefix(level) && problems[0].contains(text), "\(problems)")
        await server.kill()
    }

    @Test("a Redis server may be good, tell nothing of itself, or be away")
    func redisRights() async throws {
        let server = try await RedisServer.start()
        #expect(try await Self.redis(server.url) == [])
        let client = try await RESPClient.connect(to: Address(host: "127.0.0.1", port: server.port))
        #expect(try await client.send(["ACL", "SETUSER", "default", "-info"]).text == "OK")
        await client.close()
        let hidden = try await Self.redis(server.url)
        #expect(hidden.count == 1 && hidden[0].hasPrefix("warning ") && hidden[0].contains("+info"), "\(hidden)")
        await server.kill()
        let away = try await Self.redis(server.url)
        #expect(away.count == 1 && away[0].contains("start a Redis server there"), "\(away)")
    }

    @Test("a Redis server that says nothing is waited for no longer than 10 s")
    func silentRedis() async throws {
        // The system accepts its connections.
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        let port = try RedisServer.freePort()
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(status == 0 && listen(descriptor, 10) == 0)
        let problems = try await Self.redis("redis://127.0.0.1:\(port)")
        #expect(problems.count == 1 && problems[0].contains("does not answer within 10 s"), "\(problems)")
    }

    @Test("an SQLite file may be sound or not, another's, readable by others, or no file at all")
    func sqlite() async throws {
        let folder = try Folder()
        let file = folder.path + "/jobs.sqlite"
        func findings(_ name: String = "jobs.sqlite", _ owner: String? = "node:n1") async -> [Finding] {
            await SQLiteCheck.findings("\(folder.path)/\(name)", owner: owner)
        }
        func problems(_ name: String = "jobs.sqlite", _ owner: String? = "node:n1") async -> [String] {
            Self.problems(await findings(name, owner))
        }
        let storage = SQLiteStorage(file: file)
        try await storage.open(StorageOwner(name: "n1"))
        let args: JobArguments = ["a": .string(String(repeating: "x", count: 2000))]
        _ = try await storage.save(
            (1...100).map { Job(id: JobID(high: 1, low: $0), name: "j", args: args, createdAt: .now) })
        let running = await findings()
        #expect(running.allSatisfy { $0.level == .good })
        #expect(running.last?.message.hasSuffix(", which is running") == true)
        await storage.close()
        #expect(await problems() == [])
        #expect(await problems("jobs.sqlite", nil) == [])
        #expect(await problems("new.sqlite") == [])
        let other = await problems("jobs.sqlite", "node:n2")
        #expect(other.count == 1 && other[0].contains("contains the jobs of node:n1, not of node:n2"), "\(other)")
        let nowhere = await problems("no/jobs.sqlite")
        #expect(nowhere.count == 1 && nowhere[0].contains("there is no folder"), "\(nowhere)")
        #expect(mkfifo(folder.path + "/pipe", 0o600) == 0)
        for name in [".", "pipe"] {
            let none = await problems(name)
            #expect(none.count == 1 && none[0].contains("is not a file"), "\(none)")
        }
        try Data("no database, but a text".utf8).write(to: URL(filePath: folder.path + "/text"))
        let text = await problems("text")
        #expect(text.contains { $0.hasPrefix("error ") && $0.contains("not an SQLite file") }, "\(text)")

        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
        let open = await problems()
        #expect(open.count == 1 && open[0].hasPrefix("warning ") && open[0].contains("chmod 600"), "\(open)")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        // The file begins as one of ours, and a part in the middle is gone.
        let database = try FileHandle(forUpdating: URL(filePath: file))
        let size = try database.seekToEnd()
        try #require(size > 100_000)
        try database.seek(toOffset: size / 2 & ~4095)
        try database.write(contentsOf: Data(repeating: 0xFF, count: 5 * 4096))
        try database.close()
        let damaged = await problems()
        #expect(damaged.count == 1 && damaged[0].hasPrefix("error ") && damaged[0].contains("is damaged"), "\(damaged)")
    }
}
