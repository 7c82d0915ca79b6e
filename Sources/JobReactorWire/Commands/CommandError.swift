/// The error reply to a command that cannot be executed: the whole line, beginning with its code.
package struct CommandError: Error, Hashable, Sendable, CustomStringConvertible {
    package let line: String

    package init(_ line: String) { self.line = line }

    /// The line without its code.
    package var reason: String { line.hasPrefix("ERR ") ? String(line.dropFirst(4)) : line }

    package var description: String { line }
}
