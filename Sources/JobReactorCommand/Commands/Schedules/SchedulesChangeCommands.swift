internal import ArgumentParser
internal import JobReactorCore
private import JobReactorWire

struct SchedulesSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Set a schedule, which stays until it is deleted, or change one that was set.",
        usage: "jobreactor schedules set <name> <spec> <job> [<key=value> ...] [--args <json>] [<options>]",
        discussion: ArgumentWords.help)

    @Argument(help: "Name of the schedule.") var name: String
    @Argument(help: "When, as one word of the shell: '30 2 * * *'.") var spec: String
    @Argument(help: "Name of the job.") var job: String
    @Argument(help: ArgumentHelp("Args of the job.", valueName: "key=value")) var words: [String] = []
    @Option(help: ArgumentHelp("Args of the job as one JSON object; key=value words go over it.", valueName: "json"))
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
            "While the job of an earlier tick is unfinished: leave the tick out (the default), let it wait, run both, or cancel the earlier.",
            valueName: "skip|queue|allow|cancel"),
        completion: .list(ScheduleOverlap.allCases.map(\.rawValue)))
    var overlap: String?
    @Option(
        help: ArgumentHelp(
            "Of the ticks that were missed make the last (the default), all, or none.", valueName: "last|all|none"),
        completion: .list(ScheduleCatchUp.allCases.map(\.rawValue)))
    var catchUp: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("A tick that is late by more is missed for good. Default 86400.", valueName: "seconds"))
    var window: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Each tick is late by a share of it. Default 0.", valueName: "seconds"))
    var jitter: String?
    @Option(help: ArgumentHelp("A URL that is asked for after each good run.", valueName: "url"))
    var heartbeat: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The schedule is late when a tick has not begun by then. Default 60.", valueName: "seconds"))
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
        commandName: "delete", abstract: "Delete a schedule that was set; its jobs go on.",
        usage: "jobreactor schedules delete <name> [<options>]")

    @Argument(help: "Name of the schedule.") var name: String
    @OptionGroup var asked: AskedDistributor

    func run() async throws {
        try await asked.change(
            ScheduleOrder.delete(name).words, done: "the schedule '\(name)' is deleted",
            nothing: "no schedule '\(name)' was set: one of a script is there as long as the script says so")
    }
}

struct SchedulesPauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Let no tick of a schedule be made, until it is resumed.",
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
        commandName: "resume", abstract: "Let a schedule that was paused go on; ticks of the pause are not made.",
        usage: "jobreactor schedules resume <name> [<options>]")

    @Argument(help: "Name of the schedule.") var name: String
    @OptionGroup var asked: AskedDistributor

    func run() async throws {
        try await asked.change(
            ScheduleOrder.resume(name).words, done: "the schedule '\(name)' goes on",
            nothing: "there is no schedule '\(name)', or it is not paused")
    }
}

struct SchedulesRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Make a tick of a schedule now, and print the id of its job.",
        usage: "jobreactor schedules run <name> [--json] [<options>]",
        discussion:
            "Also of one that is paused. While the job of an earlier tick is unfinished the schedule's overlap counts.")

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
