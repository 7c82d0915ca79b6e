internal import DequeModule
internal import JobReactorWire
internal import NIOCore

/// One connection to the server: logs in, loads the scripts, then hands each answer to who asked, in order.
final class RedisLink: ConnectionSession {
    enum Event {
        /// Logged in; scripts can be run.
        case ready
        /// The server answered the login with an error; the connection is closed.
        case refused(String)
        case lost(String?)
    }

    private let setup: [[String]]
    private let notify: (Event, RedisLink) -> Void
    private weak var connection: Connection?
    private var digests: [String] = []
    private var setupAnswers = 0
    private var isRefused = false
    private var waiting: Deque<(RESPFrame) -> Void> = []
    /// Logged in, and not lost.
    var isReady: Bool { setupAnswers == setup.count && !isRefused && connection != nil }
    /// Whether calls may go over it.
    var isAttached = false

    /// The last commands of `setup` load the scripts, in their order.
    init(setup: [[String]], _ notify: @escaping (Event, RedisLink) -> Void) {
        self.setup = setup
        self.notify = notify
    }

    func connected(_ connection: Connection) {
        self.connection = connection
        connection.write { buffer in for command in setup { buffer.writeRESPCommand(command) } }
    }

    /// Runs a script. `answer` is called once, unless the connection is lost before.
    func evaluate(
        _ script: RedisScript, keys: [String], _ words: RESPWords, _ answer: @escaping (RESPFrame) -> Void
    ) {
        guard let connection, digests.indices.contains(script.rawValue) else { return }
        waiting.append(answer)
        connection.write { buffer in
            buffer.writeRESPArray(count: 3 + keys.count + words.count)
            buffer.writeRESPBulk("EVALSHA")
            buffer.writeRESPBulk(digests[script.rawValue])
            buffer.writeRESPBulk(number: keys.count)
            for key in keys { buffer.writeRESPBulk(key) }
            buffer.writeImmutableBuffer(words.bytes)
        }
    }

    /// Sends a command that is no script.
    func send(_ words: [String], _ answer: @escaping (RESPFrame) -> Void) {
        waiting.append(answer)
        connection?.write { $0.writeRESPCommand(words) }
    }

    /// Sends a command whose words are bytes.
    func send(_ words: RESPWords, _ answer: @escaping (RESPFrame) -> Void) {
        waiting.append(answer)
        connection?.write { words.write(to: &$0) }
    }

    func close(reason: String) {
        connection?.closeNow(reason: reason)
    }

    func received(_ frame: RESPFrame, on connection: Connection) {
        guard setupAnswers == setup.count else { return setUp(frame, connection) }
        waiting.popFirst()?(frame)
    }

    private func setUp(_ frame: RESPFrame, _ connection: Connection) {
        guard !isRefused else { return }
        if frame.kind(ofToken: 0) == .error {
            isRefused = true
            notify(.refused(RESPValue(frame).text ?? ""), self)
            return connection.close(reason: RESPValue(frame).text)
        }
        if setup[setupAnswers].first == "SCRIPT" { digests.append(RESPValue(frame).text ?? "") }
        setupAnswers += 1
        if setupAnswers == setup.count { notify(.ready, self) }
    }

    func readCompleted(on connection: Connection) {}

    func disconnected(_ connection: Connection, reason: String?) {
        isAttached = false
        // One that never came up: the dialer knows why.
        let isKnown = isRefused || self.connection == nil
        notify(.lost(isKnown ? nil : reason ?? "the connection was lost"), self)
    }
}
