internal import ArgumentParser
private import JobReactorCore
private import Logging

// Flags take their name and their help from the table of settings. All of them are read as text, so that a wrong value
// is told in the same words wherever it stands.

extension Option {
    init<Kind>(_ setting: KeyPath<SettingTable, Setting<Kind>>) where Value == String? {
        let setting = SettingTable.standard[keyPath: setting]
        // A negative number is a value, too, and told to be wrong.
        self.init(
            name: .customLong(setting.flag), parsing: .unconditional, help: setting.argumentHelp,
            completion: setting.completion)
    }

    init<Kind>(wrappedValue: [String], _ setting: KeyPath<SettingTable, Setting<Kind>>) where Value == [String] {
        let setting = SettingTable.standard[keyPath: setting]
        self.init(
            wrappedValue: wrappedValue, name: .customLong(setting.flag), parsing: .unconditionalSingleValue,
            help: setting.argumentHelp, completion: setting.completion)
    }
}

extension Flag where Value == Bool? {
    /// `--flag` and `--no-flag`.
    init<Kind>(_ setting: KeyPath<SettingTable, Setting<Kind>>) {
        let setting = SettingTable.standard[keyPath: setting]
        self.init(name: .customLong(setting.flag), inversion: .prefixedNo, help: setting.argumentHelp)
    }
}

extension AnySetting {
    var argumentHelp: ArgumentHelp {
        let fallback = shownFallback.map { "default: \($0); " } ?? ""
        return ArgumentHelp("\(help). (\(fallback)\(environmentName))", valueName: valueName)
    }

    /// What a shell offers for its value.
    var completion: CompletionKind {
        switch valueName {
        case "file": .file()
        case "dir": .directory
        case "level": .list(Logger.Level.allCases.map(\.rawValue))
        case "kind": .list(RetryBackoff.allCases.map(\.rawValue))
        case "mode": .list(SandboxMode.allCases.map(\.rawValue))
        case "format": .list(LogFormat.allCases.map(\.rawValue))
        case "storage": .list(["memory", "redis"])
        default: .default
        }
    }
}
