private import Configuration

/// The settings of this run: what a flag says, else the environment, else the config file, else the default.
struct Settings: Sendable {
    /// A place where settings come from, below the flags.
    private struct Layer: Sendable {
        let reader: ConfigReader
        /// The name of a setting in this place, as errors show it.
        let name: @Sendable (any AnySetting) -> String
        /// What a setting must be allowed in; the environment has them all.
        let place: SettingPlaces
    }

    private var layers: [Layer]

    /// Reads the config file, if one is named. `environment` is that of the process.
    init(environment: [String: String], configFlag: String? = nil) throws(CommandFailure) {
        let variables = ConfigReader(
            provider: EnvironmentVariablesProvider(
                environmentVariables: environment,
                secretsSpecifier: .specific([SettingTable.standard.password.environmentName])
            ).prefixKeys(with: "jobreactor"))
        layers = [Layer(reader: variables, name: { $0.environmentName }, place: [])]
        guard let path = try value(\.config, flag: configFlag) else { return }
        let file = try ConfigFile(path)
        layers.append(
            Layer(reader: ConfigReader(provider: file.provider), name: { "\(path): \($0.key)" }, place: .file))
    }

    /// The value of a setting; `flag` is what was said on the command line.
    func value<Value>(
        _ setting: KeyPath<SettingTable, Setting<Value>>, flag: String? = nil
    ) throws(CommandFailure) -> Value {
        try value(setting, flags: flag.map { [$0] } ?? [])
    }

    /// As above, for `--flag` and `--no-flag`.
    func value<Value>(
        _ setting: KeyPath<SettingTable, Setting<Value>>, flag: Bool?
    ) throws(CommandFailure) -> Value {
        try value(setting, flags: flag.map { ["\($0)"] } ?? [])
    }

    /// As above, for a flag that may be given several times.
    func value<Value>(
        _ setting: KeyPath<SettingTable, Setting<Value>>, flags: [String]
    ) throws(CommandFailure) -> Value {
        try given(setting, flags: flags)?.value ?? SettingTable.standard[keyPath: setting].fallback
    }

    /// As above, with the place that says it, as errors name it; nil when nobody does.
    func given<Value>(
        _ setting: KeyPath<SettingTable, Setting<Value>>, flags: [String] = []
    ) throws(CommandFailure) -> (value: Value, source: String, rank: Int)? {
        let setting = SettingTable.standard[keyPath: setting]
        if !flags.isEmpty {
            let source = "--\(setting.flag)"
            return (try setting.kind.value(of: flags, from: source), source, 0)
        }
        for (index, layer) in layers.enumerated() where setting.places.isSuperset(of: layer.place) {
            guard let texts = texts(of: setting, in: layer) else { continue }
            let source = layer.name(setting)
            return (try setting.kind.value(of: texts, from: source), source, index + 1)
        }
        return nil
    }

    private func texts(of setting: any AnySetting, in layer: Layer) -> [String]? {
        let key = ConfigKey([setting.key])
        if case .list = setting.shape { return layer.reader.stringArray(forKey: key) }
        return layer.reader.string(forKey: key, isSecret: setting.key == "password").map { [$0] }
    }
}
