import Foundation
import Testing

/// Servers that a service manager has started, which wants to know how far they are.
@Suite struct ServiceManagerTests {
    /// A socket as systemd has one.
    private final class Manager: Sendable {
        let path: String
        private let descriptor: Int32

        /// With a name in the folder, or, without one, a name of Linux' own.
        init(_ folder: Folder?) throws {
            let name = folder.map { $0.path + "/notify" } ?? "@jobreactor-\(UUID().uuidString)"
            path = name
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            try #require(descriptor >= 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            var bytes = Array(name.utf8)
            if folder == nil { bytes[0] = 0 }
            let room = MemoryLayout.size(ofValue: address.sun_path)
            try #require(bytes.count < room)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
            let length = MemoryLayout<sockaddr_un>.size - room + bytes.count
            let descriptor = descriptor
            let status = withUnsafePointer(to: address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(length)) }
            }
            try #require(status == 0)
        }

        deinit { close(descriptor) }

        /// What has come since the last time.
        func messages() -> [String] {
            var messages: [String] = []
            var bytes = [UInt8](repeating: 0, count: 4096)
            while case let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT)), count >= 0 {
                messages.append(String(decoding: bytes.prefix(count), as: UTF8.self))
            }
            return messages
        }

        /// Waits for the message; returns those before it.
        @discardableResult
        func hears(_ message: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> [String] {
            var heard: [String] = []
            try await eventually("the manager hears \(message)", sourceLocation: sourceLocation) {
                heard += messages()
                return heard.contains(message)
            }
            return Array(heard.prefix { $0 != message })
        }
    }

    @Test("a distributor says when it serves, that it goes round, and that it stops")
    func distributor() async throws {
        let folder = try Folder()
        let manager = try Manager(folder)
        let port = try Programs.freePort()
        let distributor = try RunningProgram(
            "jobreactor", ["distributor", "--listen", "localhost:\(port)", "--grace", "7"],
            environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "20000"])
        #expect(try await manager.hears("READY=1") == [])
        // The port is open.
        close(try Programs.connect(port))
        for _ in 0..<3 { try await manager.hears("WATCHDOG=1") }
        distributor.signal(SIGTERM)
        try await manager.hears("STOPPING=1\nEXTEND_TIMEOUT_USEC=37000000")
        #expect(try await distributor.exitStatus() == 0)
    }

    @Test("a node has started when it is linked, and the programs of its jobs know of no manager")
    func node() async throws {
        let manager = try Manager(nil)
        let port = try Programs.freePort()
        let folder = try Folder([
            "jobs.lua": "job('looks', function(args) args.seen = exec('env').stdout:find('NOTIFY_SOCKET') end)"
        ])
        let node = try RunningProgram(
            "jobreactor", ["node", "--name", "n1", "--distributor", "localhost:\(port)", "--jobs", folder.path],
            environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"])
        try await manager.hears("STATUS=Connecting to a distributor")
        let distributor = try RunningProgram("jobreactor", ["distributor", "--listen", "localhost:\(port)"])
        // The watchdog is that of another process.
        let before = try await manager.hears("READY=1")
        #expect(!before.contains("WATCHDOG=1"))
        let cli = try await Programs.run("redis-cli", ["-p", "\(port)", "PERFORM", "looks"])
        #expect(cli.output == "{}\n", "\(cli.errors)")
        for program in [node, distributor] { program.signal(SIGTERM) }
        try await manager.hears("STOPPING=1\nEXTEND_TIMEOUT_USEC=40000000")
        for program in [node, distributor] { #expect(try await program.exitStatus() == 0) }
    }

    @Test("a node that is stopped while it looks for a distributor does not say that it has started")
    func stopped() async throws {
        let manager = try Manager(nil)
        let folder = try Folder(Installation.scripts)
        let node = try RunningProgram(
            "jobreactor", ["node", "--name", "n1", "--distributor", "localhost:1", "--jobs", folder.path],
            environment: ["NOTIFY_SOCKET": manager.path])
        try await manager.hears("STATUS=Connecting to a distributor")
        node.signal(SIGTERM)
        #expect(try await manager.hears("STOPPING=1\nEXTEND_TIMEOUT_USEC=40000000") == [])
        #expect(try await node.exitStatus() == 0)
    }

    @Test("a node whose distributor is away has started after a while, and says so")
    func alone() async throws {
        let manager = try Manager(nil)
        let folder = try Folder(Installation.scripts)
        let node = try RunningProgram(
            "jobreactor", ["node", "--name", "n1", "--distributor", "localhost:1", "--jobs", folder.path],
            environment: ["NOTIFY_SOCKET": manager.path])
        let before = try await manager.hears("READY=1")
        #expect(before.last?.contains("No distributor has answered") == true, "\(before)")
        node.signal(SIGTERM)
        #expect(try await node.exitStatus() == 0)
    }
}
