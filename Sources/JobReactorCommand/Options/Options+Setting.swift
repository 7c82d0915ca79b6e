internal import ArgumentParser

// Flags take their name and their help from the table of settings. All of them are read as text, so that a wrong value
// is told in the same words wherever it stands.

extension Option {
    init<Kind>(_ setting: KeyPath<SettingTable, Setting<Kind>>) where Value == String? {
        let setting = SettingTable.standard[keyPath: setting]
        // A negative number is a value, too, and told to be wrong.
        self.init(name: .customLong(setting.flag), parsing: .unconditional, help: setting.argumentHelp)
    }

    init<Kind>(wrappedValue: [String], _ setting: KeyPath<SettingTable, Setting<Kind>>) where Value == [String] {
        let setting = SettingTable.standard[keyPath: setting]
        self.init(
            wrappedValue: wrappedValue, name: .customLong(setting.flag), parsing: .unconditionalSingleValue,
            help: setting.argumentHelp)
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
}
