internal import DequeModule
internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// The storage's state on its event loop: the calls that are not answered, in their order, and the connection that they go
/// over, which may be another by the time their answers come.
final class RedisCore {
    /// A call that is not answered. It is written again on each connection, as it was.
    struct Call {
        let number: Int
        let script: RedisScript
        /// Beside the owner's.
        let keys: [String]
        let words: RESPWords
        let answer: (Result<RESPFrame, StorageError>) -> Void
    }

    enum State {
        case closed
        /// Until the server has said that the jobs are ours.
        case opening(StorageOwner, (Result<Void, StorageError>) -> Void)
        case open(StorageOwner, epoch: String)
        /// The calls before the closing are still to be answered. Without an epoch it was closed while the server was asked for
        /// the lease.
        case closing(StorageOwner, epoch: String?)
        case lost(StorageError)
    }

    let location: RedisLocation
    let options: RedisStorage.Options
    let tls: TransportSecurity?
    let loop: any EventLoop
    var state = State.closed
    var calls: Deque<Call> = []
    var lastNumber = 0
    var connectionNumber = 0
    var dialer: Dialer?
    var link: RedisLink?
    var identity = RedisOwner()
    /// Where the owner's keys are.
    var base = ""
    var place: String?
    var renewal: Scheduled<Void>?
    var patience: Scheduled<Void>?
    /// While opening: until when the last holder, were it alive, would have renewed its lease.
    var holderDeadline: NIODeadline?
    /// Since when the connection that is up serves.
    var attachedAt = NIODeadline.uptimeNanoseconds(0)
    var lastProblem: String?
    /// A connection is up again after one was lost.
    let onReconnect: () -> Void
    private var closers: [() -> Void] = []
    /// Those that wait, and the one under way before them.
    var adoptions: [() -> Void] = []

    init(
        _ location: RedisLocation, _ options: RedisStorage.Options, tls: TransportSecurity?, on loop: any EventLoop,
        onReconnect: @escaping () -> Void
    ) {
        self.location = location
        self.options = options
        self.tls = tls
        self.loop = loop
        self.onReconnect = onReconnect
    }

    // MARK: The lease

    func scheduleRenewal() {
        renewal?.cancel()
        renewal = schedule(options.lease / 3) { self.renew() }
    }

    private func renew() {
        guard let link, let epoch else { return }
        var isAnswered = false
        link.evaluate(.renew, keys: [base, served], leaseWords(epoch: epoch)) { frame in
            isAnswered = true
            guard frame.kind(ofToken: 0) == .integer else { return self.renewalFailed(frame, link) }
            self.scheduleRenewal()
        }
        // A server, or a network, that swallows what we send.
        renewal = schedule(max(5, options.lease)) {
            if !isAnswered, self.link === link { link.close(reason: "no answer from Redis") }
        }
    }

    func leaseWords(epoch: String) -> RESPWords {
        var words = RESPWords()
        words.add(epoch)
        words.add(identity.text)
        words.add(leaseMilliseconds)
        return words
    }

    private var epoch: String? {
        switch state {
        case .open(_, let epoch): epoch
        case .closing(_, let epoch): epoch
        case .closed, .opening, .lost: nil
        }
    }

    // MARK: Calls

    func call(
        _ script: RedisScript, keys: [String] = [], _ words: RESPWords,
        _ answer: @escaping (Result<RESPFrame, StorageError>) -> Void
    ) {
        switch state {
        case .open: break
        case .lost(let error): return answer(.failure(error))
        case .closed, .opening, .closing: return answer(.failure(.notOpen))
        }
        guard words.count <= options.maximumWords else {
            return answer(
                .failure(
                    StorageError("a batch of \(words.count) words is more than Redis takes at once: split it")))
        }
        lastNumber += 1
        let call = Call(number: lastNumber, script: script, keys: keys, words: words, answer: answer)
        calls.append(call)
        if let link, link.isAttached { send(call, over: link) }
    }

    func send(_ call: Call, over link: RedisLink) {
        guard let epoch else { return }
        var words = RESPWords()
        words.add(epoch)
        words.add(connectionNumber)
        words.add(call.number)
        if [.save, .control, .saveUnique].contains(call.script) { words.add(calls.first?.number ?? call.number) }
        words.add(call.words)
        link.evaluate(call.script, keys: [base] + call.keys, words) { frame in
            guard frame.kind(ofToken: 0) != .error else { return self.callFailed(frame, link) }
            self.calls.popFirst()?.answer(.success(frame))
            self.finishClosing()
        }
    }

    /// The first call was answered with an error.
    private func callFailed(_ frame: RESPFrame, _ link: RedisLink) {
        let text = Self.unwrap(RESPValue(frame).text ?? "")
        if let loss = loss(text) { return lose(loss) }
        if ["NOSCRIPT", "STALE", "NOAUTH", "UNBLOCKED"].contains(Self.code(of: text))
            || Self.mayPass(text, isCall: true)
        {
            // Not the fault of the call: it is sent again over a new connection.
            return link.close(reason: "Redis says \(text)")
        }
        calls.popFirst()?.answer(.failure(error(of: frame, text)))
        finishClosing()
    }

    /// What is no call was answered with an error: no call has failed with it. A new connection tries again.
    func renewalFailed(_ frame: RESPFrame, _ link: RedisLink) {
        let text = Self.unwrap(RESPValue(frame).text ?? "")
        if let loss = loss(text) { return lose(loss) }
        link.close(reason: "Redis says \(text)")
    }

