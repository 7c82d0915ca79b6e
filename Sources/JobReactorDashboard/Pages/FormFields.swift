/// Names and values as forms and queries of URLs have them: `name=resize&state=in+progress`.
struct FormFields: Hashable, Sendable {
    private var fields: [(name: String, value: String)] = []

    /// Of more, the rest is dropped.
    static let most = 64

    static func == (left: FormFields, right: FormFields) -> Bool { left.text == right.text }
    func hash(into hasher: inout Hasher) { hasher.combine(text) }

    init(_ fields: [(String, String?)] = []) {
        for (name, value) in fields { if let value { self.fields.append((name, value)) } }
    }

    /// Reads them; what is no such text is as good as may be.
    init(reading text: some Collection<UInt8>) {
        for field in text.split(separator: UInt8(ascii: "&")).prefix(Self.most) {
            let parts = field.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            fields.append((Self.plain(parts[0]), parts.count > 1 ? Self.plain(parts[1]) : ""))
        }
    }

    /// The first of that name; nil where there is none, or it is empty.
    subscript(name: String) -> String? {
        fields.first { $0.name == name }.flatMap { $0.value.isEmpty ? nil : $0.value }
    }

    /// As it stands in a URL.
    var text: String { fields.map { Self.coded($0.name) + "=" + Self.coded($0.value) }.joined(separator: "&") }

    /// A path with these fields behind it.
    func behind(_ path: String) -> String { fields.isEmpty ? path : path + "?" + text }

    private static func plain(_ text: some Collection<UInt8>) -> String {
        var bytes: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                let digits = rest.prefix(2)
                guard digits.count == 2, let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 16),
                    digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") })
                else {
                    bytes.append(byte)
                    continue
                }
                bytes.append(code)
                rest = rest.dropFirst(2)
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Every byte but letters, digits and `-._~` as `%20`: good in a path, a query and an attribute.
    static func coded(_ text: String) -> String {
        var coded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                coded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                coded += byte < 16 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return coded
    }
}
