import Foundation
import JobReactorCore
import NIOCore
import Testing

@testable import JobReactor
@testable import JobReactorUsers
@testable import JobReactorWire

/// The tables of the page "Limits", and what the code has.
@Suite("The page of limits") struct LimitsTableTests {
    private static let limits = RESPLimits()
    private static let strangers = RESPLimits().beforeAuthentication

    private static func number(_ number: Int) -> String {
        var digits = String(number)
        var parts: [Substring] = []
        while digits.count > 3 {
            parts.insert(digits.suffix(3), at: 0)
            digits = String(digits.dropLast(3))
        }
        return ([digits[...]] + parts).joined(separator: ",")
    }

    private static func size(_ bytes: Int) -> String {
        if bytes % (1 << 20) == 0 { return "\(number(bytes >> 20)) MiB" }
        return bytes % (1 << 10) == 0 ? "\(number(bytes >> 10)) KiB" : "\(number(bytes)) bytes"
    }

    private static func seconds(_ seconds: Int) -> String { "\(number(seconds)) s" }

    private static func seconds(_ time: TimeAmount) -> String {
        time.nanoseconds % 1_000_000_000 == 0
            ? seconds(Int(time.nanoseconds / 1_000_000_000)) : "\(Double(time.nanoseconds) / 1_000_000_000) s"
    }

    /// The first column, and what the second says of constants of the code.
    private static let told: [String: [String]] = [
        "a command": [size(limits.frameBytes), "\(number(limits.elements)) elements"],
        "a message between a node, a distributor and a `JobClient`": [size(JobLimits.messageBytes)],
        "an inline command": [size(RESPStream.lineBytes)],
        "a command before the password is given": [size(strangers.frameBytes), "\(strangers.elements) elements"],
        "connections of a port": [number(DistributorConfiguration(host: "localhost", port: 0).maximumConnections)],
        "time to give the password, and to answer a handshake": [seconds(limits.authenticationTime)],
        "time to agree on TLS": [seconds(HandshakeDeadline.time)],
        "the answer to a wrong password": [
            "after \(seconds(WrongPasswords.shortest))", "at most \(seconds(WrongPasswords.longest))",
            "more than \(WrongPasswords.mostWaiting) that wait", "\(number(WrongPasswords.mostKnown)) addresses",
            "for \(seconds(WrongPasswords.memory))",
        ],
        "passwords of users that are being checked for the first time": ["\(PasswordChecks<Int>.most) of all"],
        "time for a message that has begun": [seconds(limits.messageTime)],
        "names of jobs, and of nodes, with metrics of their own": ["\(MetricsByName<Int>.most) each"],
        "commands of a connection that have no answer yet": [
            number(CommandSession.maximumOwed), "\(size(CommandSession.maximumOwedBytes)) of them",
            "\(size(CommandSession.maximumWaitingBytes)) of replies",
        ],
        "time for the answers after a client has ended its input": [
            seconds(limits.messageTime), "no answer within \(limits.messageTime) s after the end of the input",
        ],
        "replies that a client does not read": [
            size(limits.unreadBytes), seconds(limits.messageTime),
        ],
        "unfinished messages, commands that wait and unread replies of all connections of a port": [
            size(limits.heldBytes)
        ],
        "a client that was answered `-BUSY`": [seconds(CommandSession.restTime)],
        "rows of an answer to `AUDIT` and `RECORDS`": ["1 to \(number(ClientCommand.mostRows))"],
        "commands that look through all jobs of a node or distributor at once": [
            number(ScanLimit.most), "too many commands look through all jobs at the moment: try again",
        ],
        "the text that `ERROR` looks for": ["1 to \(number(JobFilter.errorBytes)) bytes"],
        "the name of a user, and a users file": ["\(User.nameBytes) bytes", size(UserTable.fileBytes)],
        "jobs that a user with the role `producer` may look at and cancel as its own": [number(OwnJobs.most)],
        "entries of the audit log": [
            number(AuditEntry.most), "\(AuditShare.daily) a day", "\(number(AuditLog.mostWaiting)) that wait",
        ],
        "jobs of unknown place that are asked for at nodes at once (`JOB`, `CANCEL`)": [
            number(DistributorCore.searchLimit), "\(DistributorCore.searchTime) s to answer",
        ],
        "cancellations that wait for nodes that are away": [number(DistributorLedger.cancellingLimit)],
        "jobs that an application sends before the first are acknowledged": [number(ProducerLink.window)],
        "names of waiting jobs in `INFO`": ["the \(DistributorCore.mostNamesWaiting) with most jobs"],
        "names of jobs of a node in `NODES`": [number(DistributorCore.mostNamesOfNode)],
        "silence of the peer of a link": [seconds(limits.silenceTime)],
        "args, as they are given and as a run leaves them": [size(JobLimits.argsBytes)],
        "`args.error` and `args.errback_error`": [size(JobLimits.errorBytes)],
        "the text of an error, and its traceback, in the record and the log": [size(JobLimits.errorTextBytes)],
        "a text of `progress`": [size(JobLimits.progressBytes)],
        "the span that a job comes from (`TRACE`)": ["\(size(JobLimits.traceBytes)) of JSON"],
        "names of jobs and nodes": ["1 to \(JobLimits.nameBytes) bytes"],
        "`after`, `retry_multiplier`, a timeout": [number(Int(JobLimits.seconds))],
        "`max_attempt`": [number(JobLimits.attempts)],
        "`priority`": ["\(JobPriority.range.lowerBound) (last) to \(JobPriority.range.upperBound) (first)"],
        "a unique key, and `unique_for`": ["1 to \(UniqueKey.bytes) bytes"],
        "`concurrency` and `rate` of a limit": ["1 to \(number(Limit.most))"],
        "the spec of a schedule": ["\(ScheduleSpec.bytes) bytes"],
        "ticks of a schedule that are caught up with": ["the newest \(number(Schedule.mostCaughtUp))"],
        "jobs kept as failed at a distributor, as nodes ended with them": [
            number(KeptFailures.most), size(KeptFailures.mostBytes),
        ],
    ]

