/// Prometheus' text format, version 0.0.4, one family after the other.
struct PrometheusText {
    /// What an HTTP answer with it is said to be.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
    }

    private(set) var text = ""

    /// Begins a family: its samples are to follow, and no other family of that name.
    mutating func begin(_ name: String, _ kind: Kind, help: String) {
        text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// `labels` as ``labels(_:)`` writes them.
    mutating func add(_ name: String, _ labels: String = "", _ value: Int64) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    mutating func add(_ name: String, _ labels: String = "", _ value: Double) {
        let number = Self.number(value)
        text += labels.isEmpty ? "\(name) \(number)\n" : "\(name){\(labels)} \(number)\n"
    }

    /// A family of one sample.
    mutating func add(_ name: String, _ kind: Kind, help: String, labels: String = "", _ value: Double) {
        begin(name, kind, help: help)
        add(name, labels, value)
    }

    /// `call="save",node="n1"`, in the order of their names.
    static func labels(_ labels: [(String, String)]) -> String {
        labels.sorted { $0.0 < $1.0 }.map { "\(name($0.0))=\"\(escaped($0.1, quotes: true))\"" }
            .joined(separator: ",")
    }

    /// The name with what names may not have as `_`.
    static func name(_ name: String) -> String {
        func isPlain(_ byte: UInt8, first: Bool) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): !first
            default: false
            }
        }
        let bytes = name.utf8.enumerated().map { isPlain($1, first: $0 == 0) ? $1 : UInt8(ascii: "_") }
        return bytes.isEmpty ? "_" : String(decoding: bytes, as: UTF8.self)
    }

    static func number(_ value: Double) -> String {
        switch value {
        case .infinity: "+Inf"
        case -.infinity: "-Inf"
        default: value.isNaN ? "NaN" : value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
        }
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        func isPlain(_ byte: UInt8) -> Bool {
            byte != UInt8(ascii: "\\") && byte != UInt8(ascii: "\n") && !(quotes && byte == UInt8(ascii: "\""))
        }
        if text.utf8.allSatisfy(isPlain) { return text }
        let whole = text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        return quotes ? whole.replacing("\"", with: "\\\"") : whole
    }
}
