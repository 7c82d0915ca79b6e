/// The folder that holds the job scripts: every `*.lua` in it and below, in sorted order. Files and folders whose names begin
/// with a dot are left out, and `*_test.lua`, which are tests. What lies below a folder of modules is loaded only where it is
/// required: folders named `lib` and `vendor` are, and those that the file `.jobreactor.json` in it names under `modules`.
public struct JobDirectory: Hashable, Sendable {
    /// As the operator gave it; errors show paths that start with it.
    public let path: String
    /// Whether `*_test.lua` are among them, but for those below folders named `vendor`.
    public var includesTests = false

    public init(_ path: String) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
    }
}

/// Why the scripts could not be had.
public struct ScriptError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Says what to do.
    public let message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}