    /// The end of the ownership, where an error means that.
    private func loss(_ text: String) -> StorageError? {
        switch Self.code(of: text) {
        case "LOST":
            let holder = RedisOwner(String(text.dropFirst(5)))?.shown ?? "another process"
            return StorageError("\(holder) has taken over the jobs in \(location)", code: .lost)
        case "EMPTIED":
            return StorageError(
                "the jobs in \(location) are gone: the database was emptied: use a database that nobody empties",
                code: .emptied)
        default: return nil
        }
    }

    static func code(of text: String) -> String { String(text.prefix { $0 != " " }) }

    /// Whether an error is one of a server that will serve later. What a call asks for may be refused for want of room, and
    /// is answered so: only a connection waits for it.
    static func mayPass(_ text: String, isCall: Bool = false) -> Bool {
        switch code(of: text) {
        case "READONLY", "LOADING", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN", "BUSY": true
        case "NOREPLICAS", "OOM", "MISCONF": !isCall
        default: text.hasPrefix("ERR max number of clients")
        }
    }

    /// Redis 6 wraps what a command within a script says: `ERR Error running script (…): …: -OOM command not allowed`.
    static func unwrap(_ text: String) -> String {
        for code in ["-OOM ", "-MISCONF ", "-READONLY ", "-MASTERDOWN ", "-NOREPLICAS ", "-NOPERM ", "-WRONGTYPE "] {
            if let range = text.firstRange(of: code) { return String(text[range.lowerBound...].dropFirst()) }
        }
        return text
    }

    func error(of frame: RESPFrame, _ text: String) -> StorageError {
        if text.hasPrefix("OOM") {
            return StorageError(
                "\(location) is at its memory limit: raise maxmemory or remove data; nothing was stored", code: .full)
        }
        if text.hasPrefix("MISCONF") {
            return StorageError("\(location) cannot write to its disk: free some space: \(text)", code: .full)
        }
        if text.hasPrefix("NOREPLICAS") {
            return StorageError("\(location) has too few replicas to write to: \(text)", code: .failed)
        }
        if text.hasPrefix("FOLLOWER") {
            let leader = text.dropFirst(9)
            return StorageError(
                "\(leader.isEmpty ? "nobody" : leader) leads at \(location), not this distributor", code: .held)
        }
        if text.hasPrefix("HELD") {
            let holder = RedisOwner(String(text.dropFirst(5)))?.shown ?? "another process"
            return StorageError("\(holder) is alive and has the jobs", code: .held)
        }
        let isForbidden = text.hasPrefix("NOPERM") || text.hasPrefix("WRONGTYPE")
        return StorageError("\(location) says \(text)", code: isForbidden ? .unusable : .failed)
    }

    private func lose(_ error: StorageError) {
        guard case .open(let owner, _) = state else { return finishClosing(isForced: true) }
        state = .lost(error)
        endConnection()
        answerAll(.failure(error))
        owner.lost(error)
    }

    func fail(_ error: StorageError) {
        guard case .opening(_, let done) = state else { return }
        state = .closed
        endConnection()
        done(.failure(error))
    }

    private func answerAll(_ result: Result<RESPFrame, StorageError>) {
        let unanswered = calls
        calls = []
        for call in unanswered { call.answer(result) }
    }

    private func endConnection() {
        renewal?.cancel()
        patience?.cancel()
        dialer?.stop()
        dialer = nil
        link = nil
    }

    // MARK: Closing

    func close(_ done: @escaping () -> Void) {
        switch state {
        case .closed: return done()
        case .lost:
            state = .closed
            return done()
        case .opening(let owner, let opened):
            if let link, link.isReady {
                // The server may be about to grant the lease. What it says comes before its answer to the closing.
                link.isAttached = true
                close(owner, epoch: nil, done)
                opened(.failure(.notOpen))
            } else {
                fail(.notOpen)
                done()
            }
        case .closing: closers.append(done)
        case .open(let owner, let epoch): close(owner, epoch: epoch, done)
        }
    }

    private func close(_ owner: StorageOwner, epoch: String?, _ done: @escaping () -> Void) {
        closers.append(done)
        state = .closing(owner, epoch: epoch)
        // A server that is away now may stay away: the lease ends by itself.
        _ = schedule(options.closingTime) { self.finishClosing(isForced: true) }
        finishClosing()
    }

    /// Gives the lease back when every call before has been answered.
    func finishClosing(isForced: Bool = false) {
        guard case .closing = state else { return }
        if isForced {
            endConnection()
            return closed()
        }
        guard calls.isEmpty, let link, link.isAttached else { return }
        var words = RESPWords()
        words.add(identity.text)
        link.evaluate(.close, keys: [base], words) { _ in
            guard case .closing = self.state else { return }
            self.endConnection()
            self.closed()
        }
    }

    func closed() {
        state = .closed
        answerAll(.failure(StorageError("\(location) was closed before the answer arrived")))
        let closers = closers
        self.closers = []
        for closer in closers { closer() }
    }

    func schedule(_ seconds: Double, _ task: @escaping () -> Void) -> Scheduled<Void> {
        loop.assumeIsolated().scheduleTask(in: .microseconds(Int64(min(seconds, 1e9) * 1_000_000)), task)
    }
}
