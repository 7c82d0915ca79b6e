import Foundation
import Testing

/// A distributor and its nodes, each a process of its own.
struct Installation {
    static let scripts = [
        "jobs.lua": """
        job('echo', function(args) end)
        job('greet', function(args) args.greeting = 'Hello, ' .. args.name .. '!' end)
        job('fails', { max_attempt = 1 }, function(args) error('no disk') end)
        job('slow', function(args)
          print('slow begins')
          io.popen('sleep ' .. args.seconds):close()
          args.done = true
        end)
        """
    ]

    let port: Int
    let folder: Folder
    let distributor: RunningProgram
    let environment: [String: String]

    init(
        scripts: [String: String] = Self.scripts, environment: [String: String] = [:],
        distributor options: [String] = []
    ) async throws {
        port = try Programs.freePort()
        folder = try Folder(scripts)
        self.environment = environment
        distributor = try RunningProgram(
            "jobreactor", ["distributor", "--listen", "localhost:\(port)"] + options, environment: environment)
        try await distributor.logs("distributor listens")
    }

    func startNode(_ name: String, _ arguments: [String] = []) async throws -> RunningProgram {
        let node = try launchNode(name, arguments)
        try await node.logs("linked to a distributor")
        return node
    }

    /// Starts a node and does not wait until it is there.
    func launchNode(_ name: String, _ arguments: [String] = []) throws -> RunningProgram {
        try RunningProgram(
            "jobreactor",
            ["node", "--name", name, "--distributor", "localhost:\(port)", "--jobs", folder.path] + arguments,
            environment: environment)
    }

    func redis(_ words: [String], _ options: [String] = []) async throws -> String {
        let cli = try await Programs.run("redis-cli", ["-p", "\(port)"] + options + words)
        return (cli.output + cli.errors).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A field of INFO.
    func info(_ field: String) async throws -> Int? {
        let text = try await redis(["INFO"])
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix(field + ":") }
        return line.flatMap { Int($0.dropFirst(field.count + 1)) }
    }

    func jobreactor(_ arguments: [String]) async throws -> Finished {
        var variables = environment
        variables["JOBREACTOR_DISTRIBUTOR"] = "localhost:\(port)"
        return try await Programs.run("jobreactor", arguments, environment: variables)
    }
}
