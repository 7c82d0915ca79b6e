internal import JobReactorCore
internal import JobReactorLibraries
internal import JobReactorRedis
internal import JobReactorWire
internal import Logging

/// What the values of a setting look like, wherever they are written.
struct SettingKind<Value: Sendable>: Sendable {
    let shape: SettingShape
    /// For the help: `--window <jobs>`.
    let valueName: String
    /// Completes a sentence that begins with the name of the setting: `takes …`.
    let allowed: String
    /// Nil for what is not allowed. Only a list gets more or fewer than one text.
    let read: @Sendable ([String]) -> Value?

    init(
        _ shape: SettingShape, _ valueName: String, allowed: String, _ read: @escaping @Sendable (String) -> Value?
    ) {
        self.shape = shape
        self.valueName = valueName
        self.allowed = allowed
        self.read = { texts in texts.count == 1 ? texts.first.flatMap(read) : nil }
    }

    private init(
        _ shape: SettingShape, _ valueName: String, allowed: String, list read: @escaping @Sendable ([String]) -> Value?
    ) {
        self.shape = shape
        self.valueName = valueName
        self.allowed = allowed
        self.read = read
    }

    /// Rules for hosts: one at least, each text one of them or several with commas between.
    private static func rules<Rule>(
        allowed: String, _ read: @escaping @Sendable (String) -> Rule?
    ) -> SettingKind where Value == [Rule] {
        SettingKind(
            .list, "host", allowed: allowed,
            list: { texts in
                let words = texts.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
                let rules = words.compactMap { read(String($0)) }
                return rules.isEmpty || rules.count < words.count ? nil : rules
            })
    }

    /// The value, or an error that names the source and what is allowed.
    func value(of texts: [String], from source: String) throws(CommandFailure) -> Value {
        if let value = read(texts) { return value }
        let given = texts.joined(separator: ",")
        throw .usage("\(source) takes \(allowed), not \(given.isEmpty ? "an empty value" : "'\(given)'")")
    }

    /// The same values, for a setting that may be left out.
    var optional: SettingKind<Value?> {
        SettingKind<Value?>(shape, valueName, allowed: allowed, list: { texts in read(texts).map { .some($0) } })
    }
}

/// The JSON types that a setting has in a config file.
enum SettingShape: Sendable {
    case text
    case number
    case numberOrText
    case boolean
    /// An array of strings, or one string with commas.
    case list
}

// MARK: Plain kinds

extension SettingKind where Value == String {
    static let text = SettingKind(.text, "text", allowed: "a text") { $0.isEmpty ? nil : $0 }
    static let file = SettingKind(.text, "file", allowed: "the path of a file") { $0.isEmpty ? nil : $0 }
    static let directory = SettingKind(.text, "dir", allowed: "the path of a folder") { $0.isEmpty ? nil : $0 }
    /// Of a job or a node.
    static let name = SettingKind(
        .text, "name", allowed: "a name of 1 to 255 bytes without spaces and control characters"
    ) { Name.problem(in: $0) == nil ? $0 : nil }
}

extension SettingKind where Value == StorageLocation {
    static let storage = SettingKind(
        .text, "storage", allowed: "memory, sqlite:FILE, redis, or a URL such as redis://user:password@localhost:6379/0"
    ) { StorageLocation($0) }
}

extension SettingKind where Value == RedisLocation {
    static let redisURL = SettingKind(
        .text, "url", allowed: "a URL such as redis://localhost:6379/0 or rediss://user:password@host"
    ) { RedisLocation($0) }
}

extension SettingKind where Value == Bool {
    /// As swift-configuration reads them from the environment.
    static let boolean = SettingKind(.boolean, "bool", allowed: "true or false") { text in
        switch text.lowercased() {
        case "true", "yes", "1": true
        case "false", "no", "0": false
        default: nil
        }
    }
}

extension SettingKind where Value == Logger.Level {
    static let logLevel = SettingKind(
        .text, "level", allowed: "one of " + Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
    ) { Logger.Level(rawValue: $0.lowercased()) }
}

extension SettingKind where Value == String {
    static let userName = SettingKind(
        .text, "name", allowed: "the name of a user, of 1 to 64 bytes without spaces, '/' and ':'"
    ) { User.problem(in: $0) == nil ? $0 : nil }
}

extension SettingKind where Value == [DialRule] {
    static let dialRules = rules(
        allowed: "IP addresses, networks such as 10.0.0.0/8, and host names such as *.internal"
    ) { DialRule($0) }
}

