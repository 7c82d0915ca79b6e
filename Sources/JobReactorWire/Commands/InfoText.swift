/// The text of INFO, as Redis prints it: sections of `key:value` lines.
package enum InfoText {
    package typealias Section = (title: String, fields: [(String, String)])

    /// All sections, or the one asked for in any letter case; `all`, `everything` and `default` mean all.
    package static func make(_ section: String?, _ sections: [Section]) -> String {
        let isAll = section.map { ["all", "everything", "default"].contains($0.lowercased()) } ?? true
        return
            sections
            .filter { isAll || $0.title.lowercased() == section?.lowercased() }
            .map { section in
                "# \(section.title)\r\n" + section.fields.map { "\($0.0):\($0.1)\r\n" }.joined()
            }
            .joined(separator: "\r\n")
    }
}
