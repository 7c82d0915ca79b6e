internal import DequeModule
internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// From nothing to a lease on the owner's jobs, and back to it over each new connection.
extension RedisCore {
    func open(_ owner: StorageOwner, _ done: @escaping (Result<Void, StorageError>) -> Void) {
        switch state {
        case .closed: break
        case .opening(let holder, _), .open(let holder, _), .closing(let holder, _):
            return done(.failure(.held(by: holder.name, address: holder.address, detail: "in this process")))
        case .lost(let error): return done(.failure(error))
        }
        let security: WireSecurity
        do throws(WireError) {
            try location.address.validate()
            var context = tls
            if context == nil, location.usesTLS { context = try TransportSecurity(TransportSecurity.Files()) }
            security = WireSecurity(tls: location.usesTLS ? context : nil)
        } catch {
            return done(.failure(StorageError("\(location): \(error)", code: .unusable)))
        }
        if let problem = RedisPlace.problem(in: owner) { return done(.failure(problem)) }
        state = .opening(owner, done)
        identity = RedisOwner()
        base = "\(location.prefix)\(owner.role.rawValue):\(owner.name)"
        connectionNumber = 1
        lastNumber = 0
        holderDeadline = nil
        // Back in time to renew its lease before others may take over.
        let dialer = Dialer(
            to: location.address, on: loop, security: security, logger: quiet, longestWait: min(10, options.lease / 3)
        ) { self.makeConnection() }
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
    var setup: [[String]] {
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
            "Redis is not reachable; trying again until it is",
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
    func refused(_ reply: String) {
        if case .opening = state, !Self.mayPass(reply),
            ["WRONGPASS", "NOAUTH", "NOPERM", "ERR"].contains(Self.code(of: reply))
        {
            return fail(
                StorageError(
                    "cannot open \(location): Redis says \(reply): check user, password and database", code: .unusable))
        }
        noteProblem("Redis says \(reply)")
    }

    func ready(_ link: RedisLink) {
        switch state {
        case .opening(let owner, _): takeLease(owner, over: link, insteadOf: nil)
        case .open(_, let epoch):
            onReconnect()
            attach(link, epoch: epoch)
        case .closing(_, let epoch?): attach(link, epoch: epoch)
        case .closing(_, nil):
            link.isAttached = true
            finishClosing()
        case .closed, .lost: break
        }
    }

    private func takeLease(_ owner: StorageOwner, over link: RedisLink, insteadOf dead: RedisOwner?) {
        var words = RESPWords()
        words.add(identity.text)
        words.add(leaseMilliseconds)
        words.add(dead?.text ?? "")
        words.add("\(owner.role.rawValue):\(owner.name)")
        words.add(identity.instance)
        words.add("address", owner.address ?? "")
        words.add("owner", identity.shown)
        link.evaluate(.open, keys: [base, owners, "\(location.prefix)place", served], words) { frame in
            guard case .opening = self.state else { return }
            guard frame.kind(ofToken: 0) == .array else { return self.openingFailed(frame, link) }
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

    private func openingFailed(_ frame: RESPFrame, _ link: RedisLink) {
        let text = Self.unwrap(RESPValue(frame).text ?? "an invalid answer")
        // The loss of the connection is told with the reason, and the next tries again.
        if Self.mayPass(text) { return link.close(reason: "Redis says \(text)") }
        fail(error(of: frame, text))
    }

    func held(
        _ owner: StorageOwner, by holder: RedisOwner?, address: String?, forMilliseconds rest: Int,
        over link: RedisLink
    ) {
        switch holder?.life(seenFrom: identity) {
        case .dead?: return takeLease(owner, over: link, insteadOf: holder)
        case .alive?: break
        case .unknown?, nil:
            // It may have died elsewhere. If it lives it has renewed its lease by the time that this one would end.
            let now = loop.now
            if holderDeadline == nil {
                options.logger.notice(
                    "the jobs of this node are held by another process; waiting to see whether it is still there",
                    metadata: ["process": "\(holder?.shown ?? "?")", "seconds": "\(rest / 1000 + 1)"])
            }
            let deadline = holderDeadline ?? now + .milliseconds(Int64(max(0, rest)) + 100)
            holderDeadline = deadline
            guard now < deadline else { break }
            // Asking now and then also tells the server that it serves without a gap.
            let wait = min(Double((deadline - now).nanoseconds) / 1e9, options.lease / 3)
            _ = schedule(wait + 0.01) {
                guard self.link === link, case .opening = self.state else { return }
                self.takeLease(owner, over: link, insteadOf: nil)
            }
            return
        }
        fail(.held(by: owner.name, address: address, detail: holder?.shown))
    }

    func opened(_ owner: StorageOwner, epoch: String, over link: RedisLink) {
        guard case .opening(_, let done) = state else { return }
        state = .open(owner, epoch: epoch)
        noteReached()
        patience?.cancel()
        attached(link)
        checkServer(over: link)
        done(.success(()))
    }

    /// Warns of a server that is set up to lose jobs. One that does not tell is not asked twice.
    private func checkServer(over link: RedisLink) {
        link.send(["INFO"]) { frame in
            let lines = (RESPValue(frame).text ?? "").split(whereSeparator: \.isNewline)
            func value(_ name: String) -> Substring? {
                lines.first { $0.hasPrefix(name + ":") }?.dropFirst(name.count + 1)
            }
            if let policy = value("maxmemory_policy"), policy != "noeviction", value("maxmemory") != "0" {
                self.options.logger.warning(
                    "Redis may evict jobs when it is full: set maxmemory-policy noeviction",
                    metadata: ["server": "\(self.location)", "maxmemory-policy": "\(policy)"])
            }
            if value("aof_enabled") == "0" {
                self.options.logger.warning(
                    "Redis loses the last jobs when it crashes: set appendonly yes",
                    metadata: ["server": "\(self.location)"])
            }
        }
    }

    /// A new connection in the place of one that was lost: what that one still has under way is refused from now on.
    /// It is the first command on the connection, and renews the lease.
    func attach(_ link: RedisLink, epoch: String) {
        connectionNumber += 1
        var words = leaseWords(epoch: epoch)
        words.add(connectionNumber)
        link.evaluate(.attach, keys: [base, served], words) { frame in
            guard frame.kind(ofToken: 0) == .integer else { return self.renewalFailed(frame, link) }
            self.noteReached()
            self.attached(link)
            for call in self.calls { self.send(call, over: link) }
            self.finishClosing()
        }
    }

    /// From now on calls go over the connection.
    private func attached(_ link: RedisLink) {
        link.isAttached = true
        attachedAt = loop.now
        dialer?.succeeded()
        scheduleRenewal()
    }

    /// Says that it is over, when something was said of its beginning.
    private func noteReached() {
        guard lastProblem != nil else { return }
        lastProblem = nil
        options.logger.notice("Redis is reachable again", metadata: ["server": "\(location)"])
    }

    /// When the server served, for whoever asks whether a lease has ended because nobody could renew it.
    var served: String { "\(location.prefix)served" }
    var owners: String { "\(location.prefix)owners" }
    var leaseMilliseconds: Int { Int(min(options.lease, 1e6) * 1000) }
}
