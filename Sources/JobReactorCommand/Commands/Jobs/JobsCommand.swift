internal import ArgumentParser

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "List, show, cancel, retry and destroy jobs.",
        discussion: """
            --storage reads the storage of nodes, whether or not the nodes run. A running node makes a change itself, over \
            its --server; otherwise the change is made in the storage. --server asks a node, with any storage, or a \
            distributor. A distributor lists the jobs that wait or are parked there, the jobs of nodes with memory storage, \
            and failed jobs that it keeps because they ended their nodes. Without either option the distributor is asked; \
            there, show and cancel find every unfinished job.

            An id may be shortened to any unique prefix. Times are local, with their offset; --json also has seconds since \
            1970.
            """,
        subcommands: [
            JobsListCommand.self, JobsShowCommand.self, JobsCancelCommand.self, JobsRetryCommand.self,
            JobsDestroyCommand.self, JobsDestroyAllCommand.self,
        ])
}
