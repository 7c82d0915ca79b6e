import JobReactorCore
import JobReactorTesting
import NIOCore
import Testing

@testable import JobReactorWire

/// Random jobs at the edges of all rules, through every reader of jobs: what one takes all take, and what is taken has room
/// on a link.
@Suite("One validation") struct OneValidationTests {
    /// What an entrance says to a job: nil when it takes it.
    private typealias Answer = String?

    private static let numbers: [Double] = [
        0, -0.0, -1, 1, 0.001, .leastNonzeroMagnitude, 1e-9, .nan, .infinity, -.infinity, 1e18, -1e18, 0x1p53, 0x1p63,
        .greatestFiniteMagnitude,
        JobLimits.seconds, JobLimits.seconds.nextUp, JobLimits.seconds.nextDown, 1_791_000_000, 1_791_000_000_000,
    ]
    private static let integers = [0, -1, 1, 2, 10, Int.max, Int.min, Int(Int32.max), Int(Int32.max) + 1, 1 << 53]
    private static let names = [
        "j", "größe", "🦜", "DEFER", "AFTER", "after", "{}", "NULL", "\u{2028}", "e\u{301}", "", " ", "a b", "a\tb",
        "\u{0}", "a\u{7F}",
        "a\r\nb", String(repeating: "n", count: 255), String(repeating: "n", count: 256),
        String(repeating: "é", count: 127), String(repeating: "é", count: 128),
    ]

    private static func options(using random: inout SeededGenerator) -> JobOptions {
        func maybe<Value>(_ values: [Value]) -> Value? {
            Int.random(in: 0..<6, using: &random) == 0 ? values.randomElement(using: &random) : nil
        }
        return JobOptions(
            after: maybe(numbers), runAt: maybe(numbers).map { Timestamp(seconds: $0) }, period: maybe(numbers),
            node: maybe(names), notNode: maybe(names), isDeferred: Bool.random(using: &random),
            maxAttempt: maybe(integers), retryMultiplier: maybe(numbers), id: maybe([id(0), id(5)]))
    }