    /// What is no constant, or one of a node or of its libraries.
    private static let others: Set<String> = [
        "commands behind an `AUTH` that has no answer yet", "jobs and outcomes that wait at a distributor",
        "jobs that wait at a node for their time",
        "jobs and outcomes that wait in an application that uses `JobClient`",
        // Of the program: `HTTPPortTests`.
        "connections of an HTTP port", "a request at an HTTP port", "passwords that wait to be checked at an HTTP port",
        // Of the dashboard: `DashboardPortTests`.
        "the answer at an HTTP port", "pages of the dashboard that are made at once",
        "logins at the dashboard that are under way", "browsers that are told of changes", "a login at the dashboard",
        "rows of a page of jobs, and of the other tables", "args on the page of a job",
        "`period`", "`run_at`", "jobs of a node that are suspended at once", "`shared`",
        "all Lua states of a node, `shared`, and the args of suspended jobs",
        "a script while it is loaded, and all finalizers (`__gc`) when its state is closed",
        "a run without suspension, except with `defer`", "an answer to `http`", "a request of `http`",
        "requests of `http` to one server at once", "the output of `exec`", "programs of `exec` at once",
        "a command of `redis`",
        "jobs that a distributor may have at a node, due and unfinished",
        "outcomes kept for a distributor or producer that is away",
    ]

    private static func rows() throws -> [String: String] {
        let rows = try DocumentationPage.named("Limits").rows
        for row in rows { try #require(row.count == 2) }
        #expect(Set(rows.map { $0[0] }).count == rows.count, "two rows have one name")
        return Dictionary(rows.map { ($0[0], $0[1]) }) { first, _ in first }
    }

    @Test("says what the code has")
    func says() throws {
        let rows = try Self.rows()
        for (what, says) in Self.told {
            let limit = try #require(rows[what], "the page has no '\(what)'")
            for text in says { #expect(limit.contains(text), "'\(what)' does not say '\(text)'") }
        }
    }

    @Test("has no row that is not looked at here")
    func isComplete() throws {
        #expect(Set(try Self.rows().keys) == Set(Self.told.keys).union(Self.others))
    }
}
