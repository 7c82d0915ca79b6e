internal import ArgumentParser
private import JobReactor

struct JobsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List jobs, the newest first.",
        usage: """
            jobreactor jobs list [--storage <storage> | --server <host:port> | --distributor <host:port>] [--node <name>] \
            [--name <job>] [--status <status>] [--since <time>] [--error <text>] [--limit <n>] [--json] [<options>]
            """)

    @OptionGroup var filter: JobFilterOptions
    @Option(help: ArgumentHelp("Largest number of jobs to list.", valueName: "n")) var limit = 100
    @Flag(help: "Print a line of JSON for each job.") var json = false
    @OptionGroup var place: JobPlaceOptions

    func run() async throws {
        let place = try place.place()
        let clock = LocalTime()
        let filter = try filter.filter(clock)
        guard limit > 0 else { throw CommandFailure.usage("--limit takes a number of jobs from 1, not \(limit)") }
        let found = try await place.monitor.newestJobs(filter, limit: limit)
        if json {
            for found in found { try Terminal.result(json: JobFields(found, clock).json) }
        } else {
            let width = Terminal.width
            try Terminal.result(JobRows(found, clock, isCut: width != nil).table(width: width).text)
            if found.count == limit { Terminal.note("only the newest \(limit) are shown: --limit shows more") }
        }
        if let distributor = place.distributor {
            Terminal.note(
                "these are the jobs of the distributor at \(distributor): for jobs of a node give its --server, or its"
                    + " --storage")
        }
    }
}
