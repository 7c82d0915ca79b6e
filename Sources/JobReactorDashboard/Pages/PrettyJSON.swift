/// JSON with a line for each value, for people. The text stays what it is between the values.
enum PrettyJSON {
    /// Longer texts are cut, and stay in one line.
    static let most = 64 << 10
    private static let mostShown = 256 << 10

    static func shown(_ text: String) -> (text: String, isCut: Bool) {
        let cut = SafeText.cut(text, to: most)
        guard !cut.isCut, let pretty = pretty(text) else { return cut }
        return (pretty, false)
    }

    private static func pretty(_ text: String) -> String? {
        var (lines, depth, isQuoted, isEscaped) = ([UInt8](), 0, false, false)
        let bytes = Array(text.utf8)
        func breakLine() {
            lines.append(UInt8(ascii: "\n"))
            lines += repeatElement(UInt8(ascii: " "), count: 2 * max(0, depth))
        }
        for (index, byte) in bytes.enumerated() {
            guard lines.count <= mostShown else { return nil }
            if isQuoted {
                lines.append(byte)
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isQuoted = false
                }
                continue
            }
            let isEmpty = index + 1 < bytes.count && [UInt8(ascii: "}"), UInt8(ascii: "]")].contains(bytes[index + 1])
            switch byte {
            case UInt8(ascii: "\""):
                isQuoted = true
                lines.append(byte)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                lines.append(byte)
                if !isEmpty { breakLine() }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if index > 0, ![UInt8(ascii: "{"), UInt8(ascii: "[")].contains(bytes[index - 1]) { breakLine() }
                lines.append(byte)
            case UInt8(ascii: ","):
                lines.append(byte)
                breakLine()
            case UInt8(ascii: ":"):
                lines += [byte, UInt8(ascii: " ")]
            default: lines.append(byte)
            }
        }
        return String(decoding: lines, as: UTF8.self)
    }
}
