import JobReactorTesting
import JobReactorCore
import NIOCore
import Testing

@testable import JobReactorWire

@Suite struct LinkMessageTests {
    private static let one = "00000000000000000000000000000001"
    private static let two = "00000000000000000000000000000002"

    private static let report = JobReport(
        id: id(1), name: "resize", feedback: Feedback(.success, args: ["a": 1]), status: .complete, run: 1)

    private static var traced: JobRequest {
        var request = JobRequest(name: "resize", args: [:], options: JobOptions(isDeferred: true))
        request.options.trace = JobTrace(["traceparent": "00-1-2-01"])
        return request
    }

    private static func suspect(_ attempts: Int32, _ options: JobOptions = JobOptions()) -> JobRequest {
        var request = JobRequest(name: "resize", args: [:], options: options)
        request.suspect = attempts
        return request
    }

    private static var turned: JobRequest {
        var request = JobRequest(
            name: "resize", args: [:],
            options: JobOptions(priority: 9, unique: JobUnique("k", for: 1.5, onConflict: .again)))
        request.options.tick = JobTick(schedule: "s", at: Timestamp(microseconds: 60_000_000))
        request.isPermitted = true
        return request
    }

    private static let definitions = NodeDefinitions(
        jobs: ["call": .init(priority: 9, limits: ["crm"])], limits: [Limit(name: "crm", concurrency: 10)])

    private static var awaited: JobRequest {
        var request = JobRequest(name: "resize", args: [:])
        request.isAwaited = true
        return request
    }

