import ArgumentParser
import JobReactorCore
import JobReactorTesting
import Testing

@testable import JobReactorCommand

@Suite struct JobOptionFlagsTests {
    @Test func everyFlagIsAnOptionOfTheJob() throws {
        let flags = try JobOptionFlags.parse([
            "--run-at", "1700000000", "--period", "60", "--node", "a", "--not-node", "b", "--defer", "--max-attempt",
            "3",
            "--retry-multiplier", "0.5", "--priority", "9", "--unique", "a key", "--unique-for", "60", "--on-conflict",
            "again", "--id", "0123456789abcdef0123456789abcdef",
        ])
        let expected = JobOptions(
            runAt: Timestamp(seconds: 1_700_000_000), period: 60, node: "a", notNode: "b", isDeferred: true,
            maxAttempt: 3, retryMultiplier: 0.5, priority: 9, unique: JobUnique("a key", for: 60, onConflict: .again),
            id: JobID("0123456789abcdef0123456789abcdef"))
        #expect(try flags.jobOptions() == expected)
        #expect(try JobOptionFlags.parse([]).jobOptions() == JobOptions())
        #expect(try JobOptionFlags.parse(["--after", "1.5"]).jobOptions() == JobOptions(after: 1.5))
        #expect(try JobOptionFlags.parse(["--unique-args"]).jobOptions() == JobOptions(unique: JobUnique()))
    }

    @Test(arguments: [
        (["--after=-1"], "--after takes seconds"), (["--after", "-1"], "--after takes seconds from 0 to"),
        (["--max-attempt", "-1"], "--max-attempt takes a whole number"),
        (["--period", "x"], "--period takes seconds"),
        (["--run-at", "2030-01-01"], "--run-at takes seconds since 1970, or a time with its zone"),
        (["--run-at", "2026-02-30T10:00:00Z"], "--run-at: there is no day 2026-02-30"),
        (["--node", "a b"], "--node takes a name"), (["--max-attempt", "0"], "--max-attempt takes a whole number"),
        (["--id", "xyz"], "--id takes 32 hexadecimal digits, not 'xyz'"),
        (["--after", "1", "--run-at", "2"], "--after and --run-at exclude each other"),
        (["--priority", "10"], "--priority takes a whole number from 0 to 9"),
        (["--priority", "-1"], "--priority takes a whole number from 0 to 9"),
        (["--unique", "k", "--unique-args"], "--unique and --unique-args exclude each other"),
        (["--unique-for", "5"], "--unique-for needs --unique or --unique-args"),
        (["--on-conflict", "keep"], "--on-conflict needs --unique or --unique-args"),
        (
            ["--unique", "k", "--on-conflict", "drop"],
            "--on-conflict takes one of keep, replace, again, raise, not 'drop'"
        ),
        (["--unique", "k", "--unique-for", "-1"], "--unique-for takes seconds"),
        (["--unique", ""], "unique takes a key"),
    ])
    func aWrongValueIsToldWithItsFlag(arguments: [String], beginning: String) throws {
        let flags = try JobOptionFlags.parse(arguments)
        let failure = failure { _ = try flags.jobOptions() }
        #expect(failure?.code == .usage)
        #expect(failure?.message?.hasPrefix(beginning) == true)
    }

    @Test(arguments: JobOptionTable.all.filter { $0.places.contains(.flags) }.map(\.name))
    func everyOptionHasAFlag(name: String) throws {
        let option = try #require(JobOptionTable.all.first { $0.name == name })
        let sample = try #require(option.type.samples.first)
        let first = JobOptionTable.all.first { $0.name == option.part }
        let words = [first, option].compactMap(\.self).flatMap { option in
            option.type == .flag ? [option.flag] : [option.flag, option.type.samples.first?.text ?? ""]
        }
        #expect(try JobOptionFlags.parse(words).jobOptions() == option.options(sample))
        let usage = option.type == .flag ? option.flag : "\(option.flag) <\(option.type.valueName)>"
        let help = JobOptionFlags.helpMessage(columns: 1000)
        #expect(help.contains(usage) && help.contains(option.help), "\(help)")
    }
}
