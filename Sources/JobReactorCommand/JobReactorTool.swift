internal import ArgumentParser
private import JobReactorCore
private import JobReactorWire

/// Background jobs for Swift servers, written in Lua.
@main
struct JobReactorTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobreactor",
        abstract: "Background jobs for Swift servers, written in Lua.",
        discussion: """
            A distributor accepts jobs and hands them to nodes, which run them with the scripts of reactor_jobs.

            A setting is taken from its flag, else from its environment variable (JOBREACTOR_…, named in the help of each \
            command), else from its key in the config file, a JSON object named by --config or JOBREACTOR_CONFIG, with keys \
            such as "max_attempt". The password comes from JOBREACTOR_PASSWORD, from --password-file, or from the key \
            "password" of a config file that nobody else can read.

            Every command takes --json. jobreactor --generate-completion-script bash (or zsh, fish) prints the completions \
            of commands, flags and their values for that shell.

            Exit codes: 0 success, 1 failure, 64 wrong usage or setting.
            """,
        version: JobReactorVersion.current,
        subcommands: [
            NodeCommand.self, DistributorCommand.self, EnqueueCommand.self, RunCommand.self, CheckCommand.self,
            TestCommand.self, NewCommand.self, DefinitionsCommand.self, DocsCommand.self, JobsCommand.self,
            SchedulesCommand.self, LimitsCommand.self, PauseCommand.self, ResumeCommand.self, NodesCommand.self,
            InfoCommand.self, UserCommand.self, AuditCommand.self, DoctorCommand.self,
            BenchCommand.self,
        ])

    static func main() async {
        SettingName.useFlags()
        Terminal.openMissingStreams()
        FirstProcess.standAside()
        var command: any ParsableCommand
        do { command = try parseAsRoot() } catch { exit(withError: error) }
        do {
            if var command = command as? any AsyncParsableCommand {
                if command is any ServerCommand == false {
                    for warning in UnknownVariables.warnings() { Terminal.note("warning: \(warning)") }
                }
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            // The built-in commands, help among them, end by throwing.
            if command is any AsyncParsableCommand == false || error is CleanExit { exit(withError: error) }
            let failure = CommandFailure(error)
            if let message = failure.message { Terminal.complain(message) }
            exit(withError: ExitCode(failure.code.rawValue))
        }
    }
}
