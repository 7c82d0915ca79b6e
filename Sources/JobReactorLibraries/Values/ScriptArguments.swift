internal import JobReactorLua

/// What the Lua text of a library passes to a function of the host, by position. The text has checked the types already;
/// what does not fit all the same is an error that says so, as scripts can reach these functions in roundabout ways.
struct ScriptArguments {
    private let values: [ScriptValue]
    private let function: String

    init(_ values: [ScriptValue], of function: String) {
        self.values = values
        self.function = function
    }

    subscript(_ index: Int) -> ScriptValue { values.indices.contains(index) ? values[index] : .nil }

    func bytes(_ index: Int) throws(ScriptFailure) -> [UInt8] {
        guard let bytes = self[index].bytes else { throw mismatch(index, "string") }
        return bytes
    }

    func text(_ index: Int) throws(ScriptFailure) -> String {
        guard let text = self[index].text else { throw mismatch(index, "string") }
        return text
    }

    /// A name that must be UTF-8, as another would be meant than was said. `what` begins the error.
    func name(_ index: Int, _ what: String) throws(ScriptFailure) -> String {
        guard let name = String(validating: try bytes(index), as: UTF8.self) else {
            throw ScriptFailure("\(what) is not valid UTF-8")
        }
        return name
    }

    func optionalName(_ index: Int, _ what: String) throws(ScriptFailure) -> String? {
        if case .nil = self[index] { nil } else { try name(index, what) }
    }

    func optionalBytes(_ index: Int) throws(ScriptFailure) -> [UInt8]? {
        if case .nil = self[index] { nil } else { try bytes(index) }
    }

    func optionalInt(_ index: Int) throws(ScriptFailure) -> Int? {
        if case .nil = self[index] { nil } else { try int(index) }
    }

    func int(_ index: Int) throws(ScriptFailure) -> Int {
        guard let int = self[index].int else { throw mismatch(index, "whole number") }
        return int
    }

    func optionalDouble(_ index: Int) throws(ScriptFailure) -> Double? {
        if case .nil = self[index] { return nil }
        guard let number = self[index].double else { throw mismatch(index, "number") }
        return number
    }

    /// All strings from `index` on.
    func byteStrings(from index: Int) throws(ScriptFailure) -> [[UInt8]] {
        var strings: [[UInt8]] = []
        for position in values.indices.dropFirst(index) { strings.append(try bytes(position)) }
        return strings
    }

    private func mismatch(_ index: Int, _ expected: String) -> ScriptFailure {
        ScriptFailure("bad argument #\(index + 1) to '\(function)' (\(expected) expected)")
    }
}