    /// Every message, and its bytes.
    static let golden: [(LinkMessage, String)] = [
        (
            .job(HandOver(1, id(1)), JobRequest(name: "resize", args: ["w": 200])),
            "*5\r\n$3\r\nJOB\r\n$1\r\n1\r\n$32\r\n\(one)\r\n$6\r\nresize\r\n$9\r\n{\"w\":200}\r\n"
        ),
        (
            .job(
                HandOver(12, id(2)),
                JobRequest(
                    name: "resize", args: [:],
                    options: JobOptions(
                        after: 1.5, runAt: Timestamp(microseconds: 1_767_225_600_250_000), period: 60, node: "n1",
                        notNode: "n2", isDeferred: true, maxAttempt: 3, retryMultiplier: 0.25))),
            "*20\r\n$3\r\nJOB\r\n$2\r\n12\r\n$32\r\n\(two)\r\n$6\r\nresize\r\n$2\r\n{}\r\n$5\r\nAFTER\r\n$3\r\n1.5\r\n"
                + "$6\r\nRUN_AT\r\n$13\r\n1767225600.25\r\n$6\r\nPERIOD\r\n$4\r\n60.0\r\n$4\r\nNODE\r\n$2\r\nn1\r\n"
                + "$8\r\nNOT_NODE\r\n$2\r\nn2\r\n$11\r\nMAX_ATTEMPT\r\n$1\r\n3\r\n"
                + "$16\r\nRETRY_MULTIPLIER\r\n$4\r\n0.25\r\n$5\r\nDEFER\r\n"
        ),
        (
            .again(HandOver(3, id(1)), JobRequest(name: "resize", args: [:])),
            "*5\r\n$5\r\nAGAIN\r\n$1\r\n3\r\n$32\r\n\(one)\r\n$6\r\nresize\r\n$2\r\n{}\r\n"
        ),
        (
            .job(HandOver(3, id(1)), traced),
            "*8\r\n$3\r\nJOB\r\n$1\r\n3\r\n$32\r\n\(one)\r\n$6\r\nresize\r\n$2\r\n{}\r\n"
                + "$5\r\nTRACE\r\n$27\r\n{\"traceparent\":\"00-1-2-01\"}\r\n$5\r\nDEFER\r\n"
        ),
        (
            .job(HandOver(2, id(1)), suspect(3, JobOptions(maxAttempt: 5))),
            "*9\r\n$3\r\nJOB\r\n$1\r\n2\r\n$32\r\n\(one)\r\n$6\r\nresize\r\n$2\r\n{}\r\n"
                + "$11\r\nMAX_ATTEMPT\r\n$1\r\n5\r\n$7\r\nSUSPECT\r\n$1\r\n3\r\n"
        ),
        (
            .again(HandOver(2, id(1)), suspect(0)),
            "*7\r\n$5\r\nAGAIN\r\n$1\r\n2\r\n$32\r\n\(one)\r\n$6\r\nresize\r\n$2\r\n{}\r\n$7\r\nSUSPECT\r\n$1\r\n0\r\n"
        ),
        (
            .job(HandOver(2, id(1)), awaited),
            "*7\r\n$3\r\nJOB\r\n$1\r\n2\r\n$32\r\n\(one)\r\n$6\r\nresize\r\n$2\r\n{}\r\n$7\r\nAWAITED\r\n$1\r\n1\r\n"
        ),
        (
            .job(HandOver(2, id(1)), turned),
            "*19\r\n$3\r\nJOB\r\n$1\r\n2\r\n$32\r\n\(one)\r\n$6\r\nresize\r\n$2\r\n{}\r\n"
                + "$8\r\nPRIORITY\r\n$1\r\n9\r\n$6\r\nUNIQUE\r\n$1\r\nk\r\n$10\r\nUNIQUE_FOR\r\n$3\r\n1.5\r\n"
                + "$11\r\nON_CONFLICT\r\n$5\r\nAGAIN\r\n$8\r\nSCHEDULE\r\n$1\r\ns\r\n$4\r\nTICK\r\n$8\r\n60000000\r\n"
                + "$9\r\nPERMITTED\r\n$1\r\n1\r\n"
        ),
        (
            .replace(
                HandOver(3, id(1)), JobRequest(name: "r", args: [:], options: JobOptions(unique: JobUnique("k")))),
            "*7\r\n$7\r\nREPLACE\r\n$1\r\n3\r\n$32\r\n\(one)\r\n$1\r\nr\r\n$2\r\n{}\r\n$6\r\nUNIQUE\r\n$1\r\nk\r\n"
        ),
        (.replaced(HandOver(3, id(1))), "*3\r\n$8\r\nREPLACED\r\n$1\r\n3\r\n$32\r\n\(one)\r\n"),
        (.kept(HandOver(3, id(1))), "*3\r\n$4\r\nKEPT\r\n$1\r\n3\r\n$32\r\n\(one)\r\n"),
        (
            .permit(id(1), priority: 5, [LimitNeed(limit: "crm"), LimitNeed(limit: "api", key: "\"a\"")]),
            "*7\r\n$6\r\nPERMIT\r\n$32\r\n\(one)\r\n$1\r\n5\r\n$3\r\ncrm\r\n$0\r\n\r\n$3\r\napi\r\n$3\r\n\"a\"\r\n"
        ),
        (.permitted(id(1)), "*2\r\n$9\r\nPERMITTED\r\n$32\r\n\(one)\r\n"),
        (.discarded(id(1), "full"), "*3\r\n$9\r\nDISCARDED\r\n$32\r\n\(one)\r\n$4\r\nfull\r\n"),
        (.release(id(1)), "*2\r\n$7\r\nRELEASE\r\n$32\r\n\(one)\r\n"),
        (
            .holds(id(1), secondsAgo: 1.5, [LimitNeed(limit: "crm")]),
            "*5\r\n$5\r\nHOLDS\r\n$32\r\n\(one)\r\n$3\r\n1.5\r\n$3\r\ncrm\r\n$0\r\n\r\n"
        ),
        (.began(id(2)), "*2\r\n$5\r\nBEGAN\r\n$32\r\n\(two)\r\n"),
        (.hold(isNode: true, jobs: []), "*2\r\n$4\r\nHOLD\r\n$1\r\n1\r\n"),
        (.hold(isNode: false, jobs: ["a", "b"]), "*4\r\n$4\r\nHOLD\r\n$1\r\n0\r\n$1\r\na\r\n$1\r\nb\r\n"),
        (
            .defines(definitions, problems: []),
            "*2\r\n$7\r\nDEFINES\r\n$85\r\n"
                + "{\"jobs\":{\"call\":{\"limits\":[\"crm\"],\"priority\":9}},\"limits\":{\"crm\":{\"concurrency\":10}}}\r\n"
        ),
        (
            .begun(HandOver(2, id(1)), attempt: 4, of: 10),
            "*5\r\n$5\r\nBEGUN\r\n$1\r\n2\r\n$32\r\n\(one)\r\n$1\r\n4\r\n$2\r\n10\r\n"
        ),
        (.paused(HandOver(2, id(1))), "*3\r\n$6\r\nPAUSED\r\n$1\r\n2\r\n$32\r\n\(one)\r\n"),
        (
            .waits(HandOver(12, id(2)), attempt: 1),
            "*4\r\n$5\r\nWAITS\r\n$2\r\n12\r\n$32\r\n\(two)\r\n$1\r\n1\r\n"
        ),
        (.adopt("n1"), "*2\r\n$5\r\nADOPT\r\n$2\r\nn1\r\n"),
        (.adopt(nil), "*2\r\n$5\r\nADOPT\r\n$0\r\n\r\n"),
        (.adopted("n1", true), "*3\r\n$7\r\nADOPTED\r\n$2\r\nn1\r\n$1\r\n1\r\n"),
        (.adopted(nil, false), "*3\r\n$7\r\nADOPTED\r\n$0\r\n\r\n$1\r\n0\r\n"),
        (.taken(0), "*2\r\n$5\r\nTAKEN\r\n$1\r\n0\r\n"),
        (.taken(12), "*2\r\n$5\r\nTAKEN\r\n$2\r\n12\r\n"),
        (.credit(1000), "*2\r\n$6\r\nCREDIT\r\n$4\r\n1000\r\n"),
        (.saved(7, through: 12), "*3\r\n$5\r\nSAVED\r\n$1\r\n7\r\n$2\r\n12\r\n"),
        (
            .refused(HandOver(4, id(1)), "too large"),
            "*4\r\n$7\r\nREFUSED\r\n$1\r\n4\r\n$32\r\n\(one)\r\n$9\r\ntoo large\r\n"
        ),
        (.storageError("full"), "*2\r\n$13\r\nSTORAGE_ERROR\r\n$4\r\nfull\r\n"),
        (.storageError(""), "*2\r\n$13\r\nSTORAGE_ERROR\r\n$0\r\n\r\n"),
        (
            .result(1, report),
            "*8\r\n$6\r\nRESULT\r\n$1\r\n1\r\n$32\r\n\(one)\r\n$6\r\nresize\r\n$7\r\nSUCCESS\r\n$8\r\ncomplete\r\n$1\r\n1\r\n$7\r\n{\"a\":1}\r\n"
        ),
        (
            .result(
                300, JobReport(id: id(2), name: "r", feedback: Feedback(.error, args: [:]), status: .failed, run: .max)),
            "*8\r\n$6\r\nRESULT\r\n$3\r\n300\r\n$32\r\n\(two)\r\n$1\r\nr\r\n$5\r\nERROR\r\n$6\r\nfailed\r\n$10\r\n2147483647\r\n$2\r\n{}\r\n"
        ),
        (
            .progress(Progress(id: id(1), run: 2, fraction: 0.5, text: "half")),
            "*5\r\n$8\r\nPROGRESS\r\n$32\r\n\(one)\r\n$1\r\n2\r\n$3\r\n0.5\r\n$4\r\nhalf\r\n"
        ),
        (
            .progress(Progress(id: id(1), run: 1, fraction: nil, text: "")),
            "*5\r\n$8\r\nPROGRESS\r\n$32\r\n\(one)\r\n$1\r\n1\r\n$0\r\n\r\n$0\r\n\r\n"
        ),
        (.show(id(2)), "*2\r\n$4\r\nSHOW\r\n$32\r\n\(two)\r\n"),
        (.shown(id(2), []), "*2\r\n$5\r\nSHOWN\r\n$32\r\n\(two)\r\n"),
        (
            .shown(id(1), ["name", "resize"]),
            "*4\r\n$5\r\nSHOWN\r\n$32\r\n\(one)\r\n$4\r\nname\r\n$6\r\nresize\r\n"
        ),
        (.cancel(id(2)), "*2\r\n$6\r\nCANCEL\r\n$32\r\n\(two)\r\n"),
        (
            .returned([HandOver(1, id(1)), HandOver(3, id(2))]),
            "*5\r\n$8\r\nRETURNED\r\n$1\r\n1\r\n$32\r\n\(one)\r\n$1\r\n3\r\n$32\r\n\(two)\r\n"
        ),
        (.jobs([]), "*1\r\n$4\r\nJOBS\r\n"),
        (.jobs(["resize", "größe"]), "*3\r\n$4\r\nJOBS\r\n$6\r\nresize\r\n$7\r\ngröße\r\n"),
        (.drain, "*1\r\n$5\r\nDRAIN\r\n"),
        (.ping, "*1\r\n$4\r\nPING\r\n"),
        (.takesLaterOptions, "*2\r\n$4\r\nPING\r\n$13\r\nLATER_OPTIONS\r\n"),
    ]

