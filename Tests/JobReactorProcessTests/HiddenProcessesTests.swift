import Foundation
import JobReactorTesting
import Testing

/// Processes that `/proc` does not show, as in a service of systemd with `ProtectProc=invisible`. They need root.
@Suite struct HiddenProcessesTests {
    /// Runs a program that sees its own processes alone.
    private static let apart = [
        "--mount", "sh", "-c",
        """
        mount -t proc -o hidepid=2,gid=4242 proc /proc
        exec setpriv --bounding-set=-sys_ptrace -- "$@"
        """, "sh",
    ]

    @Test("a node that is alive and hidden keeps its jobs from a second one of its name")
    func secondOfOneName() async throws {
        let server = try await RedisServer.start()
        let installation = try await Installation()
        let storage = ["--storage", server.url]
        let node = try await installation.startNode("n1", storage)
        let hidden = try await Programs.run("unshare", Self.apart + ["ls", "/proc/\(node.processIdentifier)"])
        #expect(hidden.errors.contains("No such file"), "\(hidden.output)\(hidden.errors)")
        let second = try await Programs.run(
            "unshare",
            Self.apart + [
                "jobreactor", "node", "--name", "n1", "--distributor", "localhost:\(installation.port)", "--jobs",
                installation.folder.path,
            ] + storage)
        #expect(second.status == 1)
        #expect(second.errors.contains("the storage of n1 is already open"), "\(second.errors)")
        #expect(try await installation.redis(["PERFORM", "echo", "{}"]) == "{}")
        for program in [node, installation.distributor] {
            program.signal(SIGTERM)
            #expect(try await program.exitStatus() == 0)
        }
    }
}
