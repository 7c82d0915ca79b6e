internal import JobReactorCore
internal import JobReactorWire

/// The jobs of one running node, or those that have failed at a distributor and are kept there, asked of it. Each call has a
/// connection of its own.
struct NodePlace: StoragePlace {
    private let address: Address
    private let security: WireSecurity

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
        guard let role = field("role").flatMap(StorageOwner.Role.init), let name = field("name") else {
            throw StorageError(
                "\(address) is neither a node nor a distributor: name the --server of one", code: .unusable)
        }
        return [StoredOwner(role: role, name: name, isOpen: true, address: address.description)]
    }

    func jobs(of owner: StoredOwner, after id: JobID?, limit: Int) async throws(StorageError) -> [Job] {
        guard limit > 0 else { return [] }
        let after = id.map { ["AFTER", $0.description] } ?? []
        let reply = try await ask(["RECORDS"] + after + ["COUNT", "\(min(limit, 1000))"])
        var jobs: [Job] = []
        for record in reply.elements ?? [] { jobs.append(try job(record)) }
        return jobs
    }

    func load(_ id: JobID, of owner: StoredOwner) async throws(StorageError) -> Job? {
        let reply = try await ask(["RECORD", id.description])
        return reply.elements == nil ? nil : try job(reply)
    }

    private func job(_ record: RESPValue) throws(StorageError) -> Job {
        guard let job = record.elements.flatMap({ JobRecord.job($0) }) else {
            throw StorageError("\(address) answers with a record that is none of this release", code: .unusable)
        }
        return job
    }

    private func ask(_ words: [String]) async throws(StorageError) -> RESPValue {
        let reply: RESPValue
        do {
            let client = try await RESPClient.connect(
                to: address, security: security, limits: RESPLimits(frameBytes: 1 << 30, elements: 100_000_000))
            do {
                reply = try await client.send(words)
            } catch {
                await client.close()
                throw error
            }
            await client.close()
        } catch {
            let reason = (error as? WireError)?.reason ?? "\(error)"
            throw StorageError(
                "cannot ask \(address): \(reason): start it with --server \(address), or name another")
        }
        guard case .error(let text) = reply else { return reply }
        throw StorageError("\(address) says \(text)", code: .unusable)
    }
}
