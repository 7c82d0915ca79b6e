internal import JobReactorLua
internal import Subprocess
internal import SystemPackage

/// A program to run, and its bounds.
struct ProcessRequest: Sendable {
    /// A name to look for on the PATH, or a path.
    var program: String
    var arguments: [[UInt8]] = []
    var input: [UInt8] = []
    /// Seconds.
    var timeout = 60.0
    /// Bytes of standard output, and as many of standard error.
    var maximumOutput = 1 << 20
    /// Added to what this process has.
    var environment: [(name: String, value: String)] = []
    var directory: String?

    static let longestTimeout = 86_400.0
    static let largestOutput = 1 << 30
    private static let pathBytes = 4096

    /// What the Lua text passes: input, timeout, bytes of output, directory, packed names and values of the environment,
    /// the program, its arguments.
    init(_ values: [ScriptValue]) throws(ScriptFailure) {
        let given = ScriptArguments(values, of: "exec")
        input = try given.optionalBytes(0) ?? []
        timeout = try given.optionalDouble(1) ?? timeout
        maximumOutput = try given.optionalInt(2) ?? maximumOutput
        directory = try given.optionalName(3, "exec: the directory")
        let pairs = try PackedStrings.unpack(given.optionalBytes(4) ?? [])
        for index in stride(from: 0, to: pairs.count - 1, by: 2) {
            environment.append(try Self.variable(pairs[index], pairs[index + 1]))
        }
        program = try given.name(5, "exec: the name of the program")
        arguments = try given.byteStrings(from: 6)
        try check()
    }

    private static func variable(_ name: [UInt8], _ value: [UInt8]) throws(ScriptFailure) -> (String, String) {
        let isGood =
            name.first.map { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } == true
            && !name.contains(UInt8(ascii: "=")) && !(name + value).contains(0)
        guard isGood, let name = String(validating: name, as: UTF8.self),
            let value = String(validating: value, as: UTF8.self)
        else {
            let name = String(decoding: name, as: UTF8.self)
            throw ScriptFailure("exec: '\(name)' with its value cannot be an environment variable")
        }
        return (name, value)
    }

    private func check() throws(ScriptFailure) {
        guard !program.isEmpty else { throw ScriptFailure("exec: the name of the program is empty") }
        if let directory, directory.isEmpty { throw ScriptFailure("exec: the name of the directory is empty") }
        // No file has a longer name on Linux (PATH_MAX). A path of megabytes would keep a thread for minutes.
        guard max(program.utf8.count, directory?.utf8.count ?? 0) < Self.pathBytes else {
            throw ScriptFailure("exec: the names of program and directory must be shorter than \(Self.pathBytes) bytes")
        }
        guard timeout > 0, timeout <= Self.longestTimeout else {
            throw ScriptFailure("exec: the timeout must be more than 0 and at most \(Int(Self.longestTimeout)) seconds")
        }
        guard (0...Self.largestOutput).contains(maximumOutput) else {
            throw ScriptFailure("exec: max_output must be 0 to \(Self.largestOutput) bytes")
        }
        // C would cut the text off there, and another program or file be meant than was said.
        let strings = arguments + [Array(program.utf8), Array((directory ?? "").utf8)]
        guard !strings.contains(where: { $0.contains(0) }) else {
            throw ScriptFailure("exec: the program, its arguments and the directory must not hold a zero byte")
        }
    }

    /// Whether the program is named by its path.
    var isPath: Bool { program.utf8.contains(UInt8(ascii: "/")) }

    var configuration: Configuration {
        var options = PlatformOptions()
        // A session of its own: signals reach all that the program starts, and no terminal is there to wait at.
        options.createSession = true
        options.teardownSequence = ProcessRun.teardown
        var changes: [Environment.Key: String?] = [:]
        for (name, value) in environment {
            if let key = Environment.Key(rawValue: name) { changes[key] = .some(value) }
        }
        return Configuration(
            executable: isPath ? .path(FilePath(program)) : .name(program),
            // The library hands them to C as they are, and C wants a zero at the end.
            arguments: Arguments(arguments.map { $0 + [0] }), environment: .inherit.updating(changes),
            workingDirectory: directory.map { FilePath($0) }, platformOptions: options)
    }
}
