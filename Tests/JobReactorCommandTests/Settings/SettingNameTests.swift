import Foundation
import JobReactor
import JobReactorCore
import JobReactorLibraries
import JobReactorNode
import JobReactorWire
import Testing

@testable import JobReactorCommand

/// What the libraries call a setting, beside the places where it is declared. What the program says: `FlagNamesTests`.
@Suite struct SettingNameTests {
    @Test func everyNameIsAFlagOfTheProgram() {
        for name in SettingName.allCases {
            let setting = SettingTable.all.first { $0.key == name.rawValue }
            #expect(setting.map { "--" + $0.flag } == name.flag, "\(name.rawValue)")
        }
    }

    @Test func everyNameIsAParameterInSwift() {
        let values: [(prefix: String, value: Any)] = [
            ("", NodeConfiguration(name: "n", distributors: [Address(host: "localhost", port: 5000)])),
            ("", DistributorConfiguration()), ("policy.", JobPolicy()), ("security.", WireSecurity()),
        ]
        var parameters = Set(
            values.flatMap { prefix, value in
                Mirror(reflecting: value).children.compactMap { $0.label.map { prefix + $0 } }
            })
        // The compiler looks whether these are there.
        _ = ScriptLibraries.limit(programs:connections:wait:)
        _ = ScriptLibraries.allow
        parameters.formUnion(["programs", "connections", "wait"].map { "ScriptLibraries.limit(\($0):)" })
        parameters.insert("ScriptLibraries.allow")
        for name in SettingName.allCases {
            #expect(parameters.contains(name.parameter), "\(name.rawValue)")
        }
    }

    @Test func aProcessThatIsNotTheProgramNamesParameters() {
        #expect(!SettingName.areFlags)
        #expect("\(SettingName.memoryLimit)" == "memoryLimit")
        #expect("\(SettingName.maxAttempt)" == "policy.maxAttempt")
    }

    /// A library is part of applications as well: it names a setting by its ``SettingName``.
    @Test func noLibraryWritesOutAFlagOrAVariable() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let sources = root.appending(path: "Sources").path
        let flags = SettingTable.all.map(\.flag).joined(separator: "|")
        let name = try Regex("--(\(flags))\\b|JOBREACTOR_[A-Z]")
        let tables: Set = ["SettingName.swift", "setting_names.c"]
        var files = 0
        for path in try FileManager.default.subpathsOfDirectory(atPath: sources) {
            let file = URL(filePath: path)
            guard ["swift", "c", "lua"].contains(file.pathExtension), !path.hasPrefix("JobReactorCommand/"),
                !tables.contains(file.lastPathComponent)
            else { continue }
            files += 1
            for line in try String(contentsOfFile: sources + "/" + path, encoding: .utf8).split(separator: "\n") {
                let text = line.drop { $0 == " " }
                guard !text.hasPrefix("//"), !text.hasPrefix("---"), line.contains(name) else { continue }
                Issue.record("\(path): \(text)")
            }
        }
        #expect(files > 100)
    }
}
