internal import DequeModule
internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// The storage's state on its event loop: the calls that are not answered, in their order, and the connection that they go
/// over, which may be another by the time their answers come.
final class RedisCore {
    /// A call that is not answered. It is written again on each connection, as it was.
    private struct Call {
        let number: Int
        let script: RedisScript
        /// Beside the owner's.
        let keys: [String]
        let words: RedisWords
        let answer: (Result<RESPFrame, StorageError>) -> Void
    }

    private enum State {
        case closed
        /// Until the server has said that the jobs are ours.
        case opening(StorageOwner, (Result<Void, StorageError>) -> Void)
        case open(StorageOwner, epoch: String)
        /// The calls before the closing are still to be answered.
        case closing(StorageOwner, epoch: String)
        case lost(StorageError)
    }

    private let location: RedisLocation
    private let options: RedisStorage.Options
    private let tls: TransportSecurity?
    private let loop: any EventLoop
    private var state = State.closed
    private var calls: Deque<Call> = []
    private var lastNumber = 0
    private var connectionNumber = 0
    private var dialer: Dialer?
    private var link: RedisLink?
    private var identity = RedisOwner()
    /// Where the owner's keys are.
    private var base = ""
    private(set) var place: String?
    private var renewal: Scheduled<Void>?
    private var patience: Scheduled<Void>?
    private var hasWaitedForLease = false
    private var lastProblem: String?
    private var closers: [() -> Void] = []
    /// Those that wait, and the one under way before them.
    private var adoptions: [() -> Void] = []

    init(
        _ location: RedisLocation, _ options: RedisStorage.Options, tls: TransportSecurity?, on loop: any EventLoop
    ) {
        self.location = location
        self.options = options
        self.tls = tls
        self.loop = loop
    }

    // MARK: Opening

    func open(_ owner: StorageOwner, _ done: @escaping (Result<Void, StorageError>) -> Void) {
        switch state {
        case .closed: break
        case .opening(let holder, _), .open(let holder, _), .closing(let holder, _):
            return done(.failure(.held(by: holder.name, address: holder.address, detail: "in this process")))
        case .lost(let error): return done(.failure(error))
        }
        let security: WireSecurity
        do throws(WireError) {
            var context = tls
            if context == nil, location.usesTLS { context = try TransportSecurity(TransportSecurity.Files()) }
            security = WireSecurity(tls: location.usesTLS ? context : nil)
        } catch {
            return done(.failure(StorageError("\(location): \(error)", code: .unusable)))
        }
        state = .opening(owner, done)
        identity = RedisOwner()
        base = "\(location.prefix)\(owner.role.rawValue):\(owner.name)"
        connectionNumber = 1
        lastNumber = 0
        hasWaitedForLease = false
        let dialer = Dialer(to: location.address, on: loop, security: security, logger: quiet) { self.makeConnection() }
        dialer.onFailure = { self.notReached($0) }
        self.dialer = dialer
        dialer.start()
        guard options.patience.isFinite else { return }
        patience = schedule(options.patience) {
            guard case .opening = self.state else { return }
            let reason = self.lastProblem ?? "no answer"
            self.fail(
                StorageError("cannot open \(self.location): \(reason): start a Redis server there", code: .failed))
        }
    }

    /// The dialer tells of each try; we tell of each reason.
    private var quiet: Logger {
        var logger = options.logger
        logger.logLevel = .error
        return logger
    }

    private func makeConnection() -> Connection {
        let link = RedisLink(setup: setup) { self.handle($0, from: $1) }
        self.link = link
        return Connection(
            role: .client, limits: RESPLimits(frameBytes: 1 << 30, elements: 100_000_000), session: link)
    }

    /// What is said on each connection before any call.
    private var setup: [[String]] {
        var commands: [[String]] = []
        if let password = location.password { commands.append(["AUTH"] + [location.user, password].compactMap { $0 }) }
        if location.database != 0 { commands.append(["SELECT", "\(location.database)"]) }
        return commands + RedisScript.allCases.map { ["SCRIPT", "LOAD", $0.text] }
    }

    private func notReached(_ error: any Error) {
        noteProblem("cannot connect: \(Transport.describe(error))")
    }

