internal import JobReactorCore
internal import JobReactorWire

/// What decides when jobs run: a hash of kind and name for each owner, and one for all who share the place.
extension RedisCore {
    private var leader: String { "\(location.prefix)leader" }
    private var shared: String { "\(location.prefix)control" }

    func change(
        _ changes: [ControlChange], saving jobs: [Job], _ done: @escaping (Result<Set<JobID>, StorageError>) -> Void
    ) {
        var words = RESPWords()
        words.add(owner)
        words.add(changes.count)
        for change in changes {
            switch change {
            case .set(let control):
                words.add(control.key.kind.isShared ? "SS" : "S", Self.field(control.key))
                words.add(control.value)
            case .remove(let key):
                words.add(key.kind.isShared ? "SR" : "R", Self.field(key))
                words.add("")
            }
        }
        add(jobs, to: &words)
        call(.control, keys: [leader, shared], words) { result in done(result.map(Self.ids)) }
    }

    func controls(_ done: @escaping (Result<[StoredControl], StorageError>) -> Void) {
        call(.controls, keys: [shared], RESPWords()) { result in
            done(
                result.map { frame in
                    var controls: [StoredControl] = []
                    for token in stride(from: 1, to: frame.tokenCount - 1, by: 2) {
                        let field = String(decoding: frame.bytes(ofToken: token), as: UTF8.self)
                        // Those of a kind that only a later release knows are left where they are.
                        guard let key = Self.key(field) else { continue }
                        controls.append(StoredControl(key, Array(frame.bytes(ofToken: token + 1))))
                    }
                    return controls.sorted { $0.key < $1.key }
                })
        }
    }

    /// Takes the lead where nobody has it who is alive.
    func lead(_ done: @escaping (Result<String?, StorageError>) -> Void) {
        var words = RESPWords()
        words.add(owner)
        words.add(location.prefix)
        let owner = owner
        call(.lead, keys: [leader, keys, "\(keys):looked"], words) { result in
            done(
                result.map { frame in
                    let leader = String(decoding: frame.bytes(ofToken: 0), as: UTF8.self)
                    if leader == owner { return nil }
                    return leader.split(separator: ":", maxSplits: 1).last.map(String.init) ?? leader
                })
        }
    }

    /// Those of the jobs that are unfinished at the place.
    func unfinished(_ ids: [JobID], _ done: @escaping (Result<Set<JobID>, StorageError>) -> Void) {
        var words = RESPWords()
        words.add(location.prefix)
        for id in ids { words.add(id) }
        call(.unfinished, keys: ["\(location.prefix)owners"], words) { result in done(result.map(Self.ids)) }
    }

    /// As the owners of the place are listed: `distributor:app`.
    var owner: String { String(base.dropFirst(location.prefix.count)) }

    private static func field(_ key: StoredControl.Key) -> String { "\(key.kind.rawValue):\(key.name)" }

    private static func key(_ field: String) -> StoredControl.Key? {
        guard let colon = field.utf8.firstIndex(of: UInt8(ascii: ":")),
            let kind = StoredControl.Kind(rawValue: String(field[..<colon]))
        else { return nil }
        return StoredControl.Key(kind, String(field[field.utf8.index(after: colon)...]))
    }
}