    /// As a Redis client, or another link, writes it.
    private static func frame(_ verb: StaticString, _ handOver: HandOver?, _ request: JobRequest) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeRESPArray(count: (handOver == nil ? 1 : 3) + request.wordCount)
        buffer.writeRESPBulk(verb)
        if let handOver {
            buffer.writeRESPBulk(number: handOver.number)
            buffer.writeRESPBulk(handOver.id)
        }
        buffer.writeRESPBulk(request.name)
        buffer.writeRESPBulk(request.args.bytes)
        request.writeOptions(to: &buffer)
        return buffer
    }

    private static func read<Value>(_ buffer: ByteBuffer, _ body: (RESPFrame) throws -> Value) throws -> Value {
        let stream = RESPStream(side: .server, limits: RESPLimits())
        var value: Result<Value, any Error>?
        try buffer.withUnsafeReadableBytes { bytes in
            try stream.consume(bytes) { frame in
                value = Result { try body(frame) }
                return false
            }
        }
        return try #require(value).get()
    }

    private static func redis(_ request: JobRequest) throws -> Answer {
        try read(frame("ENQUEUE", nil, request)) { frame in
            do throws(CommandError) {
                guard case .enqueue = try ClientCommand(frame) else { return "another command" }
                return nil
            } catch { return error.reason }
        }
    }

    private static func swift(_ request: JobRequest) -> Answer {
        do throws(JobError) {
            try JobLimits.check(request.name, request.args, request.options)
            return nil
        } catch { return error.message }
    }

    /// Nil as well for what JSON cannot say.
    private static func lua(_ options: JobOptions) -> (isSayable: Bool, answer: Answer) {
        var members: [String: JSONValue] = [:]
        let numbers = [
            ("after", options.after), ("run_at", options.runAt?.seconds), ("period", options.period),
            ("retry_multiplier", options.retryMultiplier),
        ]
        for case (let name, let number?) in numbers {
            guard number.isFinite else { return (false, nil) }
            members[name] = .number(number)
        }
        if let node = options.node { members["node"] = .string(node) }
        if let node = options.notNode { members["not_node"] = .string(node) }
        if let attempts = options.maxAttempt { members["max_attempt"] = .integer(Int64(attempts)) }
        members["defer"] = .bool(options.isDeferred)
        do throws(JobError) {
            let read = try JobOptions(members)
            return (true, read == options || options.id != nil || options.runAt != nil ? nil : "read as others")
        } catch { return (true, error.message) }
    }

    private static let handOver = HandOver(4, id(9))

    private static func link(
        _ request: JobRequest, isAgain: Bool, from giver: JobRequest.Sender = .distributor
    ) throws -> LinkMessage {
        try read(frame(isAgain ? "AGAIN" : "JOB", handOver, request)) { try LinkMessage($0, from: giver) }
    }

    @Test("names and options are taken by all entrances and links, or by none")
    func options() throws {
        var random = SeededGenerator(seed: 13)
        var taken = 0
        for _ in 0..<5_000 {
            let request = JobRequest(
                name: Self.names.randomElement(using: &random) ?? "j", args: ["a": 1],
                options: Self.options(using: &random))
            let answer = Self.swift(request)
            #expect(try (Self.redis(request) == nil) == (answer == nil), "\(request): \(answer ?? "taken")")
            let lua = Self.lua(request.options)
            let options = Self.swift(JobRequest(name: "j", args: [:], options: request.options))
            if lua.isSayable {
                #expect((lua.answer == nil) == (options == nil), "\(request): \(lua.answer ?? "taken")")
            }
            switch try Self.link(request, isAgain: Bool.random(using: &random)) {
            case .job(let handOver, let read), .again(let handOver, let read):
                #expect(answer == nil, "\(request)")
                #expect(handOver == Self.handOver)
                #expect(read.name == request.name)
                taken += 1
            case .unacceptable(let handOver, _, let reason):
                #expect(answer != nil, "\(request): \(reason)")
                #expect(handOver == Self.handOver)
                #expect(!reason.isEmpty && reason.utf8.count < 400)
            case let other: Issue.record("read as \(other)")
            }
        }
        #expect(taken > 100)
    }

    @Test(
        "the same job gets the same words from Lua, a Redis client and a link, and from Swift and flags with their names"
    )
    func sameWords() throws {
        let wrong: [JobOptions] = [
            JobOptions(after: 1e18), JobOptions(period: 0), JobOptions(retryMultiplier: -1), JobOptions(maxAttempt: 0),
            JobOptions(runAt: Timestamp(seconds: 1_791_000_000_000)), JobOptions(node: "a b"), JobOptions(notNode: ""),
        ]
        for options in wrong {
            let request = JobRequest(name: "j", args: [:], options: options)
            let words = try #require(try Self.redis(request))
            let name = try #require(words.split(separator: " ").first)
            let rest = words.dropFirst(name.count)
            #expect(Self.swift(request) == OptionNames.swift.text(String(name)) + rest)
            #expect(throws: JobError(.invalidOption, OptionNames.flags.text(String(name)) + rest)) {
                try options.validate(names: .flags)
            }
            #expect(try Self.link(request, isAgain: false) == .unacceptable(Self.handOver, name: "j", reason: words))
            #expect(Self.lua(options).answer == words)
        }
    }

    @Test("a date that one clock has accepted is taken over a link by another clock that is wrong by decades")
    func clocksApart() throws {
        let late = Timestamp.now.advanced(bySeconds: 1.5 * JobLimits.seconds)
        let request = JobRequest(name: "j", args: [:], options: JobOptions(runAt: late))
        #expect(Self.swift(request) != nil)
        #expect(try Self.redis(request) != nil)
        for giver in [JobRequest.Sender.distributor, .producer] {
            guard case .job(_, let read) = try Self.link(request, isAgain: false, from: giver) else {
                Issue.record("refused")
                return
            }
            #expect(abs((read.options.runAt?.seconds ?? 0) - late.seconds) < 0.001)
        }
    }

    private static func args(_ count: Int) -> JobArguments {
        JobArguments(unchecked: Array("{\"a\":\"".utf8) + [UInt8](repeating: 120, count: count - 8) + Array("\"}".utf8))
    }

    @Test("args of the largest size pass with the longest of everything else, also grown by what the system adds")
    func largestArgs() throws {
        let name = String(repeating: "é", count: 127)
        let options = JobOptions(
            after: 3_155_759_999.123456, period: 3_155_759_999.123456, node: name, notNode: name, isDeferred: true,
            maxAttempt: Int(Int32.max), retryMultiplier: 3_155_759_999.123456)
        let (most, added) = (JobLimits.argsBytes, JobLimits.addedBytes)
        let given = JobRequest(name: name, args: Self.args(most), options: options)
        #expect(Self.swift(given) == nil)
        #expect(try Self.redis(given) == nil)
        #expect(try Self.link(given, isAgain: true) == .again(Self.handOver, given))
        let grown = JobRequest(name: name, args: Self.args(most + added), options: options)
        #expect(try Self.link(grown, isAgain: false) == .job(Self.handOver, grown))

        let tooLarge = "args may have at most \(most) bytes of JSON, not \(most + 1)"
        let larger = JobRequest(name: name, args: Self.args(most + 1), options: options)
        #expect(Self.swift(larger) == tooLarge)
        #expect(try Self.redis(larger) == tooLarge)
        let short = JobRequest(name: "j", args: larger.args)
        #expect(
            try Self.link(short, isAgain: false, from: .producer)
                == .unacceptable(Self.handOver, name: "j", reason: tooLarge))
        let beyond = JobRequest(name: "j", args: Self.args(most + added + 1))
        #expect(
            try Self.link(beyond, isAgain: false)
                == .unacceptable(
                    Self.handOver, name: "j",
                    reason: "args may have at most \(most + added) bytes of JSON, not \(most + added + 1)"
                ))
    }

    @Test("args of any bytes are no reason to give up a link")
    func anyBytes() throws {
        var random = SeededGenerator(seed: 14)
        for count in 0..<300 {
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            let request = JobRequest(name: "j", args: JobArguments(unchecked: bytes))
            switch try Self.link(request, isAgain: false) {
            case .job(let handOver, let read): #expect(handOver == Self.handOver && read == request)
            case .unacceptable: break
            case let other: Issue.record("read as \(other)")
            }
            let nested = String(repeating: "[", count: count) + String(repeating: "]", count: count)
            let deep = JobRequest(name: "j", args: JobArguments(unchecked: Array("{\"a\":\(nested)}".utf8)))
            #expect(try (Self.redis(deep) == nil) == (count > 0 && count < 128))
            for request in [request, deep] {
                let words = try Self.redis(request)
                switch try Self.link(request, isAgain: count % 2 == 0, from: .producer) {
                case .job(_, let read), .again(_, let read): #expect(words == nil && read == request)
                case .unacceptable(Self.handOver, _, let reason): #expect(words == reason)
                case let other: Issue.record("read as \(other)")
                }
            }
        }
    }

    @Test("how far a job is always has room, and is a fraction or nothing")
    func progress() throws {
        for fraction in Self.numbers {
            for text in ["", "half", String(repeating: "🦜", count: 5000)] {
                let progress = Progress(id: id(1), run: .max, fraction: fraction, text: text)
                #expect(progress.text.utf8.count <= JobLimits.progressBytes)
                var buffer = ByteBuffer()
                LinkMessage.writeProgress(progress, to: &buffer)
                #expect(try Self.read(buffer) { try LinkMessage($0) } == .progress(progress))
            }
        }
    }

    @Test("a link takes messages of 16 MiB whatever the limit for commands is")
    func linkLimits() throws {
        let stream = RESPStream(side: .server, limits: RESPLimits(frameBytes: 1000, elements: 3))
        stream.raiseLimits(to: RESPLimits())
        let message = JobRequest(name: "j", args: Self.args(JobLimits.argsBytes))
        var count = 0
        try Self.frame("JOB", Self.handOver, message).withUnsafeReadableBytes { bytes in
            try stream.consume(bytes) { _ in
                count += 1
                return true
            }
        }
        #expect(count == 1)
    }
}
