import Foundation
import JobReactorTesting
import Testing

/// `jobreactor doctor`, with everything that it looks at being real. `CheckTests` has more of what it finds.
@Suite("The doctor") struct DoctorTests {
    private struct Report: Decodable {
        struct Finding: Decodable {
            var level: String
            var subject: String
            var message: String
            var advice: String?
        }

        var findings: [Finding]
        var good: Bool

        /// What is not as it should be, each as one text.
        var problems: [String] {
            findings.filter { $0.level != "ok" }
                .map { [$0.level, $0.subject, $0.message, $0.advice ?? ""].joined(separator: ": ") }
        }
    }

    /// The options leave no more to say of the machine and of a distributor than the test is about.
    private static func report(
        _ arguments: [String], environment: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Report {
        let ended = try await Programs.run(
            "jobreactor", ["doctor", "--json", "--max-connections", "10"] + arguments, environment: environment)
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        #expect(report.good == !report.findings.contains { $0.level == "error" }, sourceLocation: sourceLocation)
        #expect(ended.status == (report.good ? 0 : 1), "\(ended.errors)", sourceLocation: sourceLocation)
        return report
    }

    /// Those of a distributor at a free port, which needs no other server and no scripts.
    private static func alone(_ arguments: [String]) async throws -> Report {
        try await report(["--distributor-name", "d", "--listen", "127.0.0.1:0"] + arguments)
    }

    @Test("finds nothing wrong with a node whose distributor runs, and says so in lines")
    func good() async throws {
        let folder = try Folder()
        let file = folder.path + "/jobs.sqlite"
        let installation = try await Installation()
        let node = try await installation.startNode("n1", ["--storage", "sqlite:\(file)"])
        let ended = try await Programs.run(
            "jobreactor",
            [
                "doctor", "--max-connections", "10", "--name", "n1", "--distributor", "localhost:\(installation.port)",
                "--storage", "sqlite:\(file)", "--jobs", installation.folder.path,
            ])
        let lines = ended.output.split(separator: "\n").map(String.init)
        #expect(ended.status == 0, "\(ended.output)")
        #expect(lines.last == "0 errors, 0 warnings")
        #expect(lines.dropLast().allSatisfy { $0.hasPrefix("ok       ") })
        for part in [
            ":\(installation.port) answers, of the same release", "its clock agrees", "1 node is connected",
            "the user default has the roles viewer, producer, node",
            "is intact, and contains the jobs of node:n1, which is running",
            "4 jobs are defined", "open at once", "free",
        ] { #expect(ended.output.contains(part), "\(part) in \(ended.output)") }
        // So does a config file, as a server has one.
        let config = try Folder([
            "node.json": """
            {"name": "n1", "distributor": ["localhost:\(installation.port)"], "storage": "sqlite:\(file)",
             "job_directory": "\(installation.folder.path)"}
            """
        ])
        let report = try await Self.report(["--config", config.path + "/node.json"])
        #expect(report.problems == [])
        #expect(report.findings.count == lines.count - 1)
        node.signal(SIGTERM)
        #expect(try await node.exitStatus() == 0)
    }

    @Test("looks at ports, names and storages of servers that run or do not")
    func servers() async throws {
        let installation = try await Installation()
        let running = try await Self.report(["--listen", "localhost:\(installation.port)"])
        #expect(running.problems == [])
        #expect(running.findings.contains { $0.message.contains(":\(installation.port) listens") })
        let server = try await RedisServer.start()
        let named = try await Self.report([
            "--server", "127.0.0.1:\(server.port)", "--connect-to", "nowhere.invalid:1", "--distributor", "localhost:1",
            "--storage", server.url, "--jobs", installation.folder.path,
        ]).problems
        #expect(named.count == 3, "\(named)")
        #expect(named.contains { $0.contains("--server ") && $0.contains("another program uses the port") })
        #expect(named.contains { $0.hasPrefix("error: --connect-to nowhere.invalid:1: ") && $0.contains("getent") })
        #expect(named.contains { $0.contains("cannot connect to localhost:1: connection refused") })
        let open = try await Self.report(["--listen", "0.0.0.0:0"])
        #expect(
            open.problems.map { $0.prefix { $0 != ":" } } == ["error", "warning"]
                && open.problems[0].contains("JOBREACTOR_PASSWORD") && open.problems[1].contains("--tls-certificate"))
        installation.distributor.signal(SIGTERM)
        #expect(try await installation.distributor.exitStatus() == 0)
    }

    @Test("looks at distributors: another password, another role, another release and time")
    func peers() async throws {
        let jobs = try Folder(Installation.scripts)
        func problems(_ address: String, _ environment: [String: String] = [:], _ more: [String] = []) async throws
            -> [String]
        {
            try await Self.report(
                ["--distributor", address, "--jobs", jobs.path] + more, environment: environment
            ).problems
        }
        let folder = try Folder()
        let users = folder.path + "/users"
        let added = try await Programs.run(
            "bash", ["-ec", "echo secret | jobreactor user add ann --role viewer --users '\(users)'"])
        #expect(added.status == 0, "\(added.errors)")
        let installation = try await Installation(
            environment: ["JOBREACTOR_PASSWORD": "secret"], distributor: ["--users", users, "--user", "default"])
        let address = "localhost:\(installation.port)"
        let wrong = try await problems(address, ["JOBREACTOR_PASSWORD": "sesame"])
        #expect(wrong.count == 1 && wrong[0].contains("refuses the password"), "\(wrong)")
        let viewer = try await problems(address, ["JOBREACTOR_PASSWORD": "secret"], ["--user", "ann"])
        #expect(viewer.count == 1 && viewer[0].contains("may not run a node there"), "\(viewer)")
        let used = try await Self.report(["--listen", address, "--users", users]).findings
        #expect(used.contains { $0.level == "ok" && $0.message.contains("answers only its own users") })
        installation.distributor.signal(SIGTERM)
        #expect(try await installation.distributor.exitStatus() == 0)

        // Of a release to come, two minutes ahead.
        let port = try Programs.freePort()
        let future = try RunningProgram(
            "/usr/bin/python3",
            [
                "-u", "-c",
                """
                import socketserver, sys, time

                class Peer(socketserver.StreamRequestHandler):
                    def handle(self):
                        while True:
                            line = self.rfile.readline()
                            if not line: return
                            words = []
                            for _ in range(int(line[1:])):
                                self.rfile.readline()
                                words.append(self.rfile.readline().strip().decode().upper())
                            if words[0] == 'INFO':
                                text = 'jobreactor_version:99.0.0\\r\\nrole:distributor\\r\\nname:d\\r\\nserver_time_usec:%d\\r\\n' \\
                                    % ((time.time() + 120) * 1e6)
                                self.wfile.write(('$%d\\r\\n%s\\r\\n' % (len(text), text)).encode())
                            elif words[0] == 'WHOAMI':
                                self.wfile.write(b'*4\\r\\n+user\\r\\n+default\\r\\n+roles\\r\\n+admin\\r\\n')
                            else:
                                self.wfile.write(b'*1\\r\\n*4\\r\\n+name\\r\\n+n9\\r\\n+storage_error\\r\\n+the disk is full\\r\\n')

                with socketserver.ThreadingTCPServer(('127.0.0.1', int(sys.argv[1])), Peer) as server:
                    print('serves', file=sys.stderr)
                    server.serve_forever()
                """, "\(port)",
            ])
        try await future.logs("serves")
        let ahead = try await problems("127.0.0.1:\(port)")
        #expect(ahead.count == 3, "\(ahead)")
        #expect(ahead.contains { $0.hasPrefix("warning: ") && $0.contains("d runs release 99.0.0") })
        #expect(ahead.contains { $0.hasPrefix("error: ") && $0.contains("its clock is 2 min ahead of") })
        #expect(ahead.contains { $0.hasPrefix("error: node n9: its storage refuses jobs: the disk is full") })
        future.signal(SIGKILL)
    }

    @Test("looks at users and passwords: others may read them, nobody may do what is needed")
    func users() async throws {
        let folder = try Folder(["password": "secret\n", "users": "# none yet\n", "open": "# none yet\n"])
        for (file, mode) in [("password", 0o640), ("users", 0o640), ("open", 0o644)] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: "\(folder.path)/\(file)")
        }
        let password = try await Self.alone(["--password-file", folder.path + "/password"]).problems
        #expect(password.count == 1 && password[0].hasPrefix("error: password and TLS: "), "\(password)")
        #expect(password.first?.contains("others can read it: chmod 600") == true)
        let open = try await Self.alone(["--users", folder.path + "/open"]).problems
        #expect(open.count == 1 && open[0].contains("others can read it: chmod 600"), "\(open)")
        let none = try await Self.alone(["--users", folder.path + "/users"]).problems
        #expect(none.count == 4 && none.contains { $0.contains("jobreactor user add NAME --role node") }, "\(none)")
    }

    @Test("looks at certificates and their keys")
    func certificates() async throws {
        let folder = try Folder()
        let made = try await Programs.run(
            "bash",
            [
                "-ec",
                """
                key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost"
                openssl req -x509 $key -days 365 -keyout good.key -out good.pem
                openssl req -x509 $key -days 5 -keyout soon.key -out soon.pem
                chmod 600 *.key
                """,
            ], directory: folder.path)
        try #require(made.status == 0, "\(made.errors)")
        func problems(_ certificate: String, _ key: String) async throws -> [String] {
            try await Self.alone([
                "--tls-certificate", "\(folder.path)/\(certificate)", "--tls-key", "\(folder.path)/\(key)",
            ]).problems
        }
        #expect(try await problems("good.pem", "good.key") == [])
        let missing = try await problems("none.pem", "good.key")
        #expect(missing.count == 1 && missing[0].contains("cannot read \(folder.path)/none.pem"), "\(missing)")
        let other = try await problems("soon.pem", "good.key")
        #expect(other.count == 2 && other[0].hasPrefix("error: password and TLS: "), "\(other)")
        #expect(other.last?.hasPrefix("warning: --tls-certificate ") == true, "\(other)")
    }

    @Test("looks at job scripts, and at how many files may be open")
    func machine() async throws {
        let folder = try Folder(["broken.lua": "job('a', function(args)\nend", "empty/x.txt": ""])
        func problems(_ jobs: String) async throws -> [String] {
            try await Self.report(["--jobs", jobs, "--distributor", "localhost:1"]).problems
                .filter { $0.contains("--jobs") }
        }
        let broken = try await problems(folder.path)
        #expect(broken.contains { $0.hasPrefix("error: ") && $0.contains("broken.lua:2: ") }, "\(broken)")
        let empty = try await problems(folder.path + "/empty")
        #expect(empty.count == 1 && empty[0].hasPrefix("warning: ") && empty[0].contains("jobreactor new"), "\(empty)")
        let missing = try await problems(folder.path + "/none")
        #expect(missing.count == 1 && missing[0].hasPrefix("error: "), "\(missing)")
        let few = try await Programs.run(
            "sh", ["-c", "ulimit -n 256; exec jobreactor doctor --listen localhost:0 --max-connections 100"])
        #expect(few.status == 0, "\(few.errors)")
        #expect(few.output.contains("warning  open files: 256 may be open at once"), "\(few.output)")
        #expect(few.output.hasSuffix("0 errors, 1 warning\n"))
    }

    @Test("what is no setting is told as by any other command")
    func usage() async throws {
        let wrong = try await Programs.run("jobreactor", ["doctor", "--listen", "nowhere"])
        #expect(wrong.status == 64 && wrong.output.isEmpty)
        #expect(wrong.errors.hasPrefix("jobreactor: --listen takes "))
    }
}
