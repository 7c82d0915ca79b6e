internal import ArgumentParser
private import JobReactorWire

struct InfoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Print what a distributor or a node counts, as Redis prints its INFO.",
        usage: "jobreactor info [<section>] [--distributor <host:port> | --server <host:port>] [<options>]")

    @Argument(help: "Section to print; all of them without it.") var section: String?
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
        try Terminal.result(Terminal.printable(text.replacing("\n# ", with: "\n\n# ")))
    }
}
