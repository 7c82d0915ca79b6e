internal import ArgumentParser

struct SchedulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedules", abstract: "Look at schedules, and when they are due.",
        subcommands: [SchedulesPreviewCommand.self])
}
