internal import JobReactorCore
internal import JobReactorWire
internal import Logging

/// One setting: what it is called in each place where it can be set, what it takes, and what it is when nobody says.
struct Setting<Value: Sendable>: AnySetting {
    let key: String
    let flag: String
    let places: SettingPlaces
    let kind: SettingKind<Value>
    let fallback: Value
    let help: String
    /// The fallback as the help shows it; nil for none.
    let shownFallback: String?

    /// `key` names it in a config file; the environment variable and, without `flag`, the flag follow from it.
    init(
        _ key: String, flag: String? = nil, in places: SettingPlaces = .all, _ kind: SettingKind<Value>,
        default fallback: Value, shown: String? = nil, _ help: String
    ) {
        self.key = key
        self.flag = flag ?? key.replacing("_", with: "-")
        self.places = places
        self.kind = kind
        self.fallback = fallback
        self.help = help
        shownFallback = shown ?? Self.show(fallback)
    }

    /// A setting that nothing stands for when nobody says it.
    init<Wrapped>(
        _ key: String, flag: String? = nil, in places: SettingPlaces = .all, _ kind: SettingKind<Wrapped>,
        shown: String? = nil, _ help: String
    ) where Value == Wrapped? {
        self.init(key, flag: flag, in: places, kind.optional, default: nil, shown: shown, help)
    }

    var shape: SettingShape { kind.shape }
    var valueName: String { kind.valueName }
    var allowed: String { kind.allowed }
    func allows(_ texts: [String]) -> Bool { kind.read(texts) != nil }

    private static func show(_ value: Value) -> String? {
        if Mirror(reflecting: value).displayStyle == .optional { return nil }
        return switch value {
        case let number as Double where number == number.rounded(): "\(Int(number))"
        case let level as Logger.Level: level.rawValue
        case let backoff as RetryBackoff: backoff.rawValue
        case let list as [Address]: list.map(\.description).joined(separator: ",")
        default: "\(value)"
        }
    }
}

/// Where a setting can be set, beside the environment.
struct SettingPlaces: OptionSet, Sendable {
    let rawValue: Int

    static let flag = SettingPlaces(rawValue: 1)
    static let file = SettingPlaces(rawValue: 2)
    static let all: SettingPlaces = [.flag, .file]
}

/// A setting of any type of value, for the config file and the help.
protocol AnySetting: Sendable {
    var key: String { get }
    var flag: String { get }
    var places: SettingPlaces { get }
    var shape: SettingShape { get }
    var valueName: String { get }
    var allowed: String { get }
    var help: String { get }
    var shownFallback: String? { get }
    func allows(_ texts: [String]) -> Bool
}

extension AnySetting {
    var environmentName: String { "JOBREACTOR_" + key.uppercased() }
}