    private static func write(_ message: LinkMessage, to buffer: inout ByteBuffer) {
        switch message {
        case .job(let handOver, let request): LinkMessage.writeJob(handOver, request, to: &buffer)
        case .again(let handOver, let request): LinkMessage.writeJob(handOver, request, isAgain: true, to: &buffer)
        case .unacceptable: break
        case .begun(let handOver, let attempt, let most):
            LinkMessage.writeBegun(handOver, attempt: attempt, of: most, to: &buffer)
        case .paused(let handOver): LinkMessage.writePaused(handOver, to: &buffer)
        case .waits(let handOver, let attempt): LinkMessage.writeWaits(handOver, attempt: attempt, to: &buffer)
        case .replace(let handOver, let request): LinkMessage.writeReplace(handOver, request, to: &buffer)
        case .replaced(let handOver): LinkMessage.writeReplaced(handOver, to: &buffer)
        case .kept(let handOver): LinkMessage.writeKept(handOver, to: &buffer)
        case .permit(let id, let priority, let needs):
            LinkMessage.writePermit(id, priority: priority, needs, to: &buffer)
        case .permitted(let id): LinkMessage.writePermitted(id, to: &buffer)
        case .discarded(let id, let reason): LinkMessage.writeDiscarded(id, reason, to: &buffer)
        case .release(let id): LinkMessage.writeRelease(id, to: &buffer)
        case .holds(let id, let seconds, let needs):
            LinkMessage.writeHolds(id, secondsAgo: seconds, needs, to: &buffer)
        case .began(let id): LinkMessage.writeBegan(id, to: &buffer)
        case .hold(let isNode, let jobs): LinkMessage.writeHold(isNode: isNode, jobs: jobs, to: &buffer)
        case .defines(let definitions, _): LinkMessage.writeDefines(definitions, to: &buffer)
        case .adopt(let node): LinkMessage.writeAdopt(node, to: &buffer)
        case .adopted(let node, let isDone): LinkMessage.writeAdopted(node, isDone, to: &buffer)
        case .taken(let count): LinkMessage.writeTaken(count, to: &buffer)
        case .credit(let count): LinkMessage.writeCredit(count, to: &buffer)
        case .saved(let first, let last): LinkMessage.writeSaved(first, through: last, to: &buffer)
        case .refused(let handOver, let reason): LinkMessage.writeRefused(handOver, reason, to: &buffer)
        case .storageError(let reason): LinkMessage.writeStorageError(reason, to: &buffer)
        case .result(let number, let report): LinkMessage.writeResult(number, report, to: &buffer)
        case .progress(let progress): LinkMessage.writeProgress(progress, to: &buffer)
        case .cancel(let id): LinkMessage.writeCancel(id, to: &buffer)
        case .show(let id): LinkMessage.writeShow(id, to: &buffer)
        case .shown(let id, let fields): LinkMessage.writeShown(id, fields, to: &buffer)
        case .returned(let handOvers): LinkMessage.writeReturned(handOvers, to: &buffer)
        case .jobs(let names): LinkMessage.writeJobs(names, to: &buffer)
        case .drain: LinkMessage.writeDrain(to: &buffer)
        case .ping: LinkMessage.writePing(to: &buffer)
        case .takesLaterOptions: LinkMessage.writeTakesLaterOptions(to: &buffer)
        }
    }

