private import Foundation
private import JobReactorCore

/// Variables of the environment that look like settings and are none, as after a slip of the fingers.
enum UnknownVariables {
    private static let prefix = "JOBREACTOR_"
    /// Those of the repository's own builds and tests.
    private static let others: Set<String> = [
        "STRICT", "BUILD", "COMMAND", "REFUSED", "LEG_SECONDS", "MODEL_CUT", "MODEL_WALKS",
    ]

    /// A line for each, in their order.
    static func warnings(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> [String] {
        let known = Set(SettingTable.all.map(\.environmentName))
        return environment.keys.sorted().filter { name in
            name.hasPrefix(prefix) && !known.contains(name) && !others.contains(String(name.dropFirst(prefix.count)))
                && !isOfService(name, environment[name] ?? "")
        }.map { name in
            let hint = nearest(to: String(name.dropFirst(prefix.count)))
            return "\(Terminal.printableLine(name)) is not a setting: "
                + (hint.map { "did you mean \($0)?" } ?? "the help of each command lists the settings")
        }
    }

    /// By its key, or its flag: `JOBREACTOR_JOBS` stands for `--jobs`.
    private static func nearest(to name: String) -> String? {
        let name = name.lowercased()
        if let setting = SettingTable.all.first(where: { $0.flag.replacing("-", with: "_") == name }) {
            return setting.environmentName
        }
        guard name.utf8.count <= 255 else { return nil }
        let key = NearestName.find(name, among: SettingTable.all.map(\.key))
        return key.flatMap { key in SettingTable.all.first { $0.key == key }?.environmentName }
    }

    /// Whether Kubernetes sets it for a service that is called jobreactor, or whose name begins so.
    private static func isOfService(_ name: String, _ value: String) -> Bool {
        if name.hasSuffix("_SERVICE_HOST") || name.contains("_SERVICE_PORT") { return true }
        let protocols = ["tcp", "udp", "sctp"]
        if name.hasSuffix("_PORT"), protocols.contains(where: { value.hasPrefix($0 + "://") }) { return true }
        return protocols.contains { name.contains(/_PORT_[0-9]+_/) && name.contains("_" + $0.uppercased()) }
    }
}
