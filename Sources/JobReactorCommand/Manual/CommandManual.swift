internal import JobReactorCore

/// The manual pages of the commands, made from the help of the program: `jobreactor.1`, `jobreactor-jobs-list.1` and so on.
struct CommandManual {
    private let release: ManualPage.Release
    private var pages: [ManualPage] = []

    /// `help` is the description of the program and its commands that `--experimental-dump-help` prints.
    static func pages(help: JSONValue, _ release: ManualPage.Release) -> [ManualPage] {
        guard let command = help["command"], let name = command["commandName"]?.string else { return [] }
        var manual = CommandManual(release: release)
        manual.add(command, [name])
        return manual.pages
    }

    private init(release: ManualPage.Release) { self.release = release }

    private mutating func add(_ command: JSONValue, _ words: [String]) {
        let name = words.joined(separator: "-")
        pages.append(ManualPage(name: name, section: 1, text: text(of: command, words)))
        for child in Self.children(of: command) { add(child, words + [child["commandName"]?.string ?? ""]) }
    }

    private func text(of command: JSONValue, _ words: [String]) -> String {
        let abstract = command["abstract"]?.string ?? ""
        let arguments = (command["arguments"]?.array ?? []).filter { $0["shouldDisplay"]?.bool != false }
        let children = Self.children(of: command)
        var roff = Roff(
            words.joined(separator: "-"), section: 1, date: release.date, version: release.version,
            summary: abstract.hasSuffix(".") ? String(abstract.dropLast()) : abstract)
        roff.heading("SYNOPSIS")
        roff.line(Self.synopsis(words, arguments, hasCommands: !children.isEmpty))
        roff.heading("DESCRIPTION")
        let discussion = command["discussion"]?.string ?? ""
        roff.paragraphs(discussion.isEmpty ? abstract : "\(abstract)\n\n\(discussion)")
        let positional = arguments.filter { $0["kind"]?.string == "positional" }
        Self.add(positional, "ARGUMENTS", to: &roff)
        if !children.isEmpty { roff.heading("COMMANDS") }
        for child in children {
            let name = (words + [child["commandName"]?.string ?? ""]).joined(separator: "-")
            roff.tagged(Roff.reference(name, section: 1), Roff.escaped(child["abstract"]?.string ?? ""))
        }
        Self.add(arguments.filter { $0["kind"]?.string != "positional" }, "OPTIONS", to: &roff)
        if words.count == 1 {
            Self.addFiles(to: &roff)
            Self.addPages(to: &roff)
        } else {
            roff.heading("SEE ALSO")
            let parents = (1..<words.count).map { words.prefix($0).joined(separator: "-") }
            roff.line(parents.map { Roff.reference($0, section: 1) }.joined(separator: ", "))
        }
        return roff.text
    }

    private static func children(of command: JSONValue) -> [JSONValue] {
        (command["subcommands"]?.array ?? []).filter {
            $0["shouldDisplay"]?.bool != false && $0["commandName"]?.string != "help"
        }
    }

    private static func synopsis(_ words: [String], _ arguments: [JSONValue], hasCommands: Bool) -> String {
        var parts = [Roff.bold(words.joined(separator: " "))]
        for argument in arguments where argument["kind"]?.string == "positional" {
            let text = spelling(argument)
            parts.append(argument["isOptional"]?.bool == true ? "[\(text)]" : text)
        }
        if hasCommands { parts.append(Roff.italic("command")) }
        return (parts + ["[\(Roff.italic("options"))]"]).joined(separator: " ")
    }

    /// An argument as it is typed: bold words, italic values.
    private static func spelling(_ argument: JSONValue) -> String {
        let value = Roff.italic(argument["valueName"]?.string ?? "")
        let kind = argument["kind"]?.string
        if kind == "positional" { return value + (argument["isRepeating"]?.bool == true ? "..." : "") }
        let names = (argument["names"]?.array ?? []).map { name in
            Roff.bold((name["kind"]?.string == "long" ? "--" : "-") + (name["name"]?.string ?? ""))
        }
        return names.joined(separator: ", ") + (kind == "option" ? " \(value)" : "")
    }

    /// A flag and the one that takes it back stand together.
    private static func add(_ arguments: [JSONValue], _ heading: String, to roff: inout Roff) {
        var entries: [(term: String, help: String)] = []
        for argument in arguments {
            let help = argument["abstract"]?.string ?? ""
            if argument["kind"]?.string == "flag", let last = entries.last, last.help == help {
                entries[entries.count - 1].term += ", " + spelling(argument)
            } else {
                entries.append((spelling(argument), help))
            }
        }
        if !entries.isEmpty { roff.heading(heading) }
        for entry in entries { roff.tagged(entry.term, Roff.escaped(entry.help)) }
    }

    private static let files = [
        (
            "/etc/jobreactor/node.json, /etc/jobreactor/distributor.json",
            "The settings of the services jobreactor-node@NAME and jobreactor-distributor@NAME."
        ),
        (
            "/etc/jobreactor/node-NAME.env, /etc/jobreactor/distributor-NAME.env",
            "Environment variables of one service, JOBREACTOR_…=…. They win over the files of settings."
        ),
        ("/etc/jobreactor/reactor_jobs", "The scripts of the jobs."),
        ("/var/lib/jobreactor", "A folder for each service, with its storage."),
    ]

    private static func addFiles(to roff: inout Roff) {
        roff.heading("FILES")
        roff.line("Of the Debian package:")
        for (path, meaning) in files { roff.tagged(Roff.italic(path), Roff.escaped(meaning)) }
    }

    private static func addPages(to roff: inout Roff) {
        guard !DocsPage.all.isEmpty else { return }
        roff.heading("DOCUMENTATION")
        for page in DocsPage.all {
            roff.tagged(Roff.reference(page.manualName, section: 7), Roff.escaped(page.plainTitle))
        }
    }
}
