private import Mustache

/// How text from outside stands in a page: as text, whatever it is.
///
/// Every scalar that HTML knows is replaced, also one that others join to a character: `"` with an accent on it would end an
/// attribute. Characters that are not seen, or that turn the direction of what follows, are shown by their numbers.
enum SafeText {
    static func escaped(_ text: String) -> String {
        var safe = ""
        safe.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": safe += "&lt;"
            case ">": safe += "&gt;"
            case "&": safe += "&amp;"
            case "\"": safe += "&quot;"
            case "'": safe += "&#39;"
            case "\n", "\t": safe.unicodeScalars.append(scalar)
            case _ where isHidden(scalar): safe += "\\u{\(String(scalar.value, radix: 16))}"
            default: safe.unicodeScalars.append(scalar)
            }
        }
        return safe
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB,
            0xFDD0...0xFDEF, 0xE0000...0xE007F:
            true
        default: scalar.value & 0xFFFE == 0xFFFE
        }
    }

    /// At most so many bytes of it, and whether that is all.
    static func cut(_ text: String, to bytes: Int) -> (text: String, isCut: Bool) {
        guard text.utf8.count > bytes else { return (text, false) }
        return (String(decoding: Array(text.utf8.prefix(bytes)), as: UTF8.self), true)
    }

    /// The first line, for a row of a table.
    static func line(_ text: String, _ count: Int = 160) -> String {
        // Cut before anything looks at all of it.
        let head = cut(text, to: 8 * count).text
        let line = head.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        return line.unicodeScalars.count > count
            ? String(String.UnicodeScalarView(line.unicodeScalars.prefix(count))) + "…" : line
    }

    /// What templates name in their first line.
    struct ContentType: MustacheContentType {
        func escapeText(_ text: String) -> String { SafeText.escaped(text) }
    }
}
