internal import JobReactorCore
internal import JobReactorWire

/// The jobs of one running node, or those of a distributor, asked of it. Each call has a connection of its own.
///
/// What the peer answers is checked: pages that do not go on, or have more than was asked for, would be read for ever.
struct NodePlace: StoragePlace {
    private let address: Address
    private let security: WireSecurity

    /// What a peer may answer at once: a page of a storage, and one record more that is as large.
    private static let limits = RESPLimits(frameBytes: 256 << 20, elements: 100_000)

    init(_ address: Address, security: WireSecurity) {
        self.address = address
        self.security = security
    }

    func makeStorage() -> (any JobStorage)? { nil }

    func owners() async throws(StorageError) -> [StoredOwner] {
        let info = try await ask(["INFO", "server"]).text ?? ""
        let lines = info.split(whereSeparator: \.isNewline)
        func field(_ name: String) -> String? {
            lines.first { $0.hasPrefix(name + ":") }.map { String($0.dropFirst(name.count + 1)) }
        }
        guard let role = field("role").flatMap(StorageOwner.Role.init), let name = field("name"),
            Name.problem(in: name) == nil
        else {
            throw StorageError(
                "\(address) is neither a node nor a distributor: give the address of one",
                code: .unusable)
        }
        return [StoredOwner(role: role, name: name, isOpen: true, address: address.description)]
    }

    func jobs(of owner: StoredOwner, after id: JobID?, limit: Int) async throws(StorageError) -> [Job] {
        guard limit > 0 else { return [] }
        let query = RecordQuery(.oldestFirst, from: id, count: min(limit, ClientCommand.mostRows))
        return try await rows(query, of: owner)?.map(\.job) ?? []
    }

    func load(_ id: JobID, of owner: StoredOwner) async throws(StorageError) -> Job? {
        try await find(id, of: owner)?.job
    }

    func find(_ id: JobID, of owner: StoredOwner) async throws(StorageError) -> JobMonitor.Found? {
        let reply = try await ask(["RECORD", id.description])
        guard reply.elements != nil else { return nil }
        let found = try row(reply, of: owner)
        guard found.job.id == id else { throw unusable("a record of another job") }
        return found
    }

    /// The next jobs that are meant, and the last that was looked at; nil at the end.
    func page(
        of owner: StoredOwner, _ query: RecordQuery
    ) async throws(StorageError) -> (found: [JobMonitor.Found], last: JobID?) {
        guard let rows = try await rows(query, of: owner) else { return try await oldPage(of: owner, query) }
        return (rows.filter { query.filter.matches($0.job) }, rows.last?.job.id)
    }

    /// As ``page(of:_:)``, of a peer of an earlier release, which answers pages from the oldest on and looks for nothing: for the
    /// newest all of them are read.
    private func oldPage(
        of owner: StoredOwner, _ query: RecordQuery
    ) async throws(StorageError) -> (found: [JobMonitor.Found], last: JobID?) {
        func meant(_ jobs: some Sequence<Job>) -> [JobMonitor.Found] {
            jobs.filter(query.filter.matches).map { JobMonitor.Found(job: $0, owner: owner) }
        }
        guard query.order == .newestFirst else {
            let jobs = try await jobs(of: owner, after: query.start, limit: 500)
            return (meant(jobs), jobs.last?.id)
        }
        var found: [JobMonitor.Found] = []
        var last: JobID?
        while true {
            let jobs = try await jobs(of: owner, after: last, limit: 500)
            let before = jobs.prefix { job in query.start.map { job.id < $0 } ?? true }
            found = Array((found + meant(before)).suffix(query.count))
            guard let next = jobs.last?.id, before.count == jobs.count else {
                return (found.reversed(), found.first?.job.id)
            }
            last = next
        }
    }

    /// Nil where the peer is of an earlier release and does not know such a query.
    private func rows(
        _ query: RecordQuery, of owner: StoredOwner
    ) async throws(StorageError) -> [JobMonitor.Found]? {
        let reply = try await send(query.words)
        if case .error(let text) = reply {
            if text.hasPrefix("ERR RECORDS takes AFTER id and COUNT n") { return nil }
            throw refusal(text)
        }
        let records = reply.elements ?? []
        guard records.count <= query.count else { throw unusable("more records than requested") }
        var rows: [JobMonitor.Found] = []
        var last = query.start
        for record in records {
            let next = try row(record, of: owner)
            if let last {
                let goesOn = query.order == .oldestFirst ? last < next.job.id : next.job.id < last
                guard goesOn else { throw unusable("records out of order") }
            }
            last = next.job.id
            rows.append(next)
        }
        return rows
    }

    private func row(_ record: RESPValue, of owner: StoredOwner) throws(StorageError) -> JobMonitor.Found {
        guard let words = record.elements, let job = JobRecord.job(words) else {
            throw unusable("a record of another release")
        }
        var found = JobMonitor.Found(job: job, owner: owner)
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            switch words[index].text {
            case "on_node": found.node = words[index + 1].text.map { $0.prefix(ofBytes: JobLimits.nameBytes) }
            case "waits_for": found.waitsFor = words[index + 1].text.map { $0.prefix(ofBytes: 1000) }
            default: break
            }
        }
        return found
    }

    // MARK: Asking

    private func ask(_ words: [String]) async throws(StorageError) -> RESPValue {
        let reply = try await send(words)
        if case .error(let text) = reply { throw refusal(text) }
        return reply
    }

    private func refusal(_ text: String) -> StorageError {
        StorageError("\(address) says \(text)", code: .unusable)
    }

    private func unusable(_ what: String) -> StorageError {
        StorageError("\(address) answers with \(what)", code: .unusable)
    }

    /// The reply, which may be an error.
    private func send(_ words: [String]) async throws(StorageError) -> RESPValue {
        do {
            let client = try await RESPClient.connect(to: address, security: security, limits: Self.limits)
            do {
                let reply = try await client.send(words)
                await client.close()
                return reply
            } catch {
                await client.close()
                throw error
            }
        } catch {
            let reason = (error as? WireError)?.reason ?? "\(error)"
            throw StorageError(
                "cannot ask \(address): \(reason): start the server there, or give another address")
        }
    }
}
