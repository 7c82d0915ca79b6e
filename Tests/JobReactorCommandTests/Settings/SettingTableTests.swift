import ArgumentParser
import Testing

@testable import JobReactorCommand

/// What must hold for every setting, now and when one is added.
@Suite struct SettingTableTests {
    @Test func everySettingIsInTheListOnce() {
        #expect(SettingTable.all.count == Mirror(reflecting: SettingTable.standard).children.count)
        #expect(Set(SettingTable.all.map(\.key)).count == SettingTable.all.count)
        #expect(Set(SettingTable.all.map(\.flag)).count == SettingTable.all.count)
    }

    @Test func keysFlagsAndVariablesAreOneNameInThreeSpellings() {
        for setting in SettingTable.all {
            #expect(setting.key.allSatisfy { $0.isLowercase || $0 == "_" })
            let hasOther = ["job_directory", "log_json"].contains(setting.key)
            #expect(setting.flag == setting.key.replacing("_", with: "-") || hasOther)
            #expect(setting.environmentName == "JOBREACTOR_" + setting.key.uppercased())
        }
    }

    @Test func everyFlagIsInTheHelpOfSomeCommandWithItsVariable() {
        let help = JobReactorTool.configuration.subcommands
            .map { JobReactorTool.helpMessage(for: $0, columns: 1000) }.joined()
        for setting in SettingTable.all {
            let isShown = help.contains("--\(setting.flag) ") || help.contains("--\(setting.flag)/")
            #expect(isShown == setting.places.contains(.flag), "\(setting.key)")
            if setting.places.contains(.flag) { #expect(help.contains(setting.environmentName)) }
        }
    }

    @Test func thePasswordIsNotOnTheCommandLine() {
        #expect(SettingTable.all.filter { !$0.places.contains(.flag) }.map(\.key) == ["password"])
        #expect(throws: (any Error).self) { try NodeCommand.parse(["--password", "x"]) }
    }

    @Test func flagsAreReadByTheCommands() throws {
        let node = try NodeCommand.parse([
            "--distributor", "a:1", "--distributor", "b:2", "--no-remove-done-jobs", "--max-attempt", "3", "--tls",
        ])
        #expect(node.distributor == ["a:1", "b:2"])
        #expect(node.removeDoneJobs == false && node.removeFailedJobs == nil)
        #expect(node.maxAttempt == "3" && node.security.tls == true)
    }
}
