internal import JobReactorCore
internal import JobReactorWire

/// The audit log: entries as JSON, of which no two are the same, in the order of their time.
extension RedisCore {
    func note(_ entries: [AuditEntry], _ done: @escaping (Result<Void, StorageError>) -> Void) {
        guard let last = entries.last else { return done(.success(())) }
        var words = RESPWords()
        words.add(AuditEntry.most)
        words.add(Int(last.at.advanced(bySeconds: -AuditEntry.seconds).microseconds / 1000))
        for entry in entries {
            words.add(Int(entry.at.microseconds / 1000))
            words.add(Self.json(entry))
        }
        call(.note, words) { result in done(result.map { _ in }) }
    }

    func audit(limit: Int, _ done: @escaping (Result<[AuditEntry], StorageError>) -> Void) {
        guard limit > 0 else { return done(.success([])) }
        var words = RESPWords()
        words.add(limit)
        call(.audit, words) { result in
            done(
                result.flatMap { frame in
                    var entries: [AuditEntry] = []
                    for token in 1..<max(1, frame.tokenCount) {
                        guard let entry = Self.entry(Array(frame.bytes(ofToken: token))) else {
                            return .failure(self.damaged("of the audit log"))
                        }
                        entries.append(entry)
                    }
                    return .success(entries)
                })
        }
    }

    /// Begins with the id, so that those of one millisecond are in order, too.
    private static func json(_ entry: AuditEntry) -> [UInt8] {
        JobArguments([
            ("id", .string(entry.id.description)), ("at", .integer(entry.at.microseconds)),
            ("user", .string(entry.user)), ("address", .string(entry.address)), ("command", .string(entry.command)),
            ("change", .string(entry.change)),
        ]).bytes
    }

    private static func entry(_ bytes: [UInt8]) -> AuditEntry? {
        guard let value = try? JSONValue(parsing: bytes), let id = value["id"]?.string.flatMap({ JobID($0) }),
            case .integer(let at)? = value["at"], let user = value["user"]?.string,
            let address = value["address"]?.string, let command = value["command"]?.string,
            let change = value["change"]?.string
        else { return nil }
        return AuditEntry(
            id: id, at: Timestamp(microseconds: at), user: user, address: address, command: command, change: change)
    }
}
