/// The text of INFO, as Redis prints it: sections of `key:value` lines.
package enum InfoText {
    package typealias Section = (title: String, fields: [(String, String)])

    /// All sections, or the requested one in any letter case; `all`, `everything` and `default` mean all.
    package static func make(_ section: String?, _ sections: [Section]) -> String {
        let isAll = section.map { ["all", "everything", "default"].contains($0.lowercased()) } ?? true
        var text = ""
        for (title, fields) in sections where isAll || title.lowercased() == section?.lowercased() {
            if !text.isEmpty { text += "\r\n" }
            text += "# \(title)\r\n"
            for (name, value) in fields {
                text += printable(name)
                text += ":"
                text += printable(value)
                text += "\r\n"
            }
        }
        return text
    }

    /// Much of it comes from peers: no field may look like another, or move the cursor of who reads it.
    private static func printable(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
        func isControl(_ scalar: Unicode.Scalar) -> Bool {
            scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
        }
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        return text.unicodeScalars.map { isControl($0) ? "\\x\(String($0.value, radix: 16))" : String($0) }.joined()
    }
}
