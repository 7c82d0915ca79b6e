import JobReactorTesting
import JobReactorCore
import Testing

@testable import JobReactorWire

@Suite struct JobRequestTests {
    private static func parse(_ words: [String], sender: JobRequest.Sender = .client) throws -> JobRequest {
        try withCommand(["ENQUEUE"] + words) {
            try JobRequest.parse($0, from: 1, count: words.count + 1, sender: sender)
        }
    }

    private static func resize(_ options: JobOptions = JobOptions(), args: JobArguments = [:]) -> JobRequest {
        JobRequest(name: "resize", args: args, options: options)
    }

    @Test(
        "words that are a job",
        arguments: [
            ("resize", resize()),
            ("resize {}", resize()),
            ("resize {\"width\":200}", resize(args: ["width": 200])),
            ("resize AFTER 5", resize(JobOptions(after: 5))),
            ("resize {} AFTER 0", resize(JobOptions(after: 0))),
            ("resize {} after 0.25", resize(JobOptions(after: 0.25))),
            ("resize {} After 1e3", resize(JobOptions(after: 1000))),
            ("resize {} AFTER 3155760000", resize(JobOptions(after: 3_155_760_000))),
            (
                "resize {} RUN_AT 1767225600.25",
                resize(JobOptions(runAt: Timestamp(microseconds: 1_767_225_600_250_000)))
            ),
            ("resize {} run_at -1", resize(JobOptions(runAt: Timestamp(microseconds: -1_000_000)))),
            ("resize {} PERIOD 60", resize(JobOptions(period: 60))),
            ("resize {} NODE n1", resize(JobOptions(node: "n1"))),
            ("resize {} NODE node", resize(JobOptions(node: "node"))),
            ("resize {} not_node größe", resize(JobOptions(notNode: "größe"))),
            ("resize {} DEFER", resize(JobOptions(isDeferred: true))),
            ("resize DEFER", resize(JobOptions(isDeferred: true))),
            ("resize {} defer DEFER", resize(JobOptions(isDeferred: true))),
            ("resize {} MAX_ATTEMPT 1", resize(JobOptions(maxAttempt: 1))),
            ("resize {} max_attempt 2147483647", resize(JobOptions(maxAttempt: 2_147_483_647))),
            ("resize {} RETRY_MULTIPLIER 0.5", resize(JobOptions(retryMultiplier: 0.5))),
            ("resize {} ID 000000000000000000000000000000ff", resize(JobOptions(id: id(255)))),
            ("resize {} Id 00000000-0000-0000-0000-0000000000FF", resize(JobOptions(id: id(255)))),
            ("resize {} PRIORITY 0", resize(JobOptions(priority: 0))),
            ("resize {} UNIQUE größe", resize(JobOptions(unique: JobUnique("größe")))),
            (
                "resize {} ON_CONFLICT Replace UNIQUE_FOR 0.5 unique k",
                resize(JobOptions(unique: JobUnique("k", for: 0.5, onConflict: .replace)))
            ),
            // Said twice, the last counts.
            ("resize {} AFTER 1 AFTER 2", resize(JobOptions(after: 2))),
            (
                "resize {\"a\":[]} AFTER 1 RUN_AT 2 PERIOD 3 NODE a NOT_NODE b DEFER MAX_ATTEMPT 4 RETRY_MULTIPLIER 5",
                resize(
                    JobOptions(
                        after: 1, runAt: Timestamp(microseconds: 2_000_000), period: 3, node: "a", notNode: "b",
                        isDeferred: true, maxAttempt: 4, retryMultiplier: 5),
                    args: ["a": []])
            ),
        ])
    func good(line: String, request: JobRequest) throws {
        #expect(try Self.parse(line.split(separator: " ").map(String.init)) == request)
    }

    private static let noObject =
        "ERR args must be one JSON object: invalid JSON at byte 0: expected an object, such as {\"key\": 1}"

    static let unknown = ": the options are " + JobOptionTable.ofCommands.map(\.usage).joined(separator: ", ")

