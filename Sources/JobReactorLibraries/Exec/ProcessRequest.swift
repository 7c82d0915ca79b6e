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

    /// What the Lua text passes: input, timeout, bytes of output, directory, packed names and values of the environment,
    /// the program, its arguments.
    init(_ values: [ScriptValue]) throws(ScriptFailure) {
        let given = ScriptArguments(values, of: "exec")
        input = try given.optionalBytes(0) ?? []
        timeout = try given.optionalDouble(1) ?? timeout
        maximumOutput = try given.optionalInt(2) ?? maximumOutput
        directory = try given.optionalText(3)
        let pairs = try PackedStrings.unpack(given.optionalBytes(4) ?? [])
        for index in stride(from: 0, to: pairs.count - 1, by: 2) {
            environment.append(
                (String(decoding: pairs[index], as: UTF8.self), String(decoding: pairs[index + 1], as: UTF8.self)))
        }
        program = try given.text(5)
        arguments = try given.byteStrings(from: 6)
        try check()
    }

    private func check() throws(ScriptFailure) {
        guard !program.isEmpty else { throw ScriptFailure("exec: the name of the program is empty") }
        guard timeout > 0, timeout <= Self.longestTimeout else {
            throw ScriptFailure("exec: the timeout must be more than 0 and at most \(Int(Self.longestTimeout)) seconds")
        }
        guard (0...Self.largestOutput).contains(maximumOutput) else {
            throw ScriptFailure("exec: max_output must be 0 to \(Self.largestOutput) bytes")
        }
        for (name, value) in environment where name.isEmpty || name.contains("=") || (name + value).utf8.contains(0) {
            throw ScriptFailure("exec: '\(name)' with its value can be no variable of an environment")
        }
        // C would cut the text off there, and another program or file be meant than was said.
        let strings = arguments + [Array(program.utf8), Array((directory ?? "").utf8)]
        guard !strings.contains(where: { $0.contains(0) }) else {
            throw ScriptFailure("exec: the program, its arguments and the directory must not hold a zero byte")
        }
    }

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
            executable: program.contains("/") ? .path(FilePath(program)) : .name(program),
            // The library hands them to C as they are, and C wants a zero at the end.
            arguments: Arguments(arguments.map { $0 + [0] }), environment: .inherit.updating(changes),
            workingDirectory: directory.map { FilePath($0) }, platformOptions: options)
    }
}
