import JobReactorCore
import JobReactorTesting
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import JobReactorWire

/// Users that a test changes, whose passwords are checked when the test says so.
private final class FakeDirectory: UserDirectory {
    private struct Check {
        var name: String
        var password: [UInt8]
        var done: @Sendable (User?) -> Void
    }

    private let state = Locked((users: [String: (user: User, password: String)](), checks: [Check](), number: 1))

    func set(_ name: String, _ roles: Set<Role>?, password: String = "secret") {
        state.withLock { state in
            let user = roles.map { User(name: name, roles: $0, secret: password) }
            state.users[name] = user.map { ($0, password) }
            state.number += 1
        }
    }

    func check(_ name: String, _ password: [UInt8], done: @escaping @Sendable (User?) -> Void) {
        state.withLock { $0.checks.append(Check(name: name, password: password, done: done)) }
    }

    /// Whose passwords need no check any more.
    let checked = Locked<Set<String>>([])

    func known(_ name: String, _ password: [UInt8]) -> User? {
        guard checked.withLock({ $0.contains(name) }) else { return nil }
        return state.withLock { $0.users[name].flatMap { Array($0.password.utf8) == password ? $0.user : nil } }
    }

    func look(since number: Int, done: @escaping @Sendable ([String: User], Int) -> Void) {
        let (users, number) = state.withLock { ($0.users.mapValues(\.user), $0.number) }
        done(users, number)
    }

    var waiting: Int { state.withLock { $0.checks.count } }

    /// The oldest check comes to its end.
    func answer() throws {
        let (check, user) = state.withLock { state in
            let check = state.checks.isEmpty ? nil : state.checks.removeFirst()
            let known = check.flatMap { state.users[$0.name] }
            let isRight = check.map { $0.password == Array((known?.password ?? "").utf8) } == true
            return (check, isRight ? known?.user : nil)
        }
        try #require(check).done(user)
    }
}

@Suite("Users of a port") struct UsersOfPortTests {
    private let directory = FakeDirectory()
    private let service = FakeService()
    private let loop = EmbeddedEventLoop()
    private let portGuard: PortGuard

    init() {
        portGuard = PortGuard(
            limits: RESPLimits(), maximumConnections: 100, password: Password("sesame"), users: directory,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, on: loop)
    }

    private func peer() throws -> EmbeddedPeer {
        try EmbeddedPeer(on: loop) { _ in
            let connection = CommandSession.accept(by: portGuard, service: service)
            #expect(portGuard.admit(connection))
            return connection
        }
    }

    private func client(_ name: String, _ roles: Set<Role>) throws -> EmbeddedPeer {
        directory.set(name, roles)
        let client = try peer()
        #expect(try client.send("AUTH \(name) secret\r\n") == "")
        try directory.answer()
        #expect(try client.received() == "+OK\r\n")
        return client
    }

    private static let job = "00000000000000000000000000000001"

    @Test("what comes behind a password waits until that is checked, and is answered in its order")
    func behind() throws {
        directory.set("ann", [.producer])
        let client = try peer()
        #expect(try client.send("PING\r\nAUTH ann secret\r\nENQUEUE j\r\nPING\r\nINFO\r\n") == "+PONG\r\n")
        #expect(!client.isReading())
        #expect(service.commands == [])
        try directory.answer()
        #expect(try client.received() == "+OK\r\n+OK\r\n+PONG\r\n-NOPERM this needs the role viewer\r\n")
        #expect(client.isReading())
        #expect(service.commands == [.enqueue(JobRequest(name: "j", args: [:]))])
    }

