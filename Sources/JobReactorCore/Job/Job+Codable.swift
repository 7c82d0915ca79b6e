// Records as any encoder writes them, for storages of your own: names as everywhere, ids and args as text, times as whole
// microseconds. Whatever is encoded is decoded as equal, byte for byte.

extension JobID: Codable {
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let id = JobID(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "'\(text)' is not a job id"))
        }
        self = id
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension Timestamp: Codable {
    public init(from decoder: any Decoder) throws {
        self.init(microseconds: try decoder.singleValueContainer().decode(Int64.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(microseconds)
    }
}

extension JobArguments: Codable {
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        do {
            try self.init(json: text)
        } catch {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "\(error)"))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(String(decoding: bytes, as: UTF8.self))
    }
}

extension Job: Codable {
    private enum Field: String, CodingKey {
        case id, name, args, status, attempt, runs, distributor, period, node, trace, priority, unique, schedule, tick
        case again
        case uniqueFor = "unique_for"
        case onConflict = "on_conflict"
        case acceptedAt = "accepted_at"
        case isDeferred = "defer"
        case dueAt = "due_at"
        case runAt = "run_at"
        case failedAt = "failed_at"
        case makeAfter = "make_after"
        case notNode = "not_node"
        case maxAttempt = "max_attempt"
        case retryMultiplier = "retry_multiplier"
        case lastError = "last_error"
        case lastTraceback = "traceback"
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Field.self)
        let dueAt = try fields.decode(Timestamp.self, forKey: .dueAt)
        var options = JobOptions(
            period: try fields.decodeIfPresent(Double.self, forKey: .period),
            node: try fields.decodeIfPresent(String.self, forKey: .node),
            notNode: try fields.decodeIfPresent(String.self, forKey: .notNode),
            isDeferred: try fields.decode(Bool.self, forKey: .isDeferred),
            maxAttempt: try fields.decodeIfPresent(Int.self, forKey: .maxAttempt),
            retryMultiplier: try fields.decodeIfPresent(Double.self, forKey: .retryMultiplier),
            priority: try fields.decodeIfPresent(Int.self, forKey: .priority))
        if let key = try fields.decodeIfPresent(String.self, forKey: .unique) {
            options.unique = JobUnique(
                key, for: try fields.decodeIfPresent(Double.self, forKey: .uniqueFor) ?? 0,
                onConflict: try fields.decodeIfPresent(UniqueConflict.self, forKey: .onConflict) ?? .keep)
            options.unique?.acceptedAt = try fields.decodeIfPresent(Timestamp.self, forKey: .acceptedAt)
        }
        if let schedule = try fields.decodeIfPresent(String.self, forKey: .schedule) {
            options.tick = JobTick(schedule: schedule, at: try fields.decode(Timestamp.self, forKey: .tick))
        }
        self.init(
            id: try fields.decode(JobID.self, forKey: .id), name: try fields.decode(String.self, forKey: .name),
            args: try fields.decode(JobArguments.self, forKey: .args), options: options,
            distributor: try fields.decode(String.self, forKey: .distributor), createdAt: dueAt)
        status = try fields.decode(JobStatus.self, forKey: .status)
        attempt = try fields.decode(Int32.self, forKey: .attempt)
        runs = try fields.decode(Int32.self, forKey: .runs)
        runAt = try fields.decodeIfPresent(Timestamp.self, forKey: .runAt)
        failedAt = try fields.decodeIfPresent(Timestamp.self, forKey: .failedAt)
        makeAfter = try fields.decodeIfPresent(Double.self, forKey: .makeAfter)
        lastError = try fields.decodeIfPresent(String.self, forKey: .lastError)
        lastTraceback = try fields.decodeIfPresent(String.self, forKey: .lastTraceback)
        again = try fields.decodeIfPresent(JobArguments.self, forKey: .again)
        trace = try fields.decodeIfPresent(String.self, forKey: .trace).flatMap { JobTrace(json: $0.utf8) }
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Field.self)
        try fields.encode(id, forKey: .id)
        try fields.encode(name, forKey: .name)
        try fields.encode(args, forKey: .args)
        try fields.encode(status, forKey: .status)
        try fields.encode(attempt, forKey: .attempt)
        try fields.encode(runs, forKey: .runs)
        try fields.encode(isDeferred, forKey: .isDeferred)
        try fields.encode(dueAt, forKey: .dueAt)
        try fields.encode(distributor, forKey: .distributor)
        try fields.encodeIfPresent(runAt, forKey: .runAt)
        try fields.encodeIfPresent(failedAt, forKey: .failedAt)
        try fields.encodeIfPresent(makeAfter, forKey: .makeAfter)
        try fields.encodeIfPresent(period, forKey: .period)
        try fields.encodeIfPresent(node, forKey: .node)
        try fields.encodeIfPresent(notNode, forKey: .notNode)
        try fields.encodeIfPresent(maxAttempt, forKey: .maxAttempt)
        try fields.encodeIfPresent(retryMultiplier, forKey: .retryMultiplier)
        try fields.encodeIfPresent(lastError, forKey: .lastError)
        try fields.encodeIfPresent(lastTraceback, forKey: .lastTraceback)
        try fields.encodeIfPresent(trace?.json, forKey: .trace)
        try fields.encodeIfPresent(priority, forKey: .priority)
        if let unique {
            try fields.encodeIfPresent(unique.key, forKey: .unique)
            try fields.encode(unique.seconds, forKey: .uniqueFor)
            try fields.encode(unique.onConflict, forKey: .onConflict)
            try fields.encodeIfPresent(unique.acceptedAt, forKey: .acceptedAt)
        }
        try fields.encodeIfPresent(tick?.schedule, forKey: .schedule)
        try fields.encodeIfPresent(tick?.at, forKey: .tick)
        try fields.encodeIfPresent(again, forKey: .again)
    }
}
