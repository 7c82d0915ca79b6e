internal import Foundation
private import JobReactorCore
internal import Logging

/// Writes the log to standard error, for people to read.
struct TerminalLogHandler: LogHandler {
    enum Style: Sendable {
        /// `2030-01-31T12:00:00.000Z info    node started  jobs=5`
        case dated
        /// `{"level":"info","message":"node started","metadata":{"jobs":"5"},"time":"2030-01-31T12:00:00.000Z"}`
        case json
        /// The message alone, and its level where it is not info: for a script at work.
        case plain
    }

    private let style: Style
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    init(_ style: Style, level: Logger.Level) {
        self.style = style
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let given = event.metadata { all.merge(given) { _, new in new } }
        Terminal.note(line(event.level, "\(event.message)", all, at: Date()))
    }

    func line(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata, at date: Date) -> String {
        let text: String
        switch style {
        case .plain:
            return Terminal.printable(level == .info ? message : "\(level.rawValue): \(message)")
        case .json:
            return Self.entry(level, message, metadata.mapValues { "\($0)" }, at: date)
        case .dated:
            let time = Self.text(of: date)
            let name = level.rawValue
            let gap = String(repeating: " ", count: max(0, 7 - name.count))
            text = "\(time) \(name)\(gap) " + Self.entry(message, metadata)
        }
        // What a message has more than one line of is indented, so that no line passes for an entry of its own.
        return Terminal.printable(text).replacing("\n", with: "\n    ")
    }

    /// The bytes that an entry in JSON may take: fewer than ``LineRing`` lets a line have, as one that is cut is no JSON.
    static let entryBytes = 200_000

    private static func entry(
        _ level: Logger.Level, _ message: String, _ metadata: [String: String], at date: Date
    ) -> String {
        let entry: [String: JSONValue] = [
            "time": .string(text(of: date)), "level": .string(level.rawValue), "message": .string(message),
            "metadata": .object(metadata.mapValues { .string($0) }),
        ]
        let line = Terminal.escaped(json: JSONValue.object(entry).json)
        // A byte takes six when it is escaped.
        let most = max(100, entryBytes / 6 / (metadata.count + 2))
        if line.utf8.count <= entryBytes || ([message] + metadata.values).allSatisfy({ $0.utf8.count <= most }) {
            return line
        }
        return Self.entry(level, message.cut(toBytes: most), metadata.mapValues { $0.cut(toBytes: most) }, at: date)
    }

    private static func text(of date: Date) -> String {
        date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    /// Short values on the first line, those of several lines below the message.
    private static func entry(_ message: String, _ metadata: Logger.Metadata) -> String {
        let texts = metadata.map { (key: $0.key, text: "\($0.value)") }.sorted { $0.key < $1.key }
        let short = texts.filter { !$0.text.contains("\n") }
            .map { " \($0.key)=" + ($0.text.isEmpty || $0.text.contains(" ") ? "'\($0.text)'" : $0.text) }
        let long = texts.filter { $0.text.contains("\n") }.map { "\n\($0.key): \($0.text)" }
        let end = message.firstIndex(of: "\n") ?? message.endIndex
        return message[..<end] + (short.isEmpty ? "" : " ") + short.joined() + message[end...] + long.joined()
    }
}
