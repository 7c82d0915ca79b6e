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
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
        init(_ field: JobField) { stringValue = field.name }
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        let table = JobFieldTable.standard
        self.init(
            id: try fields.decode(JobID.self, forKey: Key(table.id)),
            name: try fields.decode(String.self, forKey: Key(table.name)),
            args: try fields.decode(JobArguments.self, forKey: Key(table.args)),
            createdAt: try fields.decode(Timestamp.self, forKey: Key(table.dueAt)))
        for field in JobFieldTable.stored where field.isSettable {
            let key = Key(field)
            if !field.isAlwaysThere, try !fields.contains(key) || fields.decodeNil(forKey: key) { continue }
            guard field.set(&self, try Self.value(field.type, in: fields, key)) else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: fields, debugDescription: "\(field.name) takes \(field.type.allowed)")
            }
        }
    }

    private static func value(
        _ type: FieldType, in fields: KeyedDecodingContainer<Key>, _ key: Key
    ) throws -> FieldValue {
        switch type {
        case .id, .name, .text, .key, .choice: .text(try fields.decode(String.self, forKey: key))
        case .whole: .whole(try fields.decode(Int.self, forKey: key))
        case .seconds, .secondsAboveZero: .number(try fields.decode(Double.self, forKey: key))
        case .time: .time(try fields.decode(Timestamp.self, forKey: key))
        case .flag: .flag(try fields.decode(Bool.self, forKey: key))
        case .object: .object(try fields.decode(JobArguments.self, forKey: key).bytes)
        case .trace: .object(Array(try fields.decode(String.self, forKey: key).utf8))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        for field in JobFieldTable.stored {
            let key = Key(field)
            switch field.value(self) {
            case .text(let text)?: try fields.encode(text, forKey: key)
            case .whole(let number)?: try fields.encode(number, forKey: key)
            case .number(let number)?: try fields.encode(number, forKey: key)
            case .flag(let flag)?: try fields.encode(flag, forKey: key)
            case .time(let time)?: try fields.encode(time, forKey: key)
            case .object(let bytes)?: try fields.encode(String(decoding: bytes, as: UTF8.self), forKey: key)
            case nil: continue
            }
        }
    }
}
