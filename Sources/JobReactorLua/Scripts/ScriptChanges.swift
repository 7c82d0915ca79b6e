/// The differences between two snapshots of a folder.
public struct ScriptChanges: Hashable, Sendable, CustomStringConvertible {
    /// Paths, sorted.
    public private(set) var changed: [String] = []
    public private(set) var added: [String] = []
    public private(set) var removed: [String] = []

    public init(from before: ScriptSet, to after: ScriptSet) {
        let (old, new) = (Self.sources(of: before), Self.sources(of: after))
        for (path, source) in new {
            if let known = old[path] {
                if known != source { changed.append(path) }
            } else {
                added.append(path)
            }
        }
        changed.sort()
        added.sort()
        removed = old.keys.filter { new[$0] == nil }.sorted()
    }

    /// Nil is the source of a file that cannot be read.
    private static func sources(of set: ScriptSet) -> [String: [UInt8]?] {
        var sources: [String: [UInt8]?] = [:]
        for script in set.scripts { sources[script.path] = .some(script.source) }
        for file in set.unreadable { sources[file.path] = .some(nil) }
        return sources
    }

    /// `a.lua is changed, b.lua is new, c.lua is gone`, for the first few files.
    public var description: String {
        let all =
            changed.map { "\($0) is changed" } + added.map { "\($0) is new" } + removed.map { "\($0) is gone" }
        let shown = all.prefix(5).joined(separator: ", ")
        return all.count > 5 ? "\(shown), and \(all.count - 5) more" : shown
    }
}
