import JobReactorCore
import Testing

@testable import JobReactorWire

@Suite struct ClientCommandTests {
    private static let ff = "000000000000000000000000000000ff"

    @Test(
        "a command is read in any letter case",
        arguments: [
            ("PING", .ping(nil)),
            ("PING hello", .ping("hello")),
            ("AUTH secret", .auth(.init(password: bytes("secret")))),
            ("AUTH default secret", .auth(.init(user: "default", password: bytes("secret")))),
            ("HELLO", .hello(version: nil, nil)),
            ("HELLO 2", .hello(version: 2, nil)),
            ("HELLO 2 AUTH default secret", .hello(version: 2, .init(user: "default", password: bytes("secret")))),
            ("HELLO 2 SETNAME app", .hello(version: 2, nil)),
            (
                "HELLO 2 AUTH default secret SETNAME app",
                .hello(version: 2, .init(user: "default", password: bytes("secret")))
            ),
            (
                "HELLO 2 SETNAME app AUTH default secret",
                .hello(version: 2, .init(user: "default", password: bytes("secret")))
            ),
            ("QUIT", .quit),
            ("QUIT now", .quit),
            ("COMMAND", .commandTable(isCount: false)),
            ("COMMAND DOCS", .commandTable(isCount: false)),
            ("COMMAND INFO get", .commandTable(isCount: false)),
            ("COMMAND COUNT", .commandTable(isCount: true)),
            ("CLIENT SETINFO lib-name redis-py", .clientSetting),
            ("CLIENT SETNAME app", .clientSetting),
            ("ENQUEUE j", .enqueue(JobRequest(name: "j", args: [:]))),
            ("ENQUEUE j {} AFTER 1", .enqueue(JobRequest(name: "j", args: [:], options: JobOptions(after: 1)))),
            ("PERFORM j", .perform(JobRequest(name: "j", args: [:]), timeout: nil)),
            ("PERFORM j {} TIMEOUT 2.5", .perform(JobRequest(name: "j", args: [:]), timeout: 2.5)),
            ("PERFORM j TIMEOUT 0", .perform(JobRequest(name: "j", args: [:]), timeout: 0)),
            (
                "PERFORM j TIMEOUT 9 DEFER",
                .perform(JobRequest(name: "j", args: [:], options: JobOptions(isDeferred: true)), timeout: 9)
            ),
            ("NODES", .nodes),
            ("INFO", .info(section: nil)),
            ("INFO Jobs", .info(section: "jobs")),
            ("JOBS", .jobs),
            ("JOB " + ff, .job(id(255))),
            ("CANCEL " + ff, .cancel(id(255))),
            ("RETRY " + ff, .retry(id(255))),
            ("DESTROY " + ff, .destroy(id(255))),
            ("RECORD " + ff, .record(id(255))),
            ("AUDIT", .audit(count: 100)),
            ("AUDIT COUNT 5", .audit(count: 5)),
            ("WHOAMI", .whoAmI),
            ("RECORDS", .records(RecordQuery())),
            ("RECORDS COUNT 1000 AFTER " + ff, .records(RecordQuery(from: id(255), count: 1000))),
            ("RECORDS NEWEST", .records(RecordQuery(.newestFirst))),
            ("RECORDS BEFORE " + ff + " COUNT 7", .records(RecordQuery(.newestFirst, from: id(255), count: 7))),
            (
                "RECORDS STATUS in_progress NAME greet SINCE 1.5 ERROR disk",
                .records(
                    RecordQuery(
                        filter: JobFilter(
                            name: "greet", status: .inProgress, since: Timestamp(seconds: 1.5), error: "disk")))
            ),
            ("RETRY STATUS failed", .orders(.retry, JobFilter(status: .failed), isDry: false)),
            ("CANCEL NAME greet DRY", .orders(.cancel, JobFilter(name: "greet"), isDry: true)),
            ("DESTROY DRY ERROR x", .orders(.destroy, JobFilter(error: "x"), isDry: true)),
            ("DESTROY ALL", .orders(.destroy, JobFilter(), isDry: false)),
            ("RETRY ALL DRY", .orders(.retry, JobFilter(), isDry: true)),
            (
                "NODE 3 n1 i VOLATILE h:1 p t",
                .handshake(
                    .node(
                        NodeIntroduction(
                            name: "n1", instance: "i", isDurable: false, server: "h:1", place: "p", token: "t")))
            ),
            ("PRODUCER 3 p", .handshake(.producer(id: "p"))),
            ("DISTRIBUTOR 3 d app", .handshake(.distributor(id: "d", name: "app"))),
            ("LINK 3 d i 7", .handshake(.link(distributor: "d", token: "i", received: 7))),
            ("LINKED", .handshake(.linked)),
            ("SERVE 3", .handshake(.serve(received: 3))),
        ] as [(String, ClientCommand)])
    func good(line: String, command: ClientCommand) throws {
        let words = line.split(separator: " ").map(String.init)
        for verb in [words[0], words[0].lowercased(), words[0].prefix(1) + words[0].dropFirst().lowercased()] {
            #expect(try withCommand([verb] + words.dropFirst()) { try ClientCommand($0) } == command, "\(verb)")
        }
    }