    /// Says each reason once, not at every try.
    private func noteProblem(_ problem: String) {
        guard problem != lastProblem else { return }
        lastProblem = problem
        options.logger.error(
            "Redis is not there; trying again until it is",
            metadata: ["server": "\(location)", "reason": "\(problem)", "calls that wait": "\(calls.count)"])
    }

    private func handle(_ event: RedisLink.Event, from link: RedisLink) {
        guard link === self.link else { return }
        switch event {
        case .ready: ready(link)
        case .refused(let reply): refused(reply)
        case .lost(let reason):
            self.link = nil
            renewal?.cancel()
            if let reason { noteProblem(reason) }
        }
    }

    /// The server does not let us in, or cannot serve yet.
    private func refused(_ reply: String) {
        let word = reply.prefix { $0 != " " }
        if case .opening = state, ["WRONGPASS", "NOAUTH", "NOPERM", "ERR"].contains(word) {
            return fail(
                StorageError(
                    "cannot open \(location): Redis says \(reply): check user, password and database", code: .unusable))
        }
        noteProblem("Redis says \(reply)")
    }

    private func ready(_ link: RedisLink) {
        dialer?.succeeded()
        switch state {
        case .opening(let owner, _): takeLease(owner, over: link, insteadOf: nil)
        case .open(_, let epoch), .closing(_, let epoch): attach(link, epoch: epoch)
        case .closed, .lost: break
        }
    }

    private func takeLease(_ owner: StorageOwner, over link: RedisLink, insteadOf dead: RedisOwner?) {
        var words = RedisWords()
        words.add(identity.text)
        words.add(leaseMilliseconds)
        words.add(dead?.text ?? "")
        words.add("\(owner.role.rawValue):\(owner.name)")
        words.add(identity.instance)
        words.add("address", owner.address ?? "")
        words.add("owner", identity.shown)
        link.evaluate(.open, keys: [base, owners, "\(location.prefix)place"], words) { frame in
            guard frame.kind(ofToken: 0) == .array else { return self.openingFailed(frame) }
            if frame.value(ofToken: 1) == 1 {
                self.place = String(decoding: frame.bytes(ofToken: 3), as: UTF8.self)
                self.opened(owner, epoch: String(decoding: frame.bytes(ofToken: 2), as: UTF8.self), over: link)
            } else {
                let holder = String(decoding: frame.bytes(ofToken: 2), as: UTF8.self)
                let address = String(decoding: frame.bytes(ofToken: 4), as: UTF8.self)
                self.held(
                    owner, by: RedisOwner(holder), address: address.isEmpty ? nil : address,
                    forMilliseconds: frame.value(ofToken: 3), over: link)
            }
        }
    }

    private func openingFailed(_ frame: RESPFrame) {
        fail(error(of: frame, Self.unwrap(RESPValue(frame).text ?? "an answer that is none")))
    }

    private func held(
        _ owner: StorageOwner, by holder: RedisOwner?, address: String?, forMilliseconds rest: Int,
        over link: RedisLink
    ) {
        switch holder?.life(seenFrom: identity) {
        case .dead?: return takeLease(owner, over: link, insteadOf: holder)
        case .unknown? where !hasWaitedForLease, nil where !hasWaitedForLease:
            // It may have died elsewhere. If it lives it has renewed its lease by the time that this one would end.
            hasWaitedForLease = true
            options.logger.notice(
                "the jobs of this node are held by another process; waiting whether it is still there",
                metadata: ["process": "\(holder?.shown ?? "?")", "seconds": "\(rest / 1000 + 1)"])
            _ = schedule(Double(max(0, rest)) / 1000 + 0.1) {
                guard self.link === link, case .opening = self.state else { return }
                self.takeLease(owner, over: link, insteadOf: nil)
            }
        default:
            fail(.held(by: owner.name, address: address, detail: holder?.shown))
        }
    }

    private func opened(_ owner: StorageOwner, epoch: String, over link: RedisLink) {
        guard case .opening(_, let done) = state else { return }
        state = .open(owner, epoch: epoch)
        lastProblem = nil
        patience?.cancel()
        scheduleRenewal()
        done(.success(()))
    }

