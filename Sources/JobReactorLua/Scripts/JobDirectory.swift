/// The folder of the job scripts: all `*.lua` files in it and below, in sorted order. Files and folders whose names
/// begin with a dot are skipped, and so are tests, `*_test.lua`. Files below a folder of modules are loaded only when
/// they are required: folders named `lib` and `vendor`, and those that `.jobreactor.json` names under `modules`.
public struct JobDirectory: Hashable, Sendable {
    /// The path as given by the operator; paths in errors start with it.
    public let path: String
    /// Whether `*_test.lua` are among them, but for those below folders named `vendor`.
    public var includesTests = false

    public init(_ path: String) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
    }
}

/// The reason why the scripts could not be loaded.
public struct ScriptError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Says what to do.
    public let message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}
