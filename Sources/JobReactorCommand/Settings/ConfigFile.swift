internal import Configuration
private import JobReactorCore

/// A config file: one JSON object, whose keys and values are checked as a whole, also those that the command at hand does
/// not use, so that a mistake shows at once and not in production.
struct ConfigFile: Sendable {
    /// Its settings: a string for each, an array of strings for a list.
    let provider: InMemoryProvider

    init(_ path: String) throws(CommandFailure) {
        let file = try ReadFile(path, for: "--config or JOBREACTOR_CONFIG")
        let members = try Self.members(of: file.bytes, in: path)
        if members["password"] != nil { try file.checkPrivacy("has a password") }
        try self.init(members, from: path)
    }

    /// For a file that was read; errors name `path`.
    init(_ bytes: [UInt8], from path: String) throws(CommandFailure) {
        try self.init(Self.members(of: bytes, in: path), from: path)
    }

    private init(_ members: [String: JSONValue], from path: String) throws(CommandFailure) {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        // Sorted, so that of several mistakes the same one is told each time.
        for (key, value) in members.sorted(by: { $0.key < $1.key }) {
            let setting = try Self.setting(key, in: path)
            let isSecret = key == "password"
            guard let texts = Self.texts(of: value, as: setting.shape), setting.allows(texts) else {
                let shown = isSecret ? "" : ", not \(value.json)"
                throw .usage("\(path): \(key) takes \(setting.allowed)\(shown)")
            }
            if case .list = setting.shape {
                values[AbsoluteConfigKey([key])] = ConfigValue(.stringArray(texts), isSecret: isSecret)
            } else if let text = texts.first {
                values[AbsoluteConfigKey([key])] = ConfigValue(.string(text), isSecret: isSecret)
            }
        }
        provider = InMemoryProvider(name: path, values: values)
    }

    private static func members(of bytes: [UInt8], in path: String) throws(CommandFailure) -> [String: JSONValue] {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: bytes) } catch {
            let before = bytes.prefix(error.offset)
            let line = before.count { $0 == UInt8(ascii: "\n") } + 1
            let column = before.reversed().prefix { $0 != UInt8(ascii: "\n") }.count + 1
            throw .usage("\(path):\(line):\(column): invalid JSON: \(error.reason)")
        }
        guard let members = value.object else {
            throw .usage("\(path) must be one JSON object of settings, such as {\"max_attempt\": 3}")
        }
        return members
    }

    private static func setting(_ key: String, in path: String) throws(CommandFailure) -> any AnySetting {
        let known = SettingTable.all.filter { $0.places.contains(.file) }
        if let setting = known.first(where: { $0.key == key }) { return setting }
        // A flag's name is a near miss too: max-attempt, jobs.
        if let setting = known.first(where: { $0.flag == key }) {
            throw .usage("\(path): unknown key '\(key)': write \(setting.key)")
        }
        let keys = known.map(\.key)
        let hint =
            NearestName.find(key, among: keys).map { "did you mean \($0)?" }
            ?? "the keys are \(keys.joined(separator: ", "))"
        throw .usage("\(path): unknown key '\(key)': \(hint)")
    }

    /// The texts that the environment would have for a value; nil when it has another type.
    private static func texts(of value: JSONValue, as shape: SettingShape) -> [String]? {
        switch (shape, value) {
        case (.text, .string(let text)), (.numberOrText, .string(let text)): [text]
        case (.number, .integer(let number)), (.numberOrText, .integer(let number)): ["\(number)"]
        case (.number, .number(let number)), (.numberOrText, .number(let number)): ["\(number)"]
        case (.boolean, .bool(let flag)): ["\(flag)"]
        case (.list, .string(let text)): [text]
        case (.list, .array(let elements)):
            elements.allSatisfy { $0.string != nil } ? elements.compactMap(\.string) : nil
        default: nil
        }
    }
}