    /// A new connection in the place of one that was lost: what that one still has under way is refused from now on.
    private func attach(_ link: RedisLink, epoch: String) {
        connectionNumber += 1
        var words = RedisWords()
        words.add(epoch)
        words.add(connectionNumber)
        link.evaluate(.attach, keys: [base], words) { frame in
            guard frame.kind(ofToken: 0) == .integer else { return self.callFailed(frame, link) }
            if self.lastProblem != nil {
                self.options.logger.notice("Redis is there again", metadata: ["server": "\(self.location)"])
            }
            self.lastProblem = nil
            self.scheduleRenewal()
            self.link?.isAttached = true
            for call in self.calls { self.send(call, over: link) }
            self.finishClosing()
        }
    }

    private var owners: String { "\(location.prefix)owners" }
    private var leaseMilliseconds: Int { Int(min(options.lease, 1e6) * 1000) }

    // MARK: The lease

    private func scheduleRenewal() {
        link?.isAttached = true
        renewal?.cancel()
        renewal = schedule(options.lease / 3) { self.renew() }
    }

    private func renew() {
        guard let link, let epoch else { return }
        var words = RedisWords()
        words.add(epoch)
        words.add(identity.text)
        words.add(leaseMilliseconds)
        var isAnswered = false
        link.evaluate(.renew, keys: [base], words) { frame in
            isAnswered = true
            guard frame.kind(ofToken: 0) == .integer else { return self.callFailed(frame, link) }
            self.scheduleRenewal()
        }
        // A server, or a network, that swallows what we send.
        renewal = schedule(max(5, options.lease)) {
            if !isAnswered, self.link === link { link.close(reason: "no answer from Redis") }
        }
    }

    private var epoch: String? {
        switch state {
        case .open(_, let epoch), .closing(_, let epoch): epoch
        case .closed, .opening, .lost: nil
        }
    }

    // MARK: Calls

    private func call(
        _ script: RedisScript, keys: [String] = [], _ words: RedisWords,
        _ answer: @escaping (Result<RESPFrame, StorageError>) -> Void
    ) {
        switch state {
        case .open: break
        case .lost(let error): return answer(.failure(error))
        case .closed, .opening, .closing: return answer(.failure(.notOpen))
        }
        lastNumber += 1
        let call = Call(number: lastNumber, script: script, keys: keys, words: words, answer: answer)
        calls.append(call)
        if let link, link.isAttached { send(call, over: link) }
    }

    private func send(_ call: Call, over link: RedisLink) {
        guard let epoch else { return }
        var words = RedisWords()
        words.add(epoch)
        words.add(connectionNumber)
        words.add(call.number)
        if call.script == .save { words.add(calls.first?.number ?? call.number) }
        words.add(call.words)
        link.evaluate(call.script, keys: [base] + call.keys, words) { frame in
            guard frame.kind(ofToken: 0) != .error else { return self.callFailed(frame, link) }
            self.calls.popFirst()?.answer(.success(frame))
            self.finishClosing()
        }
    }

    /// A call, or a renewal, was answered with an error.
    private func callFailed(_ frame: RESPFrame, _ link: RedisLink) {
        let text = Self.unwrap(RESPValue(frame).text ?? "")
        switch text.prefix(while: { $0 != " " }) {
        case "LOST":
            let holder = RedisOwner(String(text.dropFirst(5)))?.shown ?? "another process"
            lose(StorageError("\(holder) has taken over the jobs in \(location)", code: .lost))
        case "NOSCRIPT", "READONLY", "LOADING", "MASTERDOWN", "STALE", "NOAUTH", "UNBLOCKED":
            // Not the fault of the call: it is sent again over a new connection.
            link.close(reason: "Redis says \(text)")
        default:
            calls.popFirst()?.answer(.failure(error(of: frame, text)))
            finishClosing()
        }
    }

    /// Redis 6 wraps what a command within a script says: `ERR Error running script (…): …: -OOM command not allowed`.
    private static func unwrap(_ text: String) -> String {
        for code in ["-OOM ", "-MISCONF ", "-READONLY ", "-NOPERM ", "-WRONGTYPE "] {
            if let range = text.firstRange(of: code) { return String(text[range.lowerBound...].dropFirst()) }
        }
        return text
    }

