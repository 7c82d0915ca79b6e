#if canImport(FoundationEssentials)
    private import FoundationEssentials
#else
    private import Foundation
#endif

/// The folder that holds the job scripts: every `*.lua` in it and below, in sorted order, but for those that end in
/// `_test.lua`.
public struct JobDirectory: Hashable, Sendable {
    /// As the operator gave it; errors show paths that start with it.
    public let path: String
    /// Whether scripts with tests, `*_test.lua`, are among them.
    public var includesTests = false

    public init(_ path: String) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
    }

    /// Paths of the scripts. Throws when the folder cannot be read.
    public func scriptPaths() throws(ScriptError) -> [String] {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw ScriptError("no folder \(path): create it, or name the folder of your job scripts with --jobs")
        }
        guard isDirectory else { throw ScriptError("\(path) is a file: --jobs takes the folder of your job scripts") }
        do {
            // The folder itself may be a link, as deploy tools make it.
            let folder = path.hasPrefix("/") || path.hasPrefix("./") ? path : "./" + path
            return try FileManager.default.subpathsOfDirectory(atPath: folder + "/")
                .filter { $0.hasSuffix(".lua") && !isHidden($0) && (includesTests || !$0.hasSuffix("_test.lua")) }
                .sorted()
                .map { path + "/" + $0 }
        } catch {
            throw ScriptError("cannot read the folder \(path): \(error)")
        }
    }

    /// The text of a script.
    func source(of path: String) throws(ScriptError) -> [UInt8] {
        do { return Array(try Data(contentsOf: URL(filePath: path))) } catch {
            throw ScriptError("\(path): cannot be read: check that it is a file and its permissions")
        }
    }

    /// Editors and version control leave such files behind.
    private func isHidden(_ path: String) -> Bool {
        path.split(separator: "/").contains { $0.hasPrefix(".") }
    }
}

/// Why the scripts could not be had.
public struct ScriptError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Says what to do.
    public let message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}
