import ArgumentParser
import Foundation
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

    /// A command that takes a flag and never asks for its setting would ignore it, and the environment too.
    @Test func everySettingIsAskedFor() throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources/JobReactorCommand").path
        var text = ""
        for path in try FileManager.default.subpathsOfDirectory(atPath: sources) where path.hasSuffix(".swift") {
            // The options of jobs, some of which have the names of settings.
            if path.hasSuffix("/JobOptionFlags.swift") { continue }
            text += try String(contentsOfFile: sources + "/" + path, encoding: .utf8)
        }
        for (label, value) in Mirror(reflecting: SettingTable.standard).children {
            let name = try #require(label)
            let setting = try #require(value as? any AnySetting)
            let words = text.matches(of: try Regex("(Option\\(|Flag\\()?\\\\\\.\(name)\\b"))
            let flags = words.filter { text[$0.range].hasPrefix("Option(") || text[$0.range].hasPrefix("Flag(") }
            #expect(flags.isEmpty != setting.places.contains(.flag), "\(name)")
            #expect(words.count > flags.count, "no command asks for \(name)")
        }
    }
}