    @Test("behind a wrong password nothing is done")
    func behindWrong() throws {
        directory.set("ann", [.admin])
        let client = try peer()
        #expect(try client.send("AUTH ann guess\r\nENQUEUE j\r\nGET x\r\nPING\r\n") == "")
        try directory.answer()
        let refusal = "-NOAUTH Authentication required.\r\n"
        #expect(
            try client.advance(1)
                == "-WRONGPASS invalid username-password pair or user is disabled.\r\n\(refusal)\(refusal)+PONG\r\n")
        #expect(service.commands == [])
    }

    @Test("HELLO logs a user in, and WHOAMI says who it is")
    func hello() throws {
        directory.set("ann", [.viewer, .operator])
        let client = try peer()
        #expect(try client.send("HELLO 2 AUTH ann secret\r\nWHOAMI\r\n") == "")
        try directory.answer()
        #expect(
            try client.received().hasSuffix(
                "*0\r\n*4\r\n$4\r\nuser\r\n$3\r\nann\r\n$5\r\nroles\r\n$15\r\nviewer,operator\r\n"))
        let standard = try peer()
        #expect(try standard.send("AUTH sesame\r\nWHOAMI\r\n").contains("$7\r\ndefault\r\n"))
        #expect(try peer().send("AUTH default sesame\r\n") == "+OK\r\n")
    }

    @Test("a session may log in again as another user")
    func another() throws {
        let client = try client("ann", [.viewer])
        #expect(try client.send("ENQUEUE j\r\n") == "-NOPERM this needs the role producer\r\n")
        directory.set("bob", [.producer])
        #expect(try client.send("AUTH bob secret\r\nENQUEUE j\r\nINFO\r\n") == "")
        try directory.answer()
        #expect(try client.received() == "+OK\r\n+OK\r\n-NOPERM this needs the role viewer\r\n")
    }

    @Test(
        "a command beyond the user's roles is refused, and does nothing",
        arguments: [
            ("ENQUEUE j", [.producer]), ("PERFORM j", [.producer]), ("INFO", [.viewer]), ("NODES", [.viewer]),
            ("JOBS", [.viewer]), ("RECORDS", [.viewer]), ("RECORD \(job)", [.viewer]),
            ("RETRY ALL DRY", [.operator]), ("CANCEL NAME x", [.operator]), ("DESTROY STATUS failed", [.operator]),
            ("JOB \(job)", [.viewer, .producer]), ("CANCEL \(job)", [.operator, .producer]),
            ("AUDIT", [.operator]), ("RETRY \(job)", [.operator]), ("DESTROY \(job)", [.operator]),
            ("RELOAD", [.author]), ("PAUSE JOB j", [.operator]), ("RESUME NODE n", [.operator]), ("PAUSES", [.viewer]),
            ("SCHEDULE DEL s", [.operator]), ("SCHEDULE SET s @daily j", [.operator]), ("SCHEDULE GET s", [.viewer]),
            ("SCHEDULES", [.viewer]), ("LIMITS", [.viewer]),
            ("NODE 3 n i DURABLE '' '' ''", [.node]), ("PRODUCER 3 p", [.producer]),
        ] as [(String, Set<Role>)])
    func roles(line: String, allowed: Set<Role>) throws {
        for role in Role.allCases {
            let client = try client("ann", [role])
            let before = service.commands.count
            let isAllowed = allowed.contains(role) || role == .admin
            let answer = try client.send(line + "\r\n")
            #expect(answer.hasPrefix("-NOPERM this needs the role ") == !isAllowed, "\(role): \(answer)")
            #expect(service.commands.count == before + (isAllowed ? 1 : 0))
        }
    }

    @Test("however much stands behind a password, it waits unread, counts as held, and is answered then")
    func muchBehind() throws {
        directory.set("ann", [.viewer])
        let client = try peer()
        #expect(try client.send("AUTH ann secret\r\n" + String(repeating: "PING\r\n", count: 20_000)) == "")
        #expect(portGuard.heldBytes == 120_000)
        #expect(try client.send("NODES\r\n") == "")
        #expect(portGuard.heldBytes == 120_007)
        try directory.answer()
        #expect(try client.received() == "+OK\r\n" + String(repeating: "+PONG\r\n", count: 20_000) + "+OK\r\n")
        #expect(portGuard.heldBytes == 0 && service.commands == [.nodes])
    }

    @Test("a client that ends its input behind a password is answered when that is checked, in order, and left then")
    func ended() throws {
        directory.set("ann", [.producer])
        let client = try peer()
        #expect(try client.send("AUTH ann secret\r\nENQUEUE j\r\nPING\r\n") == "")
        #expect(try client.endInput() == "")
        #expect(client.channel.isActive)
        try directory.answer()
        #expect(try client.received() == "+OK\r\n+OK\r\n+PONG\r\n")
        #expect(!client.channel.isActive && portGuard.connectionCount == 0)
        #expect(service.commands == [.enqueue(JobRequest(name: "j", args: [:]))])
    }

    @Test("and one whose password is wrong hears so", arguments: ["ENQUEUE j\r\n", ""])
    func endedWrong(behind: String) throws {
        directory.set("ann", [.producer])
        let client = try peer()
        #expect(try client.send("AUTH ann guess\r\n\(behind)") == "")
        #expect(try client.endInput() == "")
        try directory.answer()
        let refusal = behind.isEmpty ? "" : "-NOAUTH Authentication required.\r\n"
        #expect(
            try client.advance(1)
                == "-WRONGPASS invalid username-password pair or user is disabled.\r\n\(refusal)")
        #expect(!client.channel.isActive && portGuard.connectionCount == 0)
        #expect(service.commands == [])
    }

    @Test("a password whose connection has gone is not checked, and nothing is kept of it")
    func goneBeforeTheCheck() throws {
        directory.set("ann", [.viewer])
        let first = try peer()
        try first.send("AUTH ann guess\r\n")
        for _ in 0..<1000 {
            let guesser = try peer()
            try guesser.send("AUTH ann guess\r\n")
            #expect(portGuard.waitingChecks == 1)
            guesser.channel.close(promise: nil)
            #expect(try guesser.received() == "")
        }
        #expect(portGuard.waitingChecks == 0 && directory.waiting == 1)
        try directory.answer()
        #expect(try first.advance(1).hasPrefix("-WRONGPASS"))
        #expect(directory.waiting == 0 && portGuard.wrongPasswordCount == 1)
    }

    @Test("those that end their input and wait for their answer have the places of strangers, and 10 s")
    func endedBeforeTheCheck() throws {
        directory.set("ann", [.viewer])
        for _ in 0..<1000 {
            let guesser = try peer()
            try guesser.send("AUTH ann guess\r\n")
            #expect(try guesser.endInput() == "")
            // A tenth of 100 places, and one of them is under way.
            #expect(portGuard.strangerCount <= 10 && portGuard.waitingChecks <= 10)
        }
        #expect(portGuard.connectionCount == 10 && directory.waiting == 1)
        loop.advanceTime(by: .seconds(10))
        #expect(portGuard.connectionCount == 0 && portGuard.waitingChecks == 0)
    }

    @Test("of one address one password is checked at a time")
    func turns() throws {
        directory.set("ann", [.viewer])
        let clients = try (0..<5).map { _ in try peer() }
        for client in clients { try client.send("AUTH ann secret\r\n") }
        for client in clients {
            #expect(directory.waiting == 1)
            try directory.answer()
            #expect(try client.received() == "+OK\r\n")
        }
        #expect(directory.waiting == 0)
    }

    @Test("of guesses on one connection the next is checked when the one before has its answer")
    func guesses() throws {
        directory.set("ann", [.viewer])
        let client = try peer()
        try client.send(String(repeating: "AUTH ann guess\r\n", count: 3) + "AUTH ann secret\r\n")
        for _ in 0..<3 {
            #expect(directory.waiting == 1)
            try directory.answer()
            #expect(try client.received() == "")
            #expect(directory.waiting == 0 && !client.isReading())
            #expect(try client.advance(1).hasPrefix("-WRONGPASS"))
        }
        try directory.answer()
        #expect(try client.received() == "+OK\r\n")
        #expect(client.isReading())
    }

    @Test("behind a wrong password the next of its address waits nine times as long as the check, at most a second")
    func rest() throws {
        directory.set("ann", [.viewer])
        for (milliseconds, rest) in [(100, 900), (1000, 1000)] as [(Int64, Int64)] {
            let (guesser, friend) = try (peer(), peer())
            try guesser.send("AUTH ann guess\r\n")
            try friend.send("AUTH ann secret\r\n")
            loop.advanceTime(by: .milliseconds(milliseconds))
            try directory.answer()
            loop.advanceTime(by: .milliseconds(rest - 1))
            #expect(directory.waiting == 0)
            loop.advanceTime(by: .milliseconds(1))
            #expect(directory.waiting == 1)
            try directory.answer()
            #expect(try friend.received() == "+OK\r\n")
        }
    }

    @Test("whose password is known does not wait for those who guess at the same address")
    func known() throws {
        directory.set("ann", [.viewer])
        directory.checked.withLock { _ = $0.insert("ann") }
        let guessers = try (0..<8).map { _ in try peer() }
        for guesser in guessers { try guesser.send("AUTH ann guess\r\n") }
        #expect(directory.waiting == 1)
        let client = try peer()
        #expect(
            try client.send("AUTH ann secret\r\nENQUEUE j\r\nPING\r\n")
                == "+OK\r\n-NOPERM this needs the role producer\r\n+PONG\r\n")
        directory.set("ann", nil)
        #expect(try client.advance(1).contains("-NOPERM the user ann has changed"))
    }

    @Test("who is removed, or may do other things than before, has to log in again; others stay")
    func changed() throws {
        let ann = try client("ann", [.viewer])
        let bob = try client("bob", [.viewer])
        let standard = try peer()
        try standard.send("AUTH sesame\r\n")
        let stranger = try peer()
        try ann.advance(2)
        #expect(ann.channel.isActive && bob.channel.isActive)
        directory.set("ann", [.producer])
        #expect(try ann.advance(1) == "-NOPERM the user ann has changed: log in again\r\n")
        #expect(!ann.channel.isActive)
        #expect(bob.channel.isActive && standard.channel.isActive && stranger.channel.isActive)
        directory.set("bob", nil)
        #expect(try bob.advance(1) == "-NOPERM the user bob has changed: log in again\r\n")
        #expect(try standard.send("PING\r\n") == "+PONG\r\n")
    }

    @Test("a user that changed while its password was checked does not stay")
    func changedMeanwhile() throws {
        directory.set("ann", [.viewer])
        let client = try peer()
        try client.send("AUTH ann secret\r\n")
        try client.advance(1)
        try directory.answer()
        #expect(try client.received() == "+OK\r\n")
        directory.set("ann", nil)
        #expect(try client.advance(1).hasPrefix("-NOPERM the user ann has changed"))
    }

    @Test("a connection that is gone before its password is checked is no trouble")
    func gone() throws {
        directory.set("ann", [.viewer])
        let client = try peer()
        try client.send("AUTH ann secret\r\nINFO\r\n")
        client.channel.close(promise: nil)
        #expect(try client.received() == "")
        try directory.answer()
        #expect(try client.received() == "")
        #expect(portGuard.connectionCount == 0 && portGuard.strangerCount == 0)
        #expect(service.commands == [])
    }
}
