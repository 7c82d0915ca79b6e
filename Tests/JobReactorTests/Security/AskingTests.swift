import JobReactor
import JobReactorCore
import JobReactorTesting
import JobReactorWire
import Testing

/// Commands that come to a distributor from another port of its program.
@Suite("Asking for a user of another port", .timeLimit(.minutes(5))) struct AskingTests {
    private static let viewer = User(name: "vic", roles: [.viewer])
    private static let `operator` = User(name: "olga", roles: [.viewer, .operator])

    @Test("is answered as over a connection, by the roles of the user") func roles() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor {
                $0.security = WireSecurity(password: Password("sesame"), hidesArgs: true)
            }
            let id = try distributor.enqueue("resize", ["secret": "xyzzy"])
            try await distributor.flush()
            func ask(_ words: [String], _ user: User) async throws -> RESPValue {
                try await distributor.ask(words, as: user, at: "10.0.0.7:4711")
            }
            #expect(
                try await ask(["PAUSE", "JOB", "resize"], Self.viewer).text == "NOPERM this needs the role operator")
            #expect(try await ask(["ENQUEUE", "x"], Self.operator).text?.hasPrefix("NOPERM ") == true)
            #expect("\(try await ask(["RECORDS"], Self.viewer))".contains("xyzzy") == false)
            let record = try await ask(["JOB", id.description], Self.operator)
            #expect(record.elements?.contains { $0.text?.contains("xyzzy") == true } == true)
            #expect(try await ask(["PAUSE", "JOB", "resize"], Self.operator) == .integer(1))
            #expect(try await ask(["CANCEL", id.description], Self.operator) == .integer(1))
            #expect(try await ask(["WHOAMI"], Self.viewer).elements?.map(\.text) == ["user", "vic", "roles", "viewer"])
            #expect(try await ask(["NONSENSE"], Self.viewer).text?.hasPrefix("ERR unknown command") == true)
            for words in [["AUTH", "sesame"], ["HELLO", "2"], ["QUIT"]] {
                #expect(try await ask(words, Self.operator).text == "ERR that is about a connection: make one")
            }
            let audit = try await ask(["AUDIT"], .standard).elements ?? []
            let texts = audit.map { $0.elements?.compactMap(\.text) ?? [] }
            #expect(
                texts.map { Array($0.dropFirst(2).prefix(6)) } == [
                    ["user", "olga", "address", "10.0.0.7:4711", "command", "CANCEL"],
                    ["user", "olga", "address", "10.0.0.7:4711", "command", "PAUSE"],
                ])
        }
    }

    @Test("hides the args of the run that follows with those of this one") func again() {
        var ids = JobID.Generator()
        var job = Job(
            id: ids.next(at: .now), name: "j", args: ["secret": "a"], options: JobOptions(), distributor: "d",
            createdAt: .now)
        job.again = ["secret": "b"]
        let seen = Self.viewer.sees(job, hidesArgs: true)
        #expect(seen.args == ["(hidden)": true] && seen.again == ["(hidden)": true])
        #expect(!Self.viewer.sees(job.shownFields, hidesArgs: true).contains { $0.contains("secret") })
        #expect(Self.operator.sees(job, hidesArgs: true) == job && Self.viewer.sees(job, hidesArgs: false) == job)
    }

    @Test("brings many answers at a time, each its own") func many() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let text = "PING \(number)"
                        return try await distributor.ask(["PING", text], as: Self.viewer, at: "?").text == text
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
        }
    }

    @Test("has no answer before the start and after the stop") func life() async throws {
        let distributor = Distributor(DistributorConfiguration(host: "localhost", port: 0, grace: 0))
        await #expect(throws: JobError.self) { try await distributor.ask(["INFO"], as: Self.viewer, at: "?") }
        try await distributor.start()
        #expect(try await distributor.ask(["INFO"], as: Self.viewer, at: "?").text?.contains("# Jobs") == true)
        await distributor.stop(grace: 0)
        await #expect(throws: JobError.self) { try await distributor.ask(["INFO"], as: Self.viewer, at: "?") }
    }
}
