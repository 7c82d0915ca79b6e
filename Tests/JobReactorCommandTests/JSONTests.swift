import ArgumentParser
import Foundation
import JobReactorCore
import JobReactorWire
import Logging
import Testing

@testable import JobReactorCommand

/// What must hold for every command, now and when one is added.
@Suite struct JSONTests {
    /// The commands that do something, with the words that call them.
    static func commands(
        _ command: any ParsableCommand.Type = JobReactorTool.self, _ words: [String] = []
    ) -> [(words: [String], type: any ParsableCommand.Type)] {
        let configuration = command.configuration
        guard configuration.shouldDisplay else { return [] }
        if configuration.subcommands.isEmpty { return [(words, command)] }
        return configuration.subcommands.flatMap { commands($0, words + [$0._commandName]) }
    }

    @Test func everyCommandTakesJSON() {
        let commands = Self.commands()
        #expect(commands.count > 25)
        for (words, type) in commands {
            let help = JobReactorTool.helpMessage(for: type, columns: 1000)
            #expect(help.contains("--json"), "\(words)")
        }
    }

    @Test func aLogEntryInJSONIsALineThatCanBeRead() throws {
        let handler = TerminalLogHandler(.json, level: .info)
        let date = Date(timeIntervalSince1970: 1_700_000_000.125)
        let line = handler.line(.warning, "it broke\nbadly\u{9B}", ["job": "a", "traceback": "one\ntwo"], at: date)
        #expect(!line.contains("\n") && !line.contains("\u{9B}"))
        #expect(
            try JSONValue(parsing: line.utf8)
                == [
                    "time": "2023-11-14T22:13:20.125Z", "level": "warning", "message": "it broke\nbadly\u{9B}",
                    "metadata": ["job": "a", "traceback": "one\ntwo"],
                ])
        #expect(try JSONValue(parsing: Terminal.noticeOfDropped(2, at: date, .json).utf8)["level"] == "warning")
    }

    @Test func infoIsAnObjectOfSections() throws {
        let text =
            "# Server\nrole:node\nname:a:b\n# Waiting\nx:count=9:count=3,parked=no node defines it\njobs:count=1\n"
            + "# Nodes\nn:1:address=[::1]:5,load=0\n# Empty"
        #expect(
            try JSONValue(parsing: InfoCommand.json(text).utf8)
                == [
                    "server": ["role": "node", "name": "a:b"],
                    "waiting": ["x:count=9": "count=3,parked=no node defines it", "jobs": "count=1"],
                    "nodes": ["n:1": "address=[::1]:5,load=0"], "empty": [:],
                ])
    }

    @Test func listeningIsRefusedInTheWordsOfTheCommandLine() {
        let failure = failure {
            try Settings.checkListening(on: Address(host: "0.0.0.0", port: 5000), WireSecurity())
        }
        #expect(failure?.code == .usage)
        #expect(failure?.message?.hasSuffix("or --users, listen on localhost, or give --insecure") == true)
    }
}
