import Foundation
import JobReactorCore
import JobReactorLua
import Testing

@testable import JobReactorLibraries

@Suite(.timeLimit(.minutes(5))) struct ExecLibraryTests {
    private let exec = Caller(library: ExecLibrary())

    private func run(
        _ words: String..., input: String? = nil, timeout: Double? = nil, limit: Int? = nil, directory: String? = nil,
        environment: [(String, String)] = []
    ) async throws -> [ScriptValue] {
        try await exec.call(
            "run",
            values(words, input: input, timeout: timeout, limit: limit, directory: directory, environment: environment))
    }

    private func values(
        _ words: [String], input: String? = nil, timeout: Double? = nil, limit: Int? = nil, directory: String? = nil,
        environment: [(String, String)] = []
    ) -> [ScriptValue] {
        var packed = PackedStrings()
        for (name, value) in environment {
            packed.append(name.utf8)
            packed.append(value.utf8)
        }
        return [
            input.map { .string($0) } ?? .nil, timeout.map { .number($0) } ?? .nil,
            limit.map { .integer(Int64($0)) } ?? .nil, directory.map { .string($0) } ?? .nil, .string(packed.bytes),
        ] + words.map { .string($0) }
    }

    @Test("a program gives its status and what it wrote to both outputs")
    func outputs() async throws {
        let result = try await run("sh", "-c", "printf out; printf err >&2; exit 3")
        #expect(result == [.integer(3), .nil, .string("out"), .string("err")])
    }

    @Test("arguments reach the program as they are, since no shell reads them")
    func arguments() async throws {
        let words = ["", "$HOME", "a b", "'", "`id`", "*", "ä"]
        let result = try await exec.call("run", values(["printf", "<%s>"] + words))
        #expect(result == [.integer(0), .nil, .string("<><$HOME><a b><'><`id`><*><ä>"), .string("")])
        let bytes = try await exec.call("run", values(["printf", "%s"]) + [.string([0xFF, 0xFE])])
        #expect(bytes[2] == .string([0xFF, 0xFE]))
    }

    @Test("input comes whole, also more than pipes hold, and ends")
    func input() async throws {
        let text = String(repeating: "0123456789abcdef", count: 20_000)
        let result = try await run("cat", input: text)
        #expect(result[2].text == text)
        #expect(try await run("cat") == [.integer(0), .nil, .string(""), .string("")])
    }

    @Test("a program that does not read its input is none the worse")
    func unreadInput() async throws {
        let result = try await run("true", input: String(repeating: "x", count: 1 << 20))
        #expect(result[0] == .integer(0))
    }

    @Test("the environment has what is added, and what this process has")
    func environment() async throws {
        let result = try await run(
            "sh", "-c", #"printf '%s,%s' "$JR_TEST" "${PATH:+path}""#, environment: [("JR_TEST", "a=b ä")])
        #expect(result[2] == .string("a=b ä,path"))
        let message = await failure { try await run("true", environment: [("A=B", "c")]) }
        #expect(message == "exec: 'A=B' with its value cannot be an environment variable")
    }

    @Test("a program runs in the directory that is named; one that is not there is an error")
    func directory() async throws {
        #expect(try await run("pwd", directory: "/")[2] == .string("/\n"))
        #expect(
            await failure { try await run("pwd", directory: "/no/such") }
                == "exec: there is no directory /no/such to run pwd in: check the path")
    }

    @Test("a program is found by its path too; one that is not there is an error that says where it was looked for")
    func missing() async throws {
        #expect(try await run("/bin/echo", "a")[2] == .string("a\n"))
        #expect(
            await failure { try await run("jobreactor-no-such") }
                == "exec: there is no program jobreactor-no-such on the PATH: install it, or write its path")
        #expect(
            await failure { try await run("/no/such") }
                == "exec: there is no executable program /no/such: check the path and its permissions")
    }

    @Test("a file that may not be run, or is no program, is an error that says what to check")
    func noProgram() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "jobreactor-exec-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try Data("no program".utf8).write(to: URL(filePath: file))
        #expect(
            await failure { try await run(file) }
                == "exec: there is no executable program \(file): check the path and its permissions")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
        #expect(
            await failure { try await run(file) }
                == "exec: cannot run \(file): exec format error: check that it is a program for this machine")
    }

    @Test("programs that run at once are each told their own")
    func many() async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<60 {
                group.addTask {
                    let result = try await run("sh", "-c", "cat; exit \(number)", input: "\(number)")
                    return result == [.integer(Int64(number)), .nil, .string("\(number)"), .string("")]
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }

    @Test("further programs than may run at once wait for their turn")
    func turns() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "jobreactor-exec-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let caller = Caller(library: ExecLibrary(programs: 2))
        // Each is there by its file while it runs, and tells how many are.
        let values = values(["sh", "-c", "touch \(folder)/$$; ls \(folder) | wc -l; rm \(folder)/$$"])
        try await withThrowingTaskGroup(of: Int?.self) { group in
            for _ in 0..<40 {
                group.addTask { Int((try await caller.call("run", values)[2].text ?? "").filter(\.isNumber)) }
            }
            for try await count in group { #expect((1...2).contains(count ?? 0)) }
        }
    }

    @Test("the time of a program begins with its turn, and one that is cancelled before has none")
    func turnsAndTime() async throws {
        let marker = "\(UInt32.random(in: 1_000_000 ... .max))"
        let caller = Caller(library: ExecLibrary(programs: 1))
        let (first, end) = try caller.start("run", values(["sleep", marker]))
        await eventually { await !isGone("sleep \(marker)", tries: 1) }
        let isOver = Locked(false)
        let waiting = values(["true"], timeout: 0.05)
        let second = Task {
            _ = try? await caller.call("run", waiting)
            isOver.withLock { $0 = true }
        }
        let (third, cancel) = try caller.start("run", values(["true"]))
        cancel()
        await #expect(throws: ScriptFailure("exec: true was ended: the job was cancelled")) { try await third.value }
        try await Task.sleep(for: .milliseconds(200))
        #expect(!isOver.withLock { $0 })
        end()
        await #expect(throws: ScriptFailure.self) { try await first.value }
        await second.value
    }

    @Test("the programs at once are as many as the open files allow, and no setting is more than that")
    func usualPrograms() {
        #expect((1...256).contains(ExecLibrary.usualPrograms))
        #expect(ExecLibrary.usualPrograms <= max(1, OpenFiles.limit / 16))
    }

    @Test("the end by a signal is told by its number")
    func signal() async throws {
        let result = try await run("sh", "-c", "kill -9 $$")
        #expect(result == [.nil, .integer(9), .string(""), .string("")])
    }

    @Test("a program that takes too long is ended, with all that it started")
    func timeout() async throws {
        let marker = "\(UInt32.random(in: 1_000_000 ... .max))"
        let message = await failure { try await run("sh", "-c", "sleep \(marker) & sleep \(marker)", timeout: 0.3) }
        #expect(
            message == "exec: sh was ended after its timeout of 0.3 s: raise it with timeout = seconds")
        #expect(await isGone("sleep \(marker)"))
    }

    @Test("one that ignores SIGTERM is killed, and so is what it started")
    func killed() async throws {
        let marker = "\(UInt32.random(in: 1_000_000 ... .max))"
        let message = await failure {
            try await run("sh", "-c", "trap '' TERM; (trap '' TERM; sleep \(marker)) & sleep \(marker)", timeout: 0.3)
        }
        #expect(message.contains("was ended after its timeout"))
        #expect(await isGone("sleep \(marker)"))
    }

    @Test("one that ends at SIGTERM leaves nothing behind that ignores it")
    func stubbornChild() async throws {
        let marker = "\(UInt32.random(in: 1_000_000 ... .max))"
        let message = await failure {
            try await run("sh", "-c", "(trap '' TERM; exec sleep \(marker)) & wait", timeout: 0.3)
        }
        #expect(message.contains("was ended after its timeout"))
        #expect(await isGone("sleep \(marker)"))
    }

    @Test("the timeout holds for a program that has closed its outputs, too")
    func closedOutputs() async throws {
        let marker = "\(UInt32.random(in: 1_000_000 ... .max))"
        let message = await failure {
            try await run("sh", "-c", "exec sleep \(marker) <&- >&- 2>&-", timeout: 0.3)
        }
        #expect(message.contains("was ended after its timeout"))
        #expect(await isGone("sleep \(marker)"))
    }

    @Test("a child that keeps the outputs open does not keep the job waiting")
    func background() async throws {
        let result = try await run("sh", "-c", "sleep 5 & echo started")
        #expect(result == [.integer(0), .nil, .string("started\n"), .string("")])
    }

    @Test("more output than the limit ends the program, at either output")
    func limits() async throws {
        #expect(
            await failure { try await run("yes", limit: 1000) }
                == "exec: yes was ended: it wrote more than the limit of 1000 bytes to its standard output: raise it with"
                + " max_output = bytes")
        let message = await failure { try await run("sh", "-c", "trap '' TERM PIPE; yes >&2; sleep 1000", limit: 1000) }
        #expect(message.contains("more than the limit of 1000 bytes to its standard error"))
        #expect(try await run("printf", "1234", limit: 4)[2] == .string("1234"))
    }

    @Test("cancelling the job ends the program")
    func cancelling() async throws {
        let marker = "\(UInt32.random(in: 1_000_000 ... .max))"
        let (result, cancel) = try exec.start("run", values(["sleep", marker]))
        await eventually { await !isGone("sleep \(marker)", tries: 1) }
        cancel()
        await #expect(throws: ScriptFailure("exec: sleep was ended: the job was cancelled")) { try await result.value }
        #expect(await isGone("sleep \(marker)"))
    }

    @Test("scripts in a sandbox start nothing")
    func sandbox() async {
        let sandboxed = Caller(library: ExecLibrary(), isSandboxed: true)
        #expect(
            await failure { try await sandboxed.call("run", values(["true"])) }
                == "exec: the scripts of this node run in a sandbox and may not start programs")
    }

    @Test(
        "bounds that are none are errors",
        arguments: [
            (0.0, 1, "exec: the timeout must be more than 0 and at most 86400 seconds"),
            (.nan, 1, "exec: the timeout must be more than 0 and at most 86400 seconds"),
            (1, -1, "exec: max_output must be 0 to 1073741824 bytes"),
        ])
    func bounds(_ timeout: Double, _ limit: Int, _ message: String) async {
        #expect(await failure { try await run("true", timeout: timeout, limit: limit) } == message)
    }

    @Test("names that none can have are errors that say so")
    func names() async {
        for (name, value) in [("", "a"), ("1A", "a"), ("A", "a\0b"), ("A\0", "b")] {
            let message = await failure { try await run("true", environment: [(name, value)]) }
            #expect(message == "exec: '\(name)' with its value cannot be an environment variable")
        }
        let bytes = await failure { try await exec.call("run", values([]) + [.string([0xFF])]) }
        #expect(bytes == "exec: the name of the program is not valid UTF-8")
        let directory = await failure {
            try await exec.call("run", [.nil, .nil, .nil, .string([0xC3]), .nil, .string("true")])
        }
        #expect(directory == "exec: the directory is not valid UTF-8")
        #expect(await failure { try await run("") } == "exec: the name of the program is empty")
        #expect(await failure { try await run("true", directory: "") } == "exec: the name of the directory is empty")
        let long = String(repeating: "a", count: 4096)
        for message in [
            await failure { try await run(long) }, await failure { try await run("true", directory: long) },
        ] {
            #expect(message == "exec: the names of program and directory must be shorter than 4096 bytes")
        }
    }

    @Test("a zero byte would cut an argument off, and is an error")
    func zero() async {
        #expect(
            await failure { try await run("echo", "a\0b") }
                == "exec: the program, its arguments and the directory must not hold a zero byte")
    }

    /// Whether no process has this command line, sooner or later: one that was killed may take a moment to go.
    private func isGone(_ command: String, tries: Int = 500) async -> Bool {
        let wanted = command.replacing(" ", with: "\0")
        for attempt in 1...tries {
            let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
            let isThere = processes.contains { process in
                guard process.allSatisfy(\.isNumber),
                    let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline")
                else { return false }
                return String(decoding: line, as: UTF8.self).contains(wanted)
            }
            if !isThere { return true }
            if attempt < tries { try? await Task.sleep(for: .milliseconds(20)) }
        }
        return false
    }
}