    @Test(
        "words that are none are refused in a line that says what is allowed",
        arguments: [
            ([""], "ERR the job's name must not be empty"),
            (["two words"], "ERR the job's name must not contain spaces or control characters"),
            (["line\r\nend"], "ERR the job's name must not contain spaces or control characters"),
            ([String(repeating: "n", count: 256)], "ERR the job's name must not be longer than 255 bytes"),
            (["j", ""], noObject),
            (["j", "[]"], noObject),
            (["j", "null"], noObject),
            (["j", "true"], noObject),
            (["j", "5"], noObject),
            (["j", "\"text\""], noObject),
            (["j", "FOO"], "ERR FOO needs a value"),
            (["j", "AFTER"], "ERR AFTER needs a value"),
            (["j", "{}", "period"], "ERR period needs a value"),
            (["j", "{}", "DEFER", "NODE"], "ERR NODE needs a value"),
            (["j", "{}", "{}"], "ERR unknown option '{}'" + unknown),
            (["j", "{}", "5", "6"], "ERR unknown option '5'" + unknown),
            (["j", "FOO", "1"], "ERR unknown option 'FOO'" + unknown),
            (["j", "{}", "AFTERS", "1"], "ERR unknown option 'AFTERS'" + unknown),
            (["j", "{}", "", "1"], "ERR unknown option ''" + unknown),
            (["j", "{}", "TIMEOUT", "1"], "ERR unknown option 'TIMEOUT'" + unknown),
            (["j", "{}", "a\r\nb", "1"], "ERR unknown option 'a b'" + unknown),
            (
                ["j", "{}", String(repeating: "o", count: 100), "1"],
                "ERR unknown option '" + String(repeating: "o", count: 64) + "'" + unknown
            ),
            (["j", "{}", "AFTER", "soon"], "ERR AFTER takes seconds, not 'soon'"),
            (["j", "{}", "AFTER", ""], "ERR AFTER takes seconds, not ''"),
            (["j", "{}", "AFTER", "nan"], "ERR AFTER takes seconds, not 'nan'"),
            (["j", "{}", "AFTER", "inf"], "ERR AFTER takes seconds, not 'inf'"),
            (["j", "{}", "AFTER", "1e999"], "ERR AFTER takes seconds, not '1e999'"),
            (["j", "{}", "AFTER", " 5"], "ERR AFTER takes seconds, not ' 5'"),
            (["j", "{}", "AFTER", "-1"], "ERR after takes seconds from 0 to 3155760000, not -1.0"),
            (["j", "{}", "AFTER", "3155760001"], "ERR after takes seconds from 0 to 3155760000, not 3155760001.0"),
            (["j", "{}", "RUN_AT", "tomorrow"], "ERR RUN_AT takes seconds, not 'tomorrow'"),
            (["j", "{}", "PERIOD", "x"], "ERR PERIOD takes seconds, not 'x'"),
            (["j", "{}", "PERIOD", "-0.5"], "ERR period takes seconds above 0 up to 3155760000, not -0.5"),
            (["j", "{}", "PERIOD", "0"], "ERR period takes seconds above 0 up to 3155760000, not 0.0"),
            (
                ["j", "{}", "RUN_AT", "1791000000000"],
                "ERR run_at takes seconds since 1970, at most a hundred years from now, not 1791000000000:"
                    + " that looks like milliseconds, so divide it by 1000"
            ),
            (["j", "{}", "NODE", ""], "ERR node must not be empty"),
            (["j", "{}", "NODE", "a b"], "ERR node must not contain spaces or control characters"),
            (["j", "{}", "NOT_NODE", "a\t"], "ERR not_node must not contain spaces or control characters"),
            (["j", "{}", "MAX_ATTEMPT", "0"], "ERR max_attempt takes a whole number from 1 to 2147483647, not 0"),
            (["j", "{}", "MAX_ATTEMPT", "1.5"], "ERR MAX_ATTEMPT takes a whole number from 1, not '1.5'"),
            (
                ["j", "{}", "MAX_ATTEMPT", "99999999999999999999"],
                "ERR MAX_ATTEMPT takes a whole number from 1, not '99999999999999999999'"
            ),
            (["j", "{}", "RETRY_MULTIPLIER", "many"], "ERR RETRY_MULTIPLIER takes seconds, not 'many'"),
            (
                ["j", "{}", "RETRY_MULTIPLIER", "-1"],
                "ERR retry_multiplier takes seconds from 0 to 3155760000, not -1.0"
            ),
            (
                ["j", "{}", "PRIORITY", "high"],
                "ERR PRIORITY takes a whole number from 0 (last) to 9 (first), not 'high'"
            ),
            (["j", "{}", "PRIORITY", "10"], "ERR priority takes a whole number from 0 (last) to 9 (first), not 10"),
            (
                ["j", "{}", "UNIQUE", ""],
                "ERR unique takes a key of 1 to 255 bytes without control characters, not ''"
            ),
            (["j", "{}", "UNIQUE_FOR", "5"], "ERR UNIQUE_FOR needs UNIQUE key"),
            (["j", "{}", "ON_CONFLICT", "keep"], "ERR ON_CONFLICT needs UNIQUE key"),
            (["j", "{}", "UNIQUE", "k", "UNIQUE_FOR", "x"], "ERR UNIQUE_FOR takes seconds, not 'x'"),
            (
                ["j", "{}", "UNIQUE", "k", "UNIQUE_FOR", "-1"],
                "ERR unique_for takes seconds from 0 to 3155760000, not -1.0"
            ),
            (
                ["j", "{}", "UNIQUE", "k", "ON_CONFLICT", "drop"],
                "ERR ON_CONFLICT takes keep, replace, again or raise, not 'drop'"
            ),
            // A tick is for links alone.
            (["j", "{}", "SCHEDULE", "s"], "ERR unknown option 'SCHEDULE'" + unknown),
            (["j", "{}", "PERMITTED", "1"], "ERR unknown option 'PERMITTED'" + unknown),
            (
                ["j", "{}", "TRACE", "00-1-2-01"],
                "ERR TRACE takes a JSON object of strings, of at most 4096 bytes, not '00-1-2-01'"
            ),
            (["j", "{}", "ID", "12"], "ERR ID takes 32 hexadecimal digits, not '12'"),
            (
                ["j", "{}", "ID", "0000000000000000000000000000000g"],
                "ERR ID takes 32 hexadecimal digits, not '0000000000000000000000000000000g'"
            ),
        ])
    func bad(words: [String], line: String) {
        #expect(throws: CommandError(line)) { try Self.parse(words) }
    }

