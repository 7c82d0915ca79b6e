internal import JobReactorCore

/// A job as the command line writes it: its name, and its args as `key=value` words over an object of `--args`.
enum ArgumentWords {
    static let help = """
        A value is JSON if it is a number, true, false, null, an array or an object, and a text otherwise. Quote \
        a text that looks like one of these as JSON, too: zip='"02139"', name='"true"'.
        """

    static func jobName(_ name: String) throws(CommandFailure) -> String {
        do throws(JobError) { try JobLimits.check(name: name) } catch { throw .usage(error.message) }
        return name
    }

    static func jobID(_ text: String) throws(CommandFailure) -> JobID {
        guard let id = JobID(text) else { throw .usage("'\(text)' is not a job id: an id has 32 hexadecimal digits") }
        return id
    }

    static func arguments(_ words: [String], json: String?) throws(CommandFailure) -> JobArguments {
        var arguments = JobArguments()
        if let json {
            do throws(JSONError) { arguments = try JobArguments(json: json) } catch {
                throw .usage("--args: \(error)")
            }
        }
        var members: [(key: String, json: [UInt8])] = []
        for word in words {
            guard let equals = word.firstIndex(of: "="), equals > word.startIndex else {
                throw .usage("'\(word)' is not an argument of a job: write key=value")
            }
            let key = String(word[..<equals])
            guard !members.contains(where: { $0.key == key }) else {
                throw .usage("the argument '\(key)' is given twice: keep one of them")
            }
            members.append((key, value(String(word[word.index(after: equals)...]))))
        }
        let whole = arguments.setting(members)
        do throws(JobError) { try JobLimits.check(argsBytes: whole.bytes.count) } catch { throw .usage(error.message) }
        return whole
    }

    /// The value as JSON text: its own, so that numbers stay as they were written.
    private static func value(_ text: String) -> [UInt8] {
        if (try? JSONValue(parsing: text.utf8)) != nil { return Array(text.utf8) }
        return Array(JSONValue.string(text).json.utf8)
    }
}
