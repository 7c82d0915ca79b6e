public import JobReactorCore
public import JobReactorWire

/// The jobs of all nodes on a Redis server, for inspection whether or not the nodes run. Each call uses its own
/// connection.
public struct RedisPlace: StoragePlace {
    public let location: RedisLocation
    private let tls: TransportSecurity?

    /// `tls` is for `rediss://`; nil trusts the system's authorities.
    public init(_ location: RedisLocation, tls: TransportSecurity? = nil) {
        self.location = location
        self.tls = tls
    }

    public func makeStorage() -> (any JobStorage)? {
        RedisStorage(location, options: RedisStorage.Options(patience: 5), tls: tls)
    }

    public func owners() async throws(StorageError) -> [StoredOwner] {
        try await connected { client throws(StorageError) in
            var owners: [StoredOwner] = []
            let names = try await client.call(["SMEMBERS", "\(location.prefix)owners"]).elements ?? []
            for text in names.compactMap(\.text).sorted() {
                let parts = text.split(separator: ":", maxSplits: 1)
                guard parts.count == 2, let role = StorageOwner.Role(rawValue: String(parts[0])) else { continue }
                let base = location.prefix + text
                let lease = try await client.call(["EXISTS", base + ":lease"])
                let address = try await client.call(["HGET", base, "address"]).text
                owners.append(
                    StoredOwner(
                        role: role, name: String(parts[1]), isOpen: lease.integer == 1,
                        address: address.flatMap { $0.isEmpty ? nil : $0 }))
            }
            return owners
        }
    }

    public func jobs(of owner: StoredOwner, after id: JobID?, limit: Int) async throws(StorageError) -> [Job] {
        try await page("ZRANGEBYLEX", of: owner, from: id.map { "(\($0)" } ?? "-", to: "+", limit)
    }

    public func jobs(of owner: StoredOwner, before id: JobID?, limit: Int) async throws(StorageError) -> [Job] {
        try await page("ZREVRANGEBYLEX", of: owner, from: id.map { "(\($0)" } ?? "+", to: "-", limit)
    }

    private func page(
        _ command: String, of owner: StoredOwner, from start: String, to end: String, _ limit: Int
    ) async throws(StorageError) -> [Job] {
        try await connected { client throws(StorageError) in
            let base = base(of: owner)
            var start = start
            while true {
                let reply = try await client.call([
                    command, base + ":jobs", start, end, "LIMIT", "0", "\(max(0, limit))",
                ])
                let ids = (reply.elements ?? []).compactMap(\.text)
                var page = RecordPage<Job>(limit: limit)
                for id in ids {
                    // One that is gone meanwhile is none.
                    if let job = try await record(base + ":job:" + id, client), !page.add(job) { break }
                }
                // Only a page after the last is empty.
                guard page.records.isEmpty, let last = ids.last else { return page.records }
                start = "(\(last)"
            }
        }
    }

    public func load(_ id: JobID, of owner: StoredOwner) async throws(StorageError) -> Job? {
        try await connected { client throws(StorageError) in
            try await record("\(base(of: owner)):job:\(id)", client)
        }
    }

    /// Why an owner cannot have keys of its own: `node:a:lease` is the lease of the node `a`, and would be the record of a
    /// node `a:lease`.
    static func problem(in owner: StorageOwner) -> StorageError? {
        let parts = owner.name.split(separator: ":", omittingEmptySubsequences: false).dropFirst()
        let suffixes: Set<Substring> = [
            "lease", "job", "jobs", "finished", "report", "reports", "known", "adopted",
            "control",
        ]
        guard let part = parts.first(where: suffixes.contains) else { return nil }
        return StorageError(
            "the name \(owner.name) cannot be used in Redis, because :\(part) is the end of the name of a key: choose another name",
            code: .unusable)
    }

    private func base(of owner: StoredOwner) -> String { "\(location.prefix)\(owner.role.rawValue):\(owner.name)" }

    private func record(_ key: String, _ client: Client) async throws(StorageError) -> Job? {
        let words = try await client.call(["HGETALL", key]).elements ?? []
        return words.isEmpty ? nil : JobRecord.job(words)
    }

    func connected<Value>(
        _ body: (Client) async throws(StorageError) -> Value
    ) async throws(StorageError) -> Value {
        let connection: RESPClient
        do {
            var context = tls
            if context == nil, location.usesTLS { context = try TransportSecurity(TransportSecurity.Files()) }
            connection = try await RESPClient.connect(
                to: location.address, security: WireSecurity(tls: location.usesTLS ? context : nil))
        } catch {
            let reason = (error as? WireError)?.reason ?? "\(error)"
            throw StorageError(
                "cannot reach \(location): \(reason): start a Redis server there, or give another address")
        }
        let client = Client(connection: connection, location: location)
        do throws(StorageError) {
            if let password = location.password {
                _ = try await client.call(["AUTH"] + [location.user, password].compactMap { $0 })
            }
            if location.database != 0 { _ = try await client.call(["SELECT", "\(location.database)"]) }
            let value = try await body(client)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }

    struct Client {
        let connection: RESPClient
        let location: RedisLocation

        func call(_ words: [String]) async throws(StorageError) -> RESPValue {
            let reply: RESPValue
            do { reply = try await connection.send(words) } catch { throw StorageError("\(location): \(error)") }
            if case .error(let text) = reply { throw StorageError("\(location) says \(text)", code: .unusable) }
            return reply
        }
    }
}
