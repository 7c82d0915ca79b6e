internal import ArgumentParser
internal import JobReactorCore
private import JobReactorWire

struct SchedulesSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Set or change a schedule; it exists until it is deleted.",
        usage: "jobreactor schedules set <name> <spec> <job> [<key=value> ...] [--args <json>] [<options>]",
        discussion: ArgumentWords.help)

    @Argument(help: "Name of the schedule.") var name: String
    @Argument(help: "The spec as one quoted word: '30 2 * * *'.") var spec: String
    @Argument(help: "Name of the job.") var job: String
    @Argument(help: ArgumentHelp("Args of the job.", valueName: "key=value")) var words: [String] = []
    @Option(help: ArgumentHelp("Args of the job as one JSON object; key=value words override it.", valueName: "json"))
    var args: String?
    @OptionGroup var calendar: CalendarOptions
    @OptionGroup var ticks: TickOptions
    @OptionGroup var asked: AskedDistributor

    func run() async throws {
        let options = try calendar.options().merging(try ticks.options()) { _, last in last }
        let schedule = try Schedule(
            name, spec, options, job: try ArgumentWords.jobName(job),
            args: try ArgumentWords.arguments(words, json: args))
        try await asked.change(
            ScheduleOrder.set(schedule).words, done: "the schedule '\(name)' is set",
            nothing: "the schedule '\(name)' is not set")
    }
}

/// What becomes of the ticks of a schedule.
struct TickOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "While the job of an earlier tick is unfinished: skip the tick (the default), let it wait, run both, or cancel the earlier job.",
            valueName: "skip|queue|allow|cancel"),
        completion: .list(ScheduleOverlap.allCases.map(\.rawValue)))
    var overlap: String?
    @Option(
        help: ArgumentHelp(
            "Missed ticks to make up: the last (the default), all, or none.", valueName: "last|all|none"),
        completion: .list(ScheduleCatchUp.allCases.map(\.rawValue)))
    var catchUp: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Maximum lateness of a tick; a later one is dropped. Default 86400.", valueName: "seconds"))
    var window: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Maximum random delay of a tick. Default 0.", valueName: "seconds"))
    var jitter: String?
    @Option(help: ArgumentHelp("A URL to request after each successful run.", valueName: "url"))
    var heartbeat: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Time within which a tick must begin, or the schedule is late. Default 60.", valueName: "seconds"))
    var lateAfter: String?

    /// As a schedule takes them.
    func options() throws(CommandFailure) -> [String: JSONValue] {
        var options: [String: JSONValue] = [:]
        options["overlap"] = try JobOptionFlags.read(SettingKind<ScheduleOverlap>.word, overlap, "--overlap")
            .map { .string($0.rawValue) }
        options["catch_up"] = try JobOptionFlags.read(SettingKind<ScheduleCatchUp>.word, catchUp, "--catch-up")
            .map { .string($0.rawValue) }
        for (name, flag, text) in [
            ("window", "--window", window), ("jitter", "--jitter", jitter),
            ("late_after", "--late-after", lateAfter),
        ] {
            options[name] = try JobOptionFlags.read(.seconds, text, flag).map { .number($0) }
        }
        options["heartbeat"] = heartbeat.map { .string($0) }
        return options
    }
}

struct SchedulesDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a schedule that was set; its jobs continue.",
        usage: "jobreactor schedules delete <name> [<options>]")

    @Argument(help: "Name of the schedule.") var name: String
    @OptionGroup var asked: AskedDistributor

    func run() async throws {
        try await asked.change(
            ScheduleOrder.delete(name).words, done: "the schedule '\(name)' is deleted",
            nothing: "no schedule '\(name)' was set: to delete a schedule of a script, change the script")
    }
}

struct SchedulesPauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Stop making ticks of a schedule until it is resumed.",
        usage: "jobreactor schedules pause <name> [<options>]")

    @Argument(help: "Name of the schedule.") var name: String
    @OptionGroup var asked: AskedDistributor

    func run() async throws {
        try await asked.change(
            ScheduleOrder.pause(name).words, done: "the schedule '\(name)' is paused",
            nothing: "there is no schedule '\(name)', or it is paused already")
    }
}

struct SchedulesResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Resume a paused schedule; ticks of the pause are not made up.",
        usage: "jobreactor schedules resume <name> [<options>]")

    @Argument(help: "Name of the schedule.") var name: String
    @OptionGroup var asked: AskedDistributor

    func run() async throws {
        try await asked.change(
            ScheduleOrder.resume(name).words, done: "the schedule '\(name)' is resumed",
            nothing: "there is no schedule '\(name)', or it is not paused")
    }
}

struct SchedulesRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Make a tick of a schedule now, and print the id of its job.",
        usage: "jobreactor schedules run <name> [--json] [<options>]",
        discussion:
            "Works for a paused schedule, too. While the job of an earlier tick is unfinished, the overlap of the schedule applies."
    )

    @Argument(help: "Name of the schedule.") var name: String
    @OptionGroup var asked: AskedDistributor

    func run() async throws {
        let reply = try await asked.send(ScheduleOrder.run(name).words)
        guard let id = reply.text, !id.isEmpty else {
            throw CommandFailure.failure("no job is made: there is no schedule '\(name)', or an earlier job of it runs")
        }
        try Terminal.result(asked.json ? JSONValue.object(["id": .string(id)]).json : id)
    }
}
