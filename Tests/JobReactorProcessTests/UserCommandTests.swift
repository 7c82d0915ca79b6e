import Foundation
import Testing

/// `jobreactor user`, and servers that read its file.
@Suite("Users, from the command line") struct UserCommandTests {
    /// With a line of standard input.
    private static func user(_ arguments: [String], says line: String = "") async throws -> Finished {
        try await Programs.run(
            "sh",
            [
                "-c", "line=$1; shift; printf '%s\\n' \"$line\" | \"$@\"", "sh", line, Programs.folder + "/jobreactor",
                "user",
            ] + arguments)
    }

    @Test("users are added, listed, changed and removed")
    func table() async throws {
        let folder = try Folder()
        let file = folder.path + "/users"
        for (arguments, password) in [
            (["add", "ann", "--role", "viewer,producer"], "secret"),
            (["add", "n1", "--role", "node", "--nodes", "web-*,gpu"], "sesame"),
        ] {
            let added = try await Self.user(arguments + ["--users", file], says: password)
            #expect(added.status == 0, "\(added.errors)")
            #expect(added.output + added.errors == "")
        }
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(!text.contains("secret") && !text.contains("sesame"))
        let permissions = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? NSNumber
        #expect(permissions?.intValue == 0o600)
        let list = try await Self.user(["list", "--users", file])
        #expect(
            list.output == """
                USER  ROLES            NODES
                ann   viewer,producer
                n1    node             web-*,gpu

                """)
        #expect(try await Self.user(["passwd", "ann", "--users", file], says: "other").status == 0)
        #expect(try String(contentsOfFile: file, encoding: .utf8) != text)
        #expect(try await Self.user(["remove", "ann", "--users", file]).status == 0)
        #expect(try await Self.user(["list", "--users", file]).output.contains("ann") == false)
    }

    @Test("what cannot be is one line that says what to do, and the file stays as it was")
    func wrong() async throws {
        let folder = try Folder()
        let file = folder.path + "/users"
        #expect(try await Self.user(["add", "ann", "--role", "viewer", "--users", file], says: "secret").status == 0)
        let text = try String(contentsOfFile: file, encoding: .utf8)
        for (arguments, line, message) in [
            (
                ["add", "ann", "--role", "viewer"], "x",
                "there is a user 'ann' already: change its password with user passwd"
            ),
            (
                ["add", "bob", "--role", "boss"], "x",
                "'boss' is no role: the roles are viewer, producer, node, operator, author, admin"
            ),
            (["add", "bob", "--role", "viewer"], "", "the password is empty: write it to standard input, as one line"),
            (["add", "b:b", "--role", "viewer"], "x", "the user's name has a '/', a ':' or a '#' in front"),
            (["passwd", "bob"], "x", "there is no user 'bob': user list shows those that there are"),
            (["remove", "bob"], "", "there is no user 'bob': user list shows those that there are"),
        ] {
            let run = try await Self.user(arguments + ["--users", file], says: line)
            #expect(run.status == 64)
            #expect(run.errors == "jobreactor: \(message)\n")
            #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
        }
        let nowhere = try await Self.user(["list"])
        #expect(nowhere.status == 64 && nowhere.errors == "jobreactor: name the file: --users FILE\n")
    }

    @Test("a server lets users do their part, and who is removed is disconnected")
    func server() async throws {
        let folder = try Folder()
        let file = folder.path + "/users"
        for (name, role) in [("ann", "viewer"), ("app", "producer"), ("n1", "node")] {
            let added = try await Self.user(["add", name, "--role", role, "--users", file], says: "secret")
            #expect(added.status == 0, "\(added.errors)")
        }
        let installation = try await Installation(
            environment: ["JOBREACTOR_PASSWORD": "secret"], distributor: ["--users", file, "--user", "default"])
        let node = try await installation.startNode("n1", ["--user", "n1"])
        let nodes = try await installation.jobreactor(["nodes", "--user", "ann"])
        #expect(nodes.status == 0 && nodes.output.contains("n1 "), "\(nodes.errors)")
        let result = try await installation.jobreactor(
            ["enqueue", "greet", "name=Ada", "--wait", "--user", "app"])
        #expect(result.output.contains("Hello, Ada!"), "\(result.errors)")
        let waiting = try await installation.jobreactor(["enqueue", "greet", "--after", "99", "--user", "app"])
        let id = waiting.output.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(try await installation.jobreactor(["jobs", "cancel", id]).status == 0)
        let audit = try await installation.jobreactor(["audit", "--count", "5"])
        let words = audit.output.split(separator: "\n").last?.split(separator: " ", omittingEmptySubsequences: true)
        #expect(words?[1] == "default" && words?[3] == "CANCEL", "\(audit.output) \(audit.errors)")
        #expect(audit.output.contains("the job \(id) is cancelled"))
        let refused = try await installation.jobreactor(["enqueue", "greet", "name=Ada", "--user", "ann"])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("NOPERM this needs the role producer"), "\(refused.errors)")
        #expect(try await Self.user(["remove", "n1", "--users", file]).status == 0)
        try await node.logs("refuses this node")
        for program in [node, installation.distributor] {
            program.signal(SIGTERM)
            #expect(try await program.exitStatus() == 0)
        }
    }
}