    private static func messages(in stream: String) throws -> [LinkMessage] {
        var messages: [LinkMessage] = []
        var refusal: CommandError?
        try feed(RESPStream(side: .server, limits: RESPLimits()), bytes(stream)) { frame in
            do throws(CommandError) { messages.append(try LinkMessage(frame)) } catch { refusal = error }
            return refusal == nil
        }
        if let refusal { throw refusal }
        return messages
    }

    @Test("every message has its bytes, and is read back from them", arguments: golden)
    func goldenBytes(message: LinkMessage, stream: String) throws {
        #expect(written { Self.write(message, to: &$0) } == stream)
        #expect(try Self.messages(in: stream) == [message])
    }

    @Test("verbs are read in any letter case")
    func letterCase() throws {
        #expect(
            try Self.messages(in: "*2\r\n$6\r\ncredit\r\n$1\r\n5\r\n*1\r\n$5\r\nDrain\r\n") == [.credit(5), .drain])
    }

    @Test("a job's id goes before its options, never among them")
    func idOnce() throws {
        let request = JobRequest(name: "j", args: [:], options: JobOptions(id: id(9)))
        let stream = written { LinkMessage.writeJob(HandOver(1, id(9)), request, to: &$0) }
        #expect(stream == "*5\r\n$3\r\nJOB\r\n$1\r\n1\r\n$32\r\n\(id(9))\r\n$1\r\nj\r\n$2\r\n{}\r\n")
        #expect(try Self.messages(in: stream) == [.job(HandOver(1, id(9)), JobRequest(name: "j", args: [:]))])
    }

    @Test("newer args of a job leave its tick alone")
    func replaceWithoutTick() throws {
        var request = Self.turned
        request.isPermitted = false
        let stream = written { LinkMessage.writeReplace(HandOver(3, id(1)), request, to: &$0) }
        request.options.tick = nil
        #expect(try Self.messages(in: stream) == [.replace(HandOver(3, id(1)), request)])
    }

    @Test("jobs with random options are read back the same")
    func jobs() throws {
        var random = SeededGenerator(seed: 41)
        let requests = (0..<1_000).map { _ in
            var request = JobRequestTests.random(using: &random)
            request.options.id = nil
            return request
        }
        let stream = written { buffer in
            for (number, request) in requests.enumerated() {
                LinkMessage.writeJob(HandOver(number, id(number)), request, to: &buffer)
            }
        }
        #expect(try Self.messages(in: stream) == requests.enumerated().map { .job(HandOver($0, id($0)), $1) })
    }

    @Test("reports of every kind and status are read back the same")
    func reports() throws {
        for kind in [Feedback.Kind.success, .error] {
            for status in JobStatus.allCases {
                for run in [1, 2, Int32.max] {
                    let report = JobReport(
                        id: id(3), name: "n", feedback: Feedback(kind, args: ["x": "y"]), status: status, run: run)
                    let stream = written { LinkMessage.writeResult(9, report, to: &$0) }
                    #expect(try Self.messages(in: stream) == [.result(9, report)])
                }
            }
        }
    }

    @Test("more hand-overs than one frame may hold go out in several", arguments: [0, 1, 10_000, 10_001, 25_000])
    func manyReturned(count: Int) throws {
        let handOvers = (0..<count).map { HandOver($0 + 1, id($0)) }
        let messages = try Self.messages(in: written { LinkMessage.writeReturned(handOvers, to: &$0) })
        #expect(messages.count == (count + 9_999) / 10_000)
        #expect(
            messages.flatMap { message -> [HandOver] in
                if case .returned(let handOvers) = message { return handOvers }
                return []
            } == handOvers)
    }

    @Test(
        "what is no message is refused with what is wrong",
        arguments: [
            ("HELLO", "ERR unknown link message 'HELLO' with 0 arguments"),
            ("ENQUEUE j", "ERR unknown link message 'ENQUEUE' with 1 arguments"),
            ("JOB", "ERR unknown link message 'JOB' with 0 arguments"),
            ("JOB 1 \(one) j", "ERR unknown link message 'JOB' with 3 arguments"),
            ("JOB x \(one) j {}", "ERR 'x' is not a count"),
            ("JOB -1 \(one) j {}", "ERR '-1' is not a count"),
            ("JOB 1 1 j {}", "ERR '1' is not a job id"),
            ("JOB 1 \(one)0 j {}", "ERR '\(one)0' is not a job id"),
            ("TAKEN", "ERR unknown link message 'TAKEN' with 0 arguments"),
            ("TAKEN 1 2", "ERR unknown link message 'TAKEN' with 2 arguments"),
            ("TAKEN x", "ERR 'x' is not a count"),
            ("TAKEN -1", "ERR '-1' is not a count"),
            ("CREDIT 9007199254740993", "ERR '9007199254740993' is not a count"),
            ("CREDIT 99999999999999999999", "ERR '99999999999999999999' is not a count"),
            ("SAVED 1", "ERR unknown link message 'SAVED' with 1 arguments"),
            ("SAVED 1 1.5", "ERR '1.5' is not a count"),
            ("RETURNED 5", "ERR unknown link message 'RETURNED' with 1 arguments"),
            ("RETURNED 5 5", "ERR '5' is not a job id"),
            ("RETURNED x \(one)", "ERR 'x' is not a count"),
            ("REFUSED 1 \(one)", "ERR unknown link message 'REFUSED' with 2 arguments"),
            ("REFUSED 1 x why", "ERR 'x' is not a job id"),
            ("BEGUN 1 \(one) 1", "ERR unknown link message 'BEGUN' with 3 arguments"),
            ("BEGUN 1 \(one) 1 x", "ERR 'x' is not a number of attempts"),
            ("BEGUN x \(one) 1 1", "ERR 'x' is not a count"),
            ("PAUSED 1 x", "ERR 'x' is not a job id"),
            ("WAITS 1 \(one) -1", "ERR '-1' is not a number of attempts"),
            ("WAITS 1 \(one) 2147483648", "ERR '2147483648' is not a number of attempts"),
            ("STORAGE_ERROR", "ERR unknown link message 'STORAGE_ERROR' with 0 arguments"),
            ("RESULT 1 \(one) n SUCCESS complete 1", "ERR unknown link message 'RESULT' with 6 arguments"),
            ("RESULT x \(one) n SUCCESS complete 1 {}", "ERR 'x' is not a count"),
            ("RESULT 1 1 n SUCCESS complete 1 {}", "ERR '1' is not a job id"),
            ("RESULT 1 \(one) n success complete 1 {}", "ERR a RESULT has an invalid kind, status or run"),
            ("RESULT 1 \(one) n SUCCESS done 1 {}", "ERR a RESULT has an invalid kind, status or run"),
            ("RESULT 1 \(one) n SUCCESS complete x {}", "ERR a RESULT has an invalid kind, status or run"),
            ("RESULT 1 \(one) n SUCCESS complete 2147483648 {}", "ERR a RESULT has an invalid kind, status or run"),
        ])
    func bad(line: String, error: String) {
        #expect(throws: CommandError(error)) { try Self.messages(in: line + "\r\n") }
    }

    @Test(
        "a job that breaks a rule is told from what is no message",
        arguments: [
            ("JOB 1 \(one) j {} AFTER", "j", "AFTER needs a value"),
            ("JOB 1 \(one) j {} AFTER x", "j", "AFTER takes seconds, not 'x'"),
            ("JOB 1 \(one) j {} AFTER -1", "j", "after takes seconds from 0 to 3155760000, not -1.0"),
            ("AGAIN 1 \(one) j {} PERIOD 0", "j", "period takes seconds above 0 up to 3155760000, not 0.0"),
            ("JOB 1 \(one) j {} SUSPECT", "j", "SUSPECT needs a value"),
            ("JOB 1 \(one) j {} SUSPECT x", "j", "'x' is not a number of attempts"),
            ("JOB 1 \(one) j text more", "j", JobRequestTests.unknownOption("text")),
            (
                "JOB 1 \(one) \(String(repeating: "n", count: 256)) {}", String(repeating: "n", count: 64),
                "the job's name must not be longer than 255 bytes"
            ),
        ])
    func unacceptable(line: String, name: String, reason: String) throws {
        #expect(try Self.messages(in: line + "\r\n") == [.unacceptable(HandOver(1, id(1)), name: name, reason: reason)])
    }

    @Test(
        "an outcome that is no JSON object is a failure, of which all else that is said counts",
        arguments: ["", "nonsense", "[1]", "{\"a\":", "null", "{} x"])
    func outcomeOfNoUse(args: String) throws {
        for (status, expected) in [("complete", JobStatus.failed), ("cancelled", .cancelled), ("queued", .queued)] {
            let message = try withCommand(["RESULT", "7", Self.one, "j", "SUCCESS", status, "2", args]) {
                try LinkMessage($0)
            }
            guard case .result(7, let report) = message else {
                Issue.record("read as \(message)")
                continue
            }
            #expect(report.id == id(1) && report.name == "j" && report.run == 2 && report.status == expected)
            #expect(report.feedback.kind == .error)
            let error = report.feedback.args["error"]?.string
            #expect(error?.hasPrefix("the reported args of the job are not a JSON object: ") == true)
        }
    }

    @Test("a status or a number is no message", arguments: ["+OK\r\n", ":1\r\n", "*1\r\n:1\r\n", "*0\r\n"])
    func notWords(stream: String) {
        #expect(throws: CommandError("ERR a link message is an array of strings")) {
            try withFrame(stream) { try LinkMessage($0) }
        }
    }

    @Test(
        "a credit has a bound", arguments: [("4294967296", true), ("4294967297", false), ("9007199254740992", false)])
    func credit(count: String, isTaken: Bool) throws {
        let message = try? withFrame("*2\r\n$6\r\nCREDIT\r\n$\(count.utf8.count)\r\n\(count)\r\n") {
            try LinkMessage($0)
        }
        #expect((message != nil) == isTaken)
    }

    @Test("an error is the last word of the other side, and the reason of the end")
    func lastWord() {
        #expect(throws: CommandError("ERR more jobs than were asked for")) {
            try withFrame("-ERR more jobs than were asked for\r\n") { try LinkMessage($0) }
        }
    }
}