    private func error(of frame: RESPFrame, _ text: String) -> StorageError {
        if text.hasPrefix("OOM") {
            return StorageError(
                "\(location) is at its memory limit: raise maxmemory or remove data; nothing was stored", code: .full)
        }
        if text.hasPrefix("MISCONF") {
            return StorageError("\(location) cannot write to its disk: make room there: \(text)", code: .full)
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

    private func fail(_ error: StorageError) {
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
        case .opening:
            fail(.notOpen)
            return done()
        case .closing: closers.append(done)
        case .open(let owner, let epoch):
            closers.append(done)
            state = .closing(owner, epoch: epoch)
            // A server that is away now may stay away: the lease ends by itself.
            _ = schedule(10) { self.finishClosing(isForced: true) }
            finishClosing()
        }
    }

    /// Gives the lease back when every call before has been answered.
    private func finishClosing(isForced: Bool = false) {
        guard case .closing(_, let epoch) = state else { return }
        if isForced {
            endConnection()
            return closed()
        }
        guard calls.isEmpty, let link, link.isAttached else { return }
        var words = RedisWords()
        words.add(epoch)
        link.evaluate(.close, keys: [base], words) { _ in
            guard case .closing = self.state else { return }
            self.endConnection()
            self.closed()
        }
    }

    private func closed() {
        state = .closed
        answerAll(.failure(StorageError("\(location) was closed before the answer came")))
        let closers = closers
        self.closers = []
        for closer in closers { closer() }
    }

    private func schedule(_ seconds: Double, _ task: @escaping () -> Void) -> Scheduled<Void> {
        loop.assumeIsolated().scheduleTask(in: .microseconds(Int64(min(seconds, 1e9) * 1_000_000)), task)
    }
}

// MARK: - The calls of the protocol

extension RedisCore {
    func save(_ jobs: [Job], _ done: @escaping (Result<Set<JobID>, StorageError>) -> Void) {
        var words = RedisWords()
        for job in jobs {
            var record = RedisWords()
            RedisRecord.write(job, to: &record)
            words.add(job.id)
            words.add(record.count)
            words.add(record)
        }
        call(.save, words) { result in
            done(
                result.map { frame in
                    Set((1..<frame.tokenCount).compactMap { JobID(hexadecimal: frame.bytes(ofToken: $0)) })
                })
        }
    }

    func apply(_ changes: [JobChange], _ done: @escaping (Result<Void, StorageError>) -> Void) {
        var words = RedisWords()
        words.add(Int(Timestamp.now.microseconds / 1000))
        words.add(options.maximumFinished)
        words.add(Int(options.maximumFinishedAge * 1000))
        for change in changes {
            switch change {
            case .update(let job, let report):
                words.add("U", job.id)
                words.add(job.status.isFinished ? 1 : 0)
                var record = RedisWords()
                RedisRecord.write(job, to: &record)
                words.add(record.count)
                words.add(record)
                add(report, to: &words)
            case .remove(let id, let report):
                words.add("R", id)
                add(report, to: &words)
            case .taken(let key): words.add("T", Self.text(key))
            }
        }
        call(.apply, words) { result in done(result.map { _ in }) }
    }

    private func add(_ report: StoredReport?, to words: inout RedisWords) {
        guard let report else { return words.add(0) }
        words.add(1)
        words.add(Self.text(report.report.key))
        var record = RedisWords()
        RedisRecord.write(report, to: &record)
        words.add(record.count)
        words.add(record)
    }

    /// Sorts as the keys do: the run as ten digits, of which even the lowest is not negative.
    private static func text(_ key: JobReport.Key) -> String {
        let run = String(Int64(key.run) + 1 << 31)
        return "\(key.id).\(String(repeating: "0", count: 10 - run.count))\(run)"
    }

    func load(_ id: JobID, _ done: @escaping (Result<Job?, StorageError>) -> Void) {
        var words = RedisWords()
        words.add(id)
        call(.load, words) { result in
            done(
                result.flatMap { frame in
                    if frame.value(ofToken: 0) == 0 { return .success(nil) }
                    guard let job = RedisRecord.job(frame, at: 0) else { return .failure(self.damaged("\(id)")) }
                    return .success(job)
                })
        }
    }

    func jobs(after id: JobID?, limit: Int, _ done: @escaping (Result<[Job], StorageError>) -> Void) {
        page(.jobs, after: id?.description, limit: limit, read: RedisRecord.job, done)
    }

