/// An error in one line of a table: of its place, `/srv/app/reactor_jobs/mail/send.lua:3:`, what tells it from others.
enum ErrorLine {
    /// The first line that says something, with the last folder of its place alone: `mail/send.lua:3: no route`.
    static func short(_ error: String) -> String { line(of: error, folders: 1) }

    /// The first line that says something, as it is.
    static func first(_ error: String) -> String {
        String(error.split(whereSeparator: \.isNewline).first { !$0.allSatisfy(\.isWhitespace) } ?? "")
    }

    /// As ``short(_:)``, cut to so many characters: first its folder goes, then its end.
    static func short(_ error: String, width: Int) -> String {
        let line = short(error)
        if line.count <= width { return line }
        return cut(self.line(of: error, folders: 0), width)
    }

    static func cut(_ text: String, _ width: Int) -> String {
        text.count > width ? text.prefix(max(0, width - 1)) + "…" : text
    }

    private static func line(of error: String, folders: Int) -> String {
        let line = first(error)
        guard let suffix = line.firstRange(of: ".lua:"), line[suffix.upperBound...].first?.isNumber == true else {
            return line
        }
        let path = line[..<suffix.lowerBound]
        let names = path.split(separator: "/")
        // A place in the middle of a text is left as it is.
        guard names.count > folders + 1, path.hasPrefix("/") || !path.contains(" "), !path.contains(": ") else {
            return line
        }
        return names.suffix(folders + 1).joined(separator: "/") + line[suffix.lowerBound...]
    }
}
