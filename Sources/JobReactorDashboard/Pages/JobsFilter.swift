internal import JobReactorCore

/// What the box above the jobs says: `name:resize error:"timed out" since:2h`.
struct JobsFilter: Hashable {
    var filter = JobFilter()
    /// An id, or its first digits.
    var id: String?
    /// What is wrong with it, in words.
    var problem: String?

    /// Bytes of the box, at most.
    static let most = 2048

    init(_ text: String, state: String?, now: Timestamp) {
        if let state {
            if let status = JobStatus(rawValue: state) {
                filter.status = status
            } else {
                problem = "there is no state '\(SafeText.line(state, 40))'"
            }
        }
        guard text.utf8.count <= Self.most else {
            problem = "a filter has at most \(Self.most) bytes"
            return
        }
        for word in Self.words(text) where problem == nil { problem = take(word, now) }
    }

    /// The page with the jobs of a name.
    static func page(ofName name: String) -> String { FormFields([("q", text(ofName: name))]).behind("/jobs") }

    /// What the box says for the jobs of a name.
    static func text(ofName name: String) -> String {
        var text = "name:"
        for scalar in name.unicodeScalars {
            if scalar == "\\" || scalar == "\"" { text += "\\" }
            text.unicodeScalars.append(scalar)
        }
        return text
    }

    /// At spaces, but not between quotes. Behind a backslash every character is itself.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var (word, isQuoted, isEscaped) = ("", false, false)
        // By scalars: a quote may have an accent on it.
        for character in text.unicodeScalars {
            if isEscaped {
                word.unicodeScalars.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if character.properties.isWhitespace, !isQuoted {
                if !word.isEmpty { words.append(word) }
                word = ""
            } else {
                word.unicodeScalars.append(character)
            }
        }
        return word.isEmpty ? words : words + [word]
    }

    private mutating func take(_ word: String, _ now: Timestamp) -> String? {
        let parts = word.unicodeScalars.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map {
            String($0)
        }
        guard parts.count == 2, Self.keys.contains(parts[0]) else {
            if parts.count == 2, parts[0].allSatisfy({ $0.isLetter && $0.isASCII }) {
                return "the filter knows \(Self.keys.map { $0 + ":" }.joined(separator: ", ")), and not '\(parts[0]):'"
            }
            // A word alone is an id, or else the name of a job.
            if word.utf8.count >= 8, JobID.range(ofPrefix: word) != nil {
                id = word
                return nil
            }
            return take(name: word)
        }
        let value = parts[1]
        guard !value.isEmpty else { return "'\(parts[0]):' needs a value" }
        switch parts[0] {
        case "name": return take(name: value)
        case "error":
            guard value.utf8.count <= JobFilter.errorBytes else {
                return "'error:' takes a text of up to \(JobFilter.errorBytes) bytes"
            }
            filter.error = value
        case "since":
            guard let time = Self.time(value, now) else {
                return "'since:' takes a time such as 90s, 15m, 2h or 3d, or seconds since 1970"
            }
            filter.since = time
        default:
            guard JobID.range(ofPrefix: value) != nil else { return "an id has up to 32 hexadecimal digits" }
            id = value
        }
        return nil
    }

    private static let keys = ["name", "error", "since", "id"]

    private mutating func take(name: String) -> String? {
        if let problem = Name.problem(in: name) { return "the name of a job \(problem)" }
        filter.name = name
        return nil
    }

    private static func time(_ text: String, _ now: Timestamp) -> Timestamp? {
        if let seconds = Double(text) { return seconds.isFinite ? Timestamp(seconds: seconds) : nil }
        guard let number = Double(text.dropLast()), number.isFinite, number >= 0,
            let length = ["s": 1.0, "m": 60, "h": 3600, "d": 86_400][text.suffix(1)]
        else { return nil }
        return now.advanced(bySeconds: -number * length)
    }
}
