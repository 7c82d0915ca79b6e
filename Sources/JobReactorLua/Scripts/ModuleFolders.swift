internal import JobReactorCore

/// The folders of a job directory that hold modules: what lies below one is loaded only where it is required.
struct ModuleFolders {
    /// Wherever in the directory they are.
    private(set) var names: Set<String> = ["lib", Self.vendored]
    /// `path: what is wrong` with the settings.
    private(set) var problems: [String] = []

    /// What is below a folder of that name is other people's.
    private static let vendored = "vendor"
    private static let settings = ".jobreactor.json"

    /// With those that the settings in the directory add.
    init(of directory: String) {
        let path = directory == "/" ? "/" + Self.settings : directory + "/" + Self.settings
        switch ReadBytes.of(path) {
        case .failure(.missing): break
        case .failure(.unreadable(let reason)):
            problems.append("\(path): cannot be read (\(reason)): check its permissions")
        case .success(let bytes):
            do throws(JSONError) { read(try JSONValue(parsing: bytes), path) } catch {
                problems.append("\(path): \(error)")
            }
        }
    }

    private mutating func read(_ value: JSONValue, _ path: String) {
        guard let members = value.object else {
            return problems.append("\(path): expected an object, such as {\"modules\": [\"helpers\"]}")
        }
        for key in members.keys.sorted() where key != "modules" {
            problems.append("\(path): unknown key '\(key)': the only key is modules")
        }
        guard let modules = members["modules"] else { return }
        guard let listed = modules.array else {
            return problems.append("\(path): modules must be a list of names of folders")
        }
        for item in listed {
            if let name = item.string, !name.isEmpty, !name.contains("/") {
                names.insert(name)
            } else {
                problems.append("\(path): modules has \(item.json), which is not the name of a folder")
            }
        }
    }

    /// What a file is there for, by the folders on the way to it from the directory.
    func role(of path: some StringProtocol) -> ScriptSet.Role {
        let folders = path.split(separator: "/").dropLast()
        if folders.contains(where: { $0 == Self.vendored }) { return .vendored }
        return folders.contains { names.contains(String($0)) } ? .module : .script
    }
}
