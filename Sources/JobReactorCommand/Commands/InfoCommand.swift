internal import ArgumentParser
private import JobReactorCore
private import JobReactorWire

struct InfoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Print the state and the counters of a distributor or a node, in the format of Redis' INFO.",
        usage: "jobreactor info [<section>] [--json] [--distributor <host:port> | --server <host:port>] [<options>]")

    @Argument(help: "Section to print. Default all sections.") var section: String?
    @Flag(help: "Print a JSON object of sections, each an object of texts.") var json = false
    @OptionGroup var asked: AskedOptions
    @OptionGroup var security: SecurityOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try common.settings()
        let (address, isNode) = try asked.address(settings)
        let wireSecurity = try settings.security(security, listens: false)
        func ask(_ words: [String]) async throws -> String {
            let reply = try await Query.send(words, to: address, isNode: isNode, security: wireSecurity)
            // Lines end as on the wire, with CR and LF.
            return (reply.text ?? "").split(whereSeparator: \.isNewline).joined(separator: "\n")
        }
        let text = try await ask(["INFO"] + (section.map { [$0] } ?? []))
        if let section, text.isEmpty {
            let lines = try await ask(["INFO"]).split(separator: "\n")
            let titles = lines.filter { $0.hasPrefix("# ") }.map { $0.dropFirst(2) }.joined(separator: ", ")
            throw CommandFailure.usage("there is no section '\(section)': the sections are \(titles)")
        }
        if json { return try Terminal.result(json: Self.json(text)) }
        try Terminal.result(Terminal.printable(text.replacing("\n# ", with: "\n\n# ")))
    }

    static func json(_ text: String) -> String {
        var sections: [String: [String: JSONValue]] = [:]
        var title = ""
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# ") {
                title = line.dropFirst(2).lowercased()
                sections[title] = [:]
            } else if let colon = colon(in: line, of: title) {
                sections[title, default: [:]][String(line[..<colon])] = .string(
                    String(line[line.index(after: colon)...]))
            }
        }
        return JSONValue.object(sections.mapValues { .object($0) }).json
    }

    /// Where the value begins. Names of jobs and nodes may have colons, and their lines go on in one way.
    private static func colon(in line: Substring, of section: String) -> Substring.Index? {
        switch section {
        case "waiting": line.ranges(of: ":count=").last?.lowerBound
        case "nodes": line.ranges(of: ":address=").last?.lowerBound
        default: line.firstIndex(of: ":")
        }
    }
}
