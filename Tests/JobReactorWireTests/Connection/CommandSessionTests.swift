import JobReactorTesting
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import JobReactorWire

@Suite struct CommandSessionTests {
    private let service = FakeService()

    private func client(password: String? = nil, limits: RESPLimits = RESPLimits()) throws -> EmbeddedPeer {
        try EmbeddedPeer { loop in
            let portGuard = PortGuard(
                limits: limits, maximumConnections: 10, password: password.flatMap { Password($0) },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, on: loop)
            let connection = CommandSession.accept(by: portGuard, service: service)
            #expect(portGuard.admit(connection))
            return connection
        }
    }

    /// Pays what is owed for the job of this name.
    private func pay(_ name: String, _ text: String, on client: EmbeddedPeer) throws {
        let ticket = try #require(service.owed[name])
        let session = try #require(client.connection.session as? CommandSession)
        session.pay(ticket) { $0.writeRESPBulk(text) }
    }

    // MARK: What the session answers itself

    @Test("what Redis' clients ask by themselves is answered without the service")
    func ownCommands() throws {
        let client = try client()
        #expect(try client.send("PING\r\n") == "+PONG\r\n")
        #expect(try client.send("PING 'hello you'\r\n") == "$9\r\nhello you\r\n")
        #expect(try client.send("*1\r\n$4\r\nping\r\n") == "+PONG\r\n")
        #expect(try client.send("CLIENT SETINFO LIB-NAME redis-py\r\n") == "+OK\r\n")
        #expect(try client.send("CLIENT SETNAME app\r\n") == "+OK\r\n")
        #expect(try client.send("COMMAND DOCS\r\n") == "*0\r\n")
        #expect(try client.send("COMMAND COUNT\r\n") == ":0\r\n")
        #expect(
            try client.send("HELLO 2\r\n")
                == "*12\r\n$6\r\nserver\r\n$10\r\njobreactor\r\n$7\r\nversion\r\n"
                + written { $0.writeRESPBulk(JobReactorVersion.current) }
                + "$5\r\nproto\r\n:2\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
                + "$7\r\nmodules\r\n*0\r\n")
        #expect(try client.send("HELLO\r\n").hasPrefix("*12\r\n$6\r\nserver\r\n"))
        #expect(try client.send("HELLO 3\r\n") == "-NOPROTO unsupported protocol version\r\n")
        #expect(service.commands == [])
    }

    @Test("other commands are the service's")
    func serviceCommands() throws {
        let client = try client()
        #expect(try client.send("NODES\r\nINFO jobs\r\nPING\r\n") == "+OK\r\n+OK\r\n+PONG\r\n")
        #expect(service.commands == [.nodes, .info(section: "jobs")])
        #expect(try client.send("JO") == "")
        #expect(try client.send("BS\r\n") == "+OK\r\n")
    }

    @Test("a command that is wrong is answered, and the next is read")
    func errors() throws {
        let client = try client()
        #expect(
            try client.send("GET key\r\nPING\r\n")
                == "-ERR unknown command 'GET', with args beginning with: 'key' \r\n+PONG\r\n")
        #expect(
            try client.send("*0\r\nPING\r\n")
                == "-ERR Protocol error: a command is an array of bulk strings\r\n+PONG\r\n")
        #expect(client.channel.isActive)
    }

    // MARK: Authentication

    @Test("without the password only PING, AUTH, HELLO and QUIT are answered")
    func authentication() throws {
        let client = try client(password: "secret")
        let refusal = "-NOAUTH Authentication required.\r\n"
        #expect(try client.send("PING\r\n") == "+PONG\r\n")
        for command in [
            "NODES", "INFO", "JOBS", "ENQUEUE j", "PERFORM j {}", "JOB 00000000000000000000000000000001", "COMMAND",
            "CLIENT SETNAME x", "PRODUCER 3 p", "NODE 3 n i DURABLE '' '' ''", "LINK 3 d t", "WHOAMI", "SERVE",
            // Nor is it said what is wrong with them.
            "GET x", "ENQUEUE", "ENQUEUE j []", "JOB x", "HELLO 2", "HELLO", "PRODUCER", "PING a b",
        ] {
            #expect(try client.send(command + "\r\n") == refusal, "\(command)")
        }
        #expect(try client.send("*0\r\n") == refusal)
        #expect(try client.send("HELLO 3\r\n") == "-NOPROTO unsupported protocol version\r\n")
        let wrong = "-WRONGPASS invalid username-password pair or user is disabled.\r\n"
        for guess in ["AUTH guess", "AUTH ''", "AUTH default secrets", "HELLO 2 AUTH default guess"] {
            // A wrong one is answered later.
            #expect(try client.send(guess + "\r\n") == "")
            #expect(!client.isReading())
            #expect(try client.advance(1) == wrong, "\(guess)")
            #expect(client.isReading())
        }
        #expect(try client.send("NODES\r\n") == refusal)
        #expect(service.commands == [])
        #expect(try client.send("AUTH secret\r\nNODES\r\n") == "+OK\r\n+OK\r\n")
        #expect(service.commands == [.nodes])
    }

    @Test("AUTH with too few or too many arguments is told so, as with Redis, and is no guess")
    func argumentsOfAuth() throws {
        let client = try client(password: "secret")
        for command in ["AUTH", "auth", "AUTH a b c"] {
            #expect(try client.send(command + "\r\n") == "-ERR wrong number of arguments for 'auth' command\r\n")
        }
        #expect(try #require(client.connection.portGuard).wrongPasswordCount == 0)
        #expect(try client.send("AUTH secret\r\n") == "+OK\r\n")
    }

    @Test("HELLO authenticates too, and a user's name is taken as it comes", arguments: ["default", "app", "''"])
    func helloAuthenticates(user: String) throws {
        let client = try client(password: "secret")
        #expect(try client.send("HELLO 2 AUTH \(user) secret\r\n").hasPrefix("*12\r\n"))
        #expect(try client.send("NODES\r\n") == "+OK\r\n")
    }

    @Test("AUTH again with another password is refused, and the session stays authenticated")
    func authenticatedTwice() throws {
        let client = try client(password: "secret")
        #expect(try client.send("AUTH secret\r\nAUTH guess\r\nNODES\r\n") == "+OK\r\n")
        let later = try client.advance(1)
        #expect(later.hasPrefix("-WRONGPASS ") && later.hasSuffix("+OK\r\n"))
        #expect(service.commands == [.nodes])
    }

    @Test("AUTH where no password is set is an error, as with Redis")
    func noPassword() throws {
        let client = try client()
        #expect(
            try client.send("AUTH secret\r\n")
                == "-ERR Client sent AUTH, but no password is set. Did you mean a server with a password?\r\n")
        #expect(try client.send("NODES\r\n") == "+OK\r\n")
    }

    @Test("who has not said the password within 10 seconds is told so and closed, whatever else was said")
    func deadline() throws {
        let client = try client(password: "secret")
        try client.send("AUTH guess\r\n")
        #expect(try client.advance(9).hasPrefix("-WRONGPASS"))
        #expect(try client.send("PING\r\n") == "+PONG\r\n")
        #expect(client.channel.isActive)
        #expect(try client.advance(1) == "-NOAUTH Authentication required within 10 seconds: closing.\r\n")
        #expect(!client.channel.isActive)
    }

    @Test("who has said it stays", arguments: ["AUTH secret\r\n", "HELLO 2 AUTH default secret\r\n"])
    func deadlineMet(line: String) throws {
        let client = try client(password: "secret")
        try client.advance(9)
        try client.send(line)
        #expect(try client.advance(3600) == "")
        #expect(client.channel.isActive)
    }

    @Test("a client that leaves before the deadline is forgotten")
    func leavesBeforeDeadline() throws {
        let client = try client(password: "secret")
        try client.channel.close().wait()
        #expect(try client.advance(60) == "")
    }

    // MARK: Order

    @Test(
        "replies come in the order of the commands, in whatever order they are paid",
        arguments: [
            ["a", "b", "c"], ["a", "c", "b"], ["b", "a", "c"], ["b", "c", "a"], ["c", "a", "b"], ["c", "b", "a"],
        ])
    func order(paid: [String]) throws {
        let client = try client()
        #expect(
            try client.send("PING\r\nPERFORM a\r\nPERFORM b\r\nNODES\r\nPERFORM c\r\nGET\r\nPING\r\n") == "+PONG\r\n")
        var replies = ""
        for name in paid {
            try pay(name, name, on: client)
            replies += try client.received()
        }
        #expect(
            replies == "$1\r\na\r\n$1\r\nb\r\n+OK\r\n$1\r\nc\r\n"
                + "-ERR unknown command 'GET', with args beginning with: \r\n+PONG\r\n")
        #expect(try client.send("PING\r\n") == "+PONG\r\n")
    }

    @Test("each reply goes out as soon as those before it have")
    func orderStepByStep() throws {
        let client = try client()
        #expect(try client.send("PERFORM a\r\nPERFORM b\r\nPING\r\n") == "")
        try pay("b", "second", on: client)
        #expect(try client.received() == "")
        try pay("a", "first", on: client)
        #expect(try client.received() == "$5\r\nfirst\r\n$6\r\nsecond\r\n+PONG\r\n")
    }

    @Test("paid twice, or after the client has left, does nothing")
    func paidTwice() throws {
        let client = try client()
        try client.send("PERFORM a\r\nPERFORM b\r\n")
        try pay("a", "1", on: client)
        try pay("a", "2", on: client)
        #expect(try client.received() == "$1\r\n1\r\n")
        let ticket = try #require(service.owed["b"])
        let session = try #require(client.connection.session as? CommandSession)
        try client.channel.close().wait()
        session.pay(ticket) { $0.writeRESPBulk("late" as String) }
        #expect(try client.received() == "")
    }

    @Test("replies owed to thousands of commands in random order are in order")
    func randomOrder() throws {
        var random = SeededGenerator(seed: 61)
        let client = try client()
        let names = (0..<3_000).map { "j\($0)" }
        try client.send(names.map { "PERFORM \($0)\r\n" }.joined())
        var replies = ""
        for name in names.shuffled(using: &random) {
            try pay(name, name, on: client)
            replies += try client.received()
        }
        #expect(read(replies, .client).frames.map(\.text) == names)
    }

    // MARK: How much is owed

    @Test("beyond 10,000 owed replies no more commands are read until half are paid")
    func manyOwed() throws {
        let client = try client()
        try client.send((1..<10_000).map { "PERFORM j\($0)\r\n" }.joined())
        #expect(client.isReading())
        try client.send("PERFORM j10000\r\n")
        #expect(!client.isReading())
        let readsBefore = client.reads.reads
        for number in 1...5_000 { try pay("j\(number)", "x", on: client) }
        #expect(client.reads.reads == readsBefore)
        try pay("j5001", "x", on: client)
        // It asks by itself, once, for what the channel wanted to read while it was paused.
        #expect(client.reads.reads == readsBefore + 1)
        #expect(client.isReading())
        #expect(read(try client.received(), .client).frames.count == 5_001)
    }

    @Test("replies that wait behind one that is owed count as well")
    func manyWaiting() throws {
        let client = try client()
        try client.send("PERFORM slow\r\n" + String(repeating: "PING\r\n", count: 9_998))
        #expect(client.isReading())
        try client.send("PING\r\n")
        #expect(!client.isReading())
        try pay("slow", "x", on: client)
        #expect(client.isReading())
        #expect(read(try client.received(), .client).frames.count == 10_000)
    }

    @Test("few large replies that wait behind one that is owed pause the input too")
    func largeWaiting() throws {
        let client = try client()
        try client.send("PERFORM slow\r\n")
        let text = String(repeating: "x", count: 60_000)
        for _ in 0..<17 {
            #expect(client.isReading())
            try client.send("PING \(text)\r\n")
        }
        try client.send("PING \(text)\r\n")
        #expect(!client.isReading())
        try pay("slow", "x", on: client)
        #expect(client.isReading())
        #expect(read(try client.received(), .client).frames.count == 19)
    }

    @Test("what has come beyond 10,000 owed replies waits as bytes, and so does the end of the input behind it")
    func manyAtOnce() throws {
        let client = try client()
        let names = (1...10_500).map { "j\($0)" }
        try client.send(names.map { "PERFORM \($0)\r\n" }.joined())
        #expect(service.commands.count == 10_000)
        let portGuard = try #require(client.connection.portGuard)
        #expect(portGuard.heldBytes == names[10_000...].reduce(0) { $0 + $1.utf8.count + "PERFORM \r\n".utf8.count })
        #expect(try client.endInput() == "")
        for name in names[..<5_001] { try pay(name, name, on: client) }
        var replies = try client.received()
        #expect(service.commands.count == 10_500 && portGuard.heldBytes == 0)
        for name in names[5_001...] { try pay(name, name, on: client) }
        replies += try client.received()
        #expect(read(replies, .client).frames.map(\.text) == names)
        #expect(!client.channel.isActive)
    }

    // MARK: Browsers

    @Test(
        "what a web page can make a browser send is not taken for commands: at its first line in HTTP the connection ends",
        arguments: [
            "POST / HTTP/1.1\r\nHost: localhost:5000\r\nContent-Length: 11\r\n\r\nENQUEUE j\r\n",
            "post / HTTP/1.1\r\nENQUEUE j\r\n",
            "GET / HTTP/1.1\r\nHost: localhost:5000\r\n\r\nENQUEUE j\r\n",
            "PUT / HTTP/1.1\r\nhost: localhost:5000\r\n\r\nENQUEUE j\r\n",
        ])
    func browser(request: String) throws {
        let client = try client()
        let answer = try client.send(request)
        #expect(
            answer.hasSuffix("-ERR this is not an HTTP port: closing, because the request may come from a web page\r\n")
        )
        #expect(!client.channel.isActive)
        #expect(service.commands == [])
    }

    // MARK: The end

    private static let malformed = "*1\r\nPING\r\n"
    private static let malformation = "-ERR Protocol error: Protocol error, got \"P\" as reply type byte\r\n"

    @Test("a client that ends its input has its answers, and is left then")
    func inputEnds() throws {
        let idle = try client()
        #expect(try idle.send("PING\r\n") == "+PONG\r\n")
        #expect(try idle.endInput() == "")
        #expect(!idle.channel.isActive)
        let client = try client()
        #expect(try client.send("PERFORM a\r\nPING\r\nPI") == "")
        #expect(try client.endInput() == "")
        #expect(client.channel.isActive)
        try pay("a", "1", on: client)
        #expect(try client.received() == "$1\r\n1\r\n+PONG\r\n")
        #expect(!client.channel.isActive)
        #expect(try client.advance(100) == "")
    }

    @Test("an answer that does not come within the time of a message is waited for no longer")
    func noAnswer() throws {
        let client = try client()
        try client.send("PERFORM a\r\n")
        try client.endInput()
        #expect(try client.advance(59) == "")
        #expect(try client.advance(1) == "-ERR no answer within 60 s after the end of the input: closing\r\n")
        #expect(!client.channel.isActive)
    }

    @Test(
        "what is no message is told behind the replies that are owed, and nothing behind it counts",
        arguments: [
            (malformed, malformation),
            (
                "POST / HTTP/1.1\r\n",
                "-ERR this is not an HTTP port: closing, because the request may come from a web page\r\n"
            ),
        ])
    func malformedBehind(stream: String, lastWord: String) throws {
        let client = try client()
        #expect(try client.send("PERFORM a\r\nPING\r\n\(stream)NODES\r\n") == "")
        #expect(try client.send("NODES\r\n") == "")
        #expect(try client.endInput() == "")
        #expect(client.channel.isActive)
        try pay("a", "1", on: client)
        #expect(try client.received() == "$1\r\n1\r\n+PONG\r\n\(lastWord)")
        #expect(!client.channel.isActive)
        #expect(service.commands.count == 1)
    }

    @Test("what is no message behind a wrong password is told behind its answer")
    func malformedBehindPassword() throws {
        let client = try client(password: "secret")
        #expect(try client.send("AUTH guess\r\n\(Self.malformed)") == "")
        #expect(
            try client.advance(1)
                == "-WRONGPASS invalid username-password pair or user is disabled.\r\n\(Self.malformation)")
        #expect(!client.channel.isActive)
    }

    @Test("QUIT is answered, and nothing after it")
    func quit() throws {
        let client = try client()
        #expect(try client.send("PING\r\nQUIT\r\nNODES\r\n") == "+PONG\r\n+OK\r\n")
        #expect(!client.channel.isActive)
        #expect(service.commands == [])
    }

    @Test("QUIT before the password is answered too")
    func quitUnauthenticated() throws {
        let client = try client(password: "secret")
        #expect(try client.send("QUIT\r\n") == "+OK\r\n")
        #expect(!client.channel.isActive)
    }

    @Test("QUIT waits for the replies that are owed")
    func quitWhileOwing() throws {
        let client = try client()
        #expect(try client.send("PERFORM a\r\nPERFORM b\r\nQUIT\r\nNODES\r\n") == "")
        #expect(try client.send("NODES\r\n") == "")
        try pay("b", "2", on: client)
        #expect(client.channel.isActive)
        try pay("a", "1", on: client)
        #expect(try client.received() == "$1\r\n1\r\n$1\r\n2\r\n+OK\r\n")
        #expect(!client.channel.isActive)
        #expect(service.commands.count == 2)
    }
}