    @Test(
        "what is no command is refused in a line that says what is",
        arguments: [
            ("PING a b", "ERR wrong number of arguments for 'ping' command"),
            ("AUTH", "ERR wrong number of arguments for 'auth' command"),
            ("AUTH a b c", "ERR wrong number of arguments for 'auth' command"),
            ("HELLO x", "ERR Protocol version is not an integer or out of range"),
            ("HELLO 3", "NOPROTO unsupported protocol version"),
            ("HELLO 3 AUTH default secret", "NOPROTO unsupported protocol version"),
            ("HELLO 1", "NOPROTO unsupported protocol version"),
            ("HELLO 2 AUTH", "ERR Syntax error in HELLO option 'AUTH'"),
            ("HELLO 2 AUTH secret", "ERR Syntax error in HELLO option 'AUTH'"),
            ("HELLO 2 SETNAME", "ERR Syntax error in HELLO option 'SETNAME'"),
            ("HELLO 2 COLOUR red", "ERR Syntax error in HELLO option 'COLOUR'"),
            ("CLIENT", "ERR wrong number of arguments for 'client' command"),
            ("CLIENT LIST", "ERR unknown subcommand 'LIST': CLIENT knows SETINFO and SETNAME"),
            ("ENQUEUE", "ERR wrong number of arguments for 'enqueue' command"),
            (
                "enqueue j []",
                "ERR args must be one JSON object: invalid JSON at byte 0: expected an object, such as {\"key\": 1}"
            ),
            ("PERFORM", "ERR wrong number of arguments for 'perform' command"),
            ("PERFORM j TIMEOUT", "ERR TIMEOUT needs a value"),
            ("PERFORM j TIMEOUT -1", "ERR TIMEOUT takes seconds from 0, not '-1'"),
            ("PERFORM j TIMEOUT soon", "ERR TIMEOUT takes seconds from 0, not 'soon'"),
            ("PERFORM j TIMEOUT inf", "ERR TIMEOUT takes seconds from 0, not 'inf'"),
            ("PERFORM j TIMEOUT 3155760001", "ERR TIMEOUT takes seconds from 0, not '3155760001'"),
            ("INFO a b", "ERR wrong number of arguments for 'info' command"),
            ("JOB", "ERR wrong number of arguments for 'job' command"),
            ("CANCEL", "ERR wrong number of arguments for 'cancel' command"),
            ("CANCEL 12", "ERR '12' is not a job id: an id has 32 hexadecimal digits"),
            ("JOB 1 2", "ERR wrong number of arguments for 'job' command"),
            ("JOB 12", "ERR '12' is not a job id: an id has 32 hexadecimal digits"),
            ("CANCEL \(ff) DRY", "ERR wrong number of arguments for 'cancel' command"),
            (
                "RETRY DRY",
                "ERR RETRY of many jobs takes STATUS s, NAME n, SINCE unix-seconds or ERROR text, or else ALL"
            ),
            (
                "DESTROY ALL NAME x",
                "ERR DESTROY of many jobs takes STATUS s, NAME n, SINCE unix-seconds or ERROR text, or else ALL"
            ),
            (
                "CANCEL NAME",
                "ERR 'NAME' is not a job id: an id has 32 hexadecimal digits"
            ),
            (
                "CANCEL COLOUR red",
                "ERR CANCEL takes the id of a job, or STATUS s, NAME n, SINCE unix-seconds and ERROR text, or ALL, and DRY,"
                    + " not 'COLOUR'"
            ),
            (
                "RETRY STATUS done",
                "ERR STATUS takes one of new, queued, in progress, complete, error, failed, cancelled, not 'done'"
            ),
            ("RETRY SINCE soon", "ERR SINCE takes seconds since 1970, not 'soon'"),
            (
                "RECORDS COUNT",
                "ERR RECORDS takes AFTER id, BEFORE id or NEWEST, COUNT n, STATUS s, NAME n, SINCE unix-seconds and ERROR"
                    + " text, and 'COUNT' stands alone"
            ),
            ("RECORDS COUNT 1001", "ERR COUNT takes a number from 1 to 1000, not '1001'"),
            ("NODES all", "ERR wrong number of arguments for 'nodes' command"),
            ("JOBS all", "ERR wrong number of arguments for 'jobs' command"),
            ("RELOAD all", "ERR wrong number of arguments for 'reload' command"),
            ("WHOAMI x", "ERR wrong number of arguments for 'whoami' command"),
            ("AUDIT 5", "ERR AUDIT takes COUNT n, or nothing for the last 100"),
            ("GET", "ERR unknown command 'GET', with args beginning with: "),
            ("SET a b c d", "ERR unknown command 'SET', with args beginning with: 'a' 'b' 'c' "),
            ("SUBSCRIBE größe", "ERR unknown command 'SUBSCRIBE', with args beginning with: 'größe' "),
            (
                "NODE n1",
                "ERR NODE is a handshake between nodes and distributors and starts with a version"
            ),
            (
                "PRODUCER 1 p",
                "NOPROTO the peer asks for link version 1, but this side has version 3: run the same release of jobreactor on both"
            ),
        ])
    func bad(line: String, error: String) {
        #expect(throws: CommandError(error)) {
            try withCommand(line.split(separator: " ").map(String.init)) { try ClientCommand($0) }
        }
    }

    @Test(
        "what is not an array of strings is no command",
        arguments: ["*0\r\n", "*-1\r\n", "*1\r\n:1\r\n", "*2\r\n$4\r\nPING\r\n*0\r\n", "+PING\r\n", "$4\r\nPING\r\n"])
    func noCommand(stream: String) {
        #expect(throws: CommandError("ERR Protocol error: a command is an array of bulk strings")) {
            try withFrame(stream) { try ClientCommand($0) }
        }
    }

    @Test("what asks for records, and what orders for many, is read as it was written")
    func queriesAndOrders() throws {
        let filters = [
            JobFilter(), JobFilter(name: "größe"), JobFilter(status: .inProgress, error: "no \"disk\"\n"),
            JobFilter(name: "a", status: .failed, since: Timestamp(seconds: 1_790_000_000.25), error: "x"),
        ]
        for filter in filters {
            for order in [RecordQuery.Order.oldestFirst, .newestFirst] {
                for start in [nil, id(7)] {
                    let query = RecordQuery(order, from: start, count: 9, filter: filter)
                    #expect(try withCommand(query.words) { try ClientCommand($0) } == .records(query))
                }
            }
            for order in JobOrder.allCases where !filter.isEmpty {
                let read = try withCommand([order.verb] + filter.words + ["DRY"]) { try ClientCommand($0) }
                #expect(read == .orders(order, filter, isDry: true))
            }
        }
        let long = String(repeating: "x", count: JobFilter.errorBytes + 1)
        #expect(throws: CommandError("ERR ERROR takes a text of 1 to 1024 bytes")) {
            try withCommand(["RECORDS", "ERROR", long]) { try ClientCommand($0) }
        }
        // What begins as a status does is none.
        let status = "failed" + String(repeating: " ", count: 5000)
        #expect(throws: CommandError.self) {
            try withCommand(["RETRY", "STATUS", status]) { try ClientCommand($0) }
        }
        #expect(throws: CommandError("ERR NAME must not contain spaces or control characters")) {
            try withCommand(["RECORDS", "NAME", "a b"]) { try ClientCommand($0) }
        }
    }

    @Test("a password is bytes, and may have any")
    func binaryPassword() throws {
        let password = "p\r\n\u{0} ü"
        #expect(
            try withCommand(["AUTH", password]) { try ClientCommand($0) } == .auth(.init(password: bytes(password))))
    }

    @Test("an unknown command with a long or broken name is shown short and printable")
    func shown() throws {
        let error = try #require(throws: CommandError.self) {
            try withCommand([String(repeating: "x", count: 10_000), "a\r\n\u{0}b"]) { try ClientCommand($0) }
        }
        #expect(
            error.line
                == "ERR unknown command '\(String(repeating: "x", count: 64))', with args beginning with: 'a  b' ")
    }

    @Test("before AUTH only these are answered")
    func allowedBeforeAuthentication() {
        let request = JobRequest(name: "j", args: [:])
        let open: [ClientCommand] = [
            .ping(nil), .ping("x"), .auth(.init(password: [])), .hello(version: 2, nil), .quit,
        ]
        let closed: [ClientCommand] = [
            .commandTable(isCount: true), .clientSetting, .enqueue(request), .perform(request, timeout: nil), .nodes,
            .info(section: nil), .jobs, .job(id(1)), .handshake(.serve(received: 3)), .handshake(.producer(id: "p")),
        ]
        #expect(open.filter(\.isAllowedBeforeAuthentication) == open)
        #expect(closed.filter(\.isAllowedBeforeAuthentication) == [])
    }
}
