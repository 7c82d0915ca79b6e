import Foundation
import JobReactor
import JobReactorTesting
import Testing

/// One process after the other is stopped as a deployment stops it, and started again, while jobs come.
@Suite struct RollingRestartTests {
    enum Kind: String, CaseIterable, Sendable, CustomTestStringConvertible {
        /// Where nodes keep their jobs; distributors have SQLite files beside nodes in memory.
        case memory, sqlite, redis
        var testDescription: String { rawValue }
    }

    private static let scripts = [
        "jobs.lua": """
        local function note(args)
          local file = assert(io.open(args.file, 'a'))
          file:write(args.n .. '\\n')
          file:close()
        end
        job('plain', { max_attempt = 1 }, function(args) note(args) end)
        -- Some are under way whenever a node is told to stop.
        job('pauses', { max_attempt = 1 }, function(args)
          sleep(0.5)
          exec('sleep', '0.3')
          note(args)
        end)
        """
    ]

    /// What producers know of their jobs, by number.
    private final class Ledger: Sendable {
        private let outcomes = Locked<[Int: Int]>([:])
        private let failures = Locked<[String]>([])

        func add(_ number: Int) { outcomes.withLock { $0[number] = 0 } }
        func note(_ number: Int, _ failure: String?) {
            outcomes.withLock { $0[number, default: 0] += 1 }
            if let failure { failures.withLock { $0.append(failure) } }
        }

        var count: Int { outcomes.withLock { $0.count } }
        var done: Int { outcomes.withLock { $0.values.count { $0 > 0 } } }
        var counts: Set<Int> { outcomes.withLock { Set($0.values) } }
        var problems: [String] { failures.withLock { $0 } }
    }

    /// A process that can be started again as it was.
    private struct Member {
        let arguments: [String]
        /// What its log has so many times when it serves.
        let serves: (text: String, count: Int)
        private(set) var program: RunningProgram

        init(_ arguments: [String], serves: (text: String, count: Int)) throws {
            self.arguments = arguments
            self.serves = serves
            program = try RunningProgram("jobreactor", arguments)
        }

        func isThere() async throws {
            try await eventually("\(program.name) serves") {
                program.standardError.components(separatedBy: serves.text).count > serves.count
            }
        }

        mutating func restart() async throws {
            program.signal(SIGTERM)
            #expect(try await program.exitStatus() == 0, "\(program.standardError.suffix(2000))")
            program = try RunningProgram("jobreactor", arguments)
            try await isThere()
        }
    }

    @Test("nothing is lost, and nothing runs twice", arguments: Kind.allCases)
    func restarts(_ kind: Kind) async throws {
        let place = try await Place(kind == .redis ? .redis : .sqlite)
        let folder = try Folder(Self.scripts)
        let output = try Folder(["runs": ""])
        let ports = [try Programs.freePort(), try Programs.freePort()]
        // Each knows of all others: distributors of three nodes, nodes of two distributors.
        var members: [Member] = []
        for (index, port) in ports.enumerated() {
            let words = ["distributor", "--listen", "localhost:\(port)", "--grace", "200"]
            members.append(try Member(words + place.option("d\(index)"), serves: ("node connected", 3)))
        }
        for name in ["n1", "n2", "n3"] {
            let words = ["node", "--name", name, "--jobs", folder.path, "--grace", "200"]
            let distributors = ports.flatMap { ["--distributor", "localhost:\($0)"] }
            members.append(
                try Member(
                    words + distributors + (kind == .memory ? [] : place.option(name)),
                    serves: ("linked to a distributor", 2)))
        }
        for member in members { try await member.isThere() }

        let ledger = Ledger()
        let isEnough = Locked(false)
        let clients = [
            try await JobClient.connect(host: "localhost", port: ports[0]),
            try await JobClient.connect(host: "localhost", port: ports[1]),
        ]
        let work = Task {
            var number = 0
            while !isEnough.withLock({ $0 }) {
                // No more than a slow machine gets done while a process is waited for.
                for _ in 0..<(number - ledger.done < 200 ? 2 : 0) {
                    let current = number
                    ledger.add(current)
                    let args: JobArguments = ["n": JSONValue(current), "file": .string(output.path + "/runs")]
                    try clients[current % 2].enqueue(
                        current % 9 == 0 ? "pauses" : "plain", args, onSuccess: { _ in ledger.note(current, nil) },
                        onError: { ledger.note(current, $0.message) })
                    number += 1
                }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        for index in members.indices {
            // Each is stopped while it has something to do.
            let before = ledger.done
            try await eventually("jobs run") { ledger.done >= before + 30 }
            try await members[index].restart()
        }
        isEnough.withLock { $0 = true }
        try await work.value
        try await eventually("all outcomes come") { ledger.done == ledger.count }
        let runs = try String(contentsOfFile: output.path + "/runs", encoding: .utf8).split(separator: "\n")
        #expect(ledger.problems == [])
        #expect(ledger.counts == [1])
        #expect(Set(runs).count == ledger.count)
        #expect(runs.count == ledger.count)
        for client in clients { await client.stop() }
        for member in members {
            member.program.signal(SIGTERM)
            #expect(try await member.program.exitStatus() == 0)
        }
    }
}