extension SettingKind where Value == [HostRule] {
    static let hostRules = rules(
        allowed: "hosts, with or without a port, such as api.example.org, [::1]:6379 and *.example.org"
    ) { HostRule($0) }
}

// MARK: Numbers

extension SettingKind where Value == Int {
    static func wholeNumber(_ range: ClosedRange<Int>, _ valueName: String = "n") -> SettingKind {
        SettingKind(
            .number, valueName, allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)"
        ) { text in Int(text).flatMap { range.contains($0) ? $0 : nil } }
    }

    /// `512M`: K, M and G are powers of 1024.
    static func byteCount(_ range: ClosedRange<Int>) -> SettingKind {
        SettingKind(
            .numberOrText, "bytes",
            allowed: "bytes from \(ByteCount.text(range.lowerBound)) to \(ByteCount.text(range.upperBound)),"
                + " optionally with K, M or G"
        ) { text in ByteCount.read(text).flatMap { range.contains($0) ? $0 : nil } }
    }
}

extension SettingKind where Value == RetryBackoff {
    static let backoff = SettingKind(
        .text, "kind", allowed: RetryBackoff.allCases.map { "'\($0.rawValue)'" }.joined(separator: " or ")
    ) { RetryBackoff(rawValue: $0.lowercased()) }
}

/// What scripts are kept from.
enum SandboxMode: String, CaseIterable, Sendable {
    case off
    case strict
}

extension SettingKind where Value == SandboxMode {
    static let sandbox = SettingKind(.text, "mode", allowed: "off or strict") { SandboxMode(rawValue: $0.lowercased()) }
}

extension SettingKind where Value == CollectorAddress {
    static let collector = SettingKind(
        .text, "url", allowed: "a URL of http or https without a password and a query, such as http://localhost:4318"
    ) { CollectorAddress($0) }
}

/// How a server writes its log.
enum LogFormat: String, CaseIterable, Sendable {
    case text
    case json
}

extension SettingKind where Value == LogFormat {
    static let logFormat = SettingKind(.text, "format", allowed: "text or json") {
        LogFormat(rawValue: $0.lowercased())
    }
}

extension SettingKind where Value == Double {
    static let share = SettingKind(.number, "share", allowed: "a number from 0 to 1") { text in
        Double(text).flatMap { (0...1).contains($0) ? $0 : nil }
    }
    static let secondsAboveZero = SettingKind(
        .number, "seconds", allowed: "seconds above 0 up to 1000000000, fractions allowed"
    ) { text in
        Double(text).flatMap { $0 > 0 && $0 <= 1e9 ? $0 : nil }
    }
    /// From 0 to a hundred years; fractions allowed.
    static let seconds = SettingKind(
        .number, "seconds", allowed: "seconds from 0 to 3155760000, fractions allowed"
    ) { text in
        Double(text).flatMap { (0...3_155_760_000).contains($0) ? $0 : nil }
    }
}

/// Sizes as people write them.
enum ByteCount {
    static func read(_ text: String) -> Int? {
        let shift: Int? =
            switch text.last {
            case "K", "k": 10
            case "M", "m": 20
            case "G", "g": 30
            default: nil
            }
        guard let number = Int(shift == nil ? text[...] : text.dropLast()), number >= 0 else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: 1 << (shift ?? 0))
        return overflow ? nil : product
    }

    static func text(_ count: Int) -> String {
        for (shift, suffix) in [(30, "G"), (20, "M"), (10, "K")] where count > 0 && count % (1 << shift) == 0 {
            return "\(count >> shift)\(suffix)"
        }
        return "\(count)"
    }
}

// MARK: Addresses

extension SettingKind where Value == Address {
    /// Where to listen.
    static let listenAddress = SettingKind(
        .text, "host:port", allowed: "host:port, such as localhost:5000 or [::1]:5000 (port 0 for a free one)"
    ) { Address($0) }
    /// Where to connect to.
    static let address = SettingKind(
        .text, "host:port", allowed: "host:port, such as localhost:5000 or [::1]:5000"
    ) { text in Address(text).flatMap { $0.port == 0 ? nil : $0 } }
}

extension SettingKind where Value == [Address] {
    static let addresses = SettingKind(
        .list, "host:port", allowed: "host:port, such as localhost:5000, or several with commas between them",
        list: { texts in
            let words = texts.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
            let addresses = words.compactMap { SettingKind<Address>.address.read([String($0)]) }
            return addresses.isEmpty || addresses.count < words.count ? nil : addresses
        })
}
