internal import ArgumentParser

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Look at jobs, cancel, retry or destroy them, one or many.",
        discussion: """
            With --storage, jobs are looked up where nodes keep them, whether or not those run. A change is asked of the \
            node that has the job at its --server, or made in the storage when it does not run. With --server that node \
            is asked for everything, whatever its storage; a distributor that is named there is asked for the jobs that it \
            has: those that wait or are parked there, those that nodes have which own nothing, and those that it keeps as \
            failed, because nodes ended with them. With neither, the distributor is asked; show and cancel find there the \
            jobs that are not finished wherever they are.

            An id may be cut as long as no other id begins so. Times are local, with their offset; --json has both these \
            and seconds since 1970.
            """,
        subcommands: [
            JobsListCommand.self, JobsShowCommand.self, JobsCancelCommand.self, JobsRetryCommand.self,
            JobsDestroyCommand.self, JobsDestroyAllCommand.self,
        ])
}