    func reports(
        after key: JobReport.Key?, limit: Int, _ done: @escaping (Result<[StoredReport], StorageError>) -> Void
    ) {
        page(.reports, after: key.map(Self.text), limit: limit, read: RedisRecord.report, done)
    }

    private func page<Value>(
        _ script: RedisScript, after key: String?, limit: Int, read: @escaping (RESPFrame, Int) -> Value?,
        _ done: @escaping (Result<[Value], StorageError>) -> Void
    ) {
        var words = RedisWords()
        words.add(key.map { "(\($0)" } ?? "-")
        words.add(max(0, limit))
        call(script, words) { result in
            done(
                result.flatMap { frame in
                    var values: [Value] = []
                    var token = 1
                    while token < frame.tokenCount {
                        guard let value = read(frame, token) else { return .failure(self.damaged("\(token)")) }
                        values.append(value)
                        token += 1 + frame.value(ofToken: token)
                    }
                    return .success(values)
                })
        }
    }

    func abandoned(_ done: @escaping (Result<[String], StorageError>) -> Void) {
        var words = RedisWords()
        words.add(location.prefix)
        call(.abandoned, keys: [owners], words) { result in
            done(
                result.map { frame in
                    (1..<frame.tokenCount).map { String(decoding: frame.bytes(ofToken: $0), as: UTF8.self) }
                })
        }
    }

    /// Moves, then reads what is noted as moved, and forgets the notes only when they have arrived: so nothing is missed,
    /// whichever of the calls has to be made again. One adoption at a time, as they share the notes.
    func adopt(
        _ node: String, defining names: Set<String>, after id: JobID?, limit: Int,
        _ done: @escaping (Result<AdoptedJobs, StorageError>) -> Void
    ) {
        let begin = {
            self.move(node, defining: names, after: id, limit: limit) { result in
                self.adoptions.removeFirst()
                done(result)
                self.adoptions.first?()
            }
        }
        adoptions.append(begin)
        if adoptions.count == 1 { begin() }
    }

    private func move(
        _ node: String, defining names: Set<String>, after id: JobID?, limit: Int,
        _ done: @escaping (Result<AdoptedJobs, StorageError>) -> Void
    ) {
        guard case .open(let owner, _) = state else { return done(.failure(.notOpen)) }
        var words = RedisWords()
        words.add(id.map { "(\($0)" } ?? "-")
        words.add(max(1, limit))
        words.add(owner.name)
        for name in names.sorted() { words.add(name) }
        var moved: Result<JobID?, StorageError> = .success(nil)
        call(.adopt, keys: ["\(location.prefix)node:\(node)"], words) { result in
            moved = result.map { JobID(hexadecimal: $0.bytes(ofToken: 0)) }
        }
        var read = RedisWords()
        read.add(0)
        call(.adopted, read) { result in
            let adopted = result.flatMap { self.adopted($0) }.flatMap { adopted in
                moved.map { AdoptedJobs(jobs: adopted.jobs, reports: adopted.reports, next: $0) }
            }
            guard case .success = adopted else { return done(adopted) }
            var forget = RedisWords()
            forget.add(1)
            self.call(.adopted, forget) { result in done(result.flatMap { _ in adopted }) }
        }
    }

    private func adopted(_ frame: RESPFrame) -> Result<AdoptedJobs, StorageError> {
        var adopted = AdoptedJobs(jobs: [], reports: [], next: nil)
        var token = 2
        for _ in 0..<frame.value(ofToken: 1) {
            // Of those that are gone again nothing is left.
            if let job = RedisRecord.job(frame, at: token) { adopted.jobs.append(job) }
            token += 1 + frame.value(ofToken: token)
        }
        let count = frame.value(ofToken: token)
        token += 1
        for _ in 0..<count {
            if let report = RedisRecord.report(frame, at: token) { adopted.reports.append(report) }
            token += 1 + frame.value(ofToken: token)
        }
        return .success(adopted)
    }

    private func damaged(_ what: String) -> StorageError {
        StorageError(
            "the record \(what) under \(base) in \(location) is none of this release: look at it with redis-cli",
            code: .unusable)
    }
}