    @Test(
        "a name or node that is not UTF-8 is refused, not repaired",
        arguments: [
            ("*2\r\n$7\r\nENQUEUE\r\n$2\r\n", "\r\n", "ERR the job's name must be UTF-8"),
            ("*5\r\n$7\r\nENQUEUE\r\n$1\r\nj\r\n$2\r\n{}\r\n$4\r\nNODE\r\n$2\r\n", "\r\n", "ERR NODE must be UTF-8"),
            (
                "*5\r\n$7\r\nENQUEUE\r\n$1\r\nj\r\n$2\r\n{}\r\n$8\r\nNOT_NODE\r\n$2\r\n", "\r\n",
                "ERR NOT_NODE must be UTF-8"
            ),
        ])
    func notUTF8(start: String, end: String, line: String) throws {
        var error: CommandError?
        try feed(RESPStream(side: .server, limits: RESPLimits()), bytes(start) + [0x61, 0xFF] + bytes(end)) { frame in
            do throws(CommandError) { _ = try ClientCommand(frame) } catch let refusal { error = refusal }
            return true
        }
        #expect(error == CommandError(line))
    }

    @Test("args of a peer that checked them are taken as they are")
    func unchecked() throws {
        let request = try Self.parse(["j", "{not json", "AFTER", "1"], sender: .distributor)
        #expect(request.args.bytes == bytes("{not json"))
    }

    @Test("an option of the caller's own is asked for when it is none of the job's")
    func extra() throws {
        var asked: [String] = []
        let request = try withCommand(["X", "j", "{}", "COLOUR", "red", "AFTER", "1"]) { frame in
            try JobRequest.parse(frame, from: 1, count: 7) { (option, value) throws(CommandError) in
                asked.append(text(option) + "=" + text(value))
                return true
            }
        }
        #expect(asked == ["COLOUR=red"])
        #expect(request == JobRequest(name: "j", args: [:], options: JobOptions(after: 1)))
    }

    @Test("whatever is written is read back the same, but for the id")
    func roundTrip() throws {
        var random = SeededGenerator(seed: 31)
        for round in 0..<3_000 {
            var request = Self.random(using: &random)
            let stream = written { buffer in
                LinkMessage.writeJob(HandOver(1, JobID(high: 1, low: 2)), request, to: &buffer)
            }
            request.options.id = nil
            let read = try withFrame(stream) { try JobRequest.parse($0, from: 3, count: try #require($0.wordCount)) }
            #expect(read == request, "round \(round)")
        }
    }

    static func unknownOption(_ word: String) -> String { "unknown option '\(word)'" + unknown }

    static func random(using random: inout SeededGenerator) -> JobRequest {
        func maybe<Value>(_ value: Value) -> Value? { Bool.random(using: &random) ? value : nil }
        func seconds() -> Double {
            switch Int.random(in: 0..<4, using: &random) {
            case 0: 0
            case 1: Double(Int.random(in: 0...100, using: &random))
            case 2: Double.random(in: 0...1e-3, using: &random)
            default: Double.random(in: 0...3_155_760_000, using: &random)
            }
        }
        return JobRequest(
            name: ["j", "größe", "DEFER", "after"].randomElement(using: &random) ?? "j",
            args: ["number": .integer(Int64.random(in: .min ... .max, using: &random)), "text": "a\r\nb\u{0}"],
            options: JobOptions(
                after: maybe(seconds()),
                runAt: maybe(Timestamp(microseconds: Int64.random(in: -1 << 51...1 << 51, using: &random))),
                period: maybe(1e-6 + seconds() / 2), node: maybe("NODE"), notNode: maybe("n/🦜"),
                isDeferred: Bool.random(using: &random),
                maxAttempt: maybe(Int.random(in: 1...Int(Int32.max), using: &random)),
                retryMultiplier: maybe(seconds()), priority: maybe(Int.random(in: 0...9, using: &random)),
                unique: maybe(
                    JobUnique(
                        "k 🦜", for: seconds(),
                        onConflict: UniqueConflict.allCases.randomElement(using: &random) ?? .keep)),
                id: maybe(id(7))))
    }
}
