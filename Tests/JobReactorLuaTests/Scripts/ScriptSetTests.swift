import JobReactorCore
import Testing

@testable import JobReactorLua

@Suite("The scripts of a folder") struct ScriptSetTests {
    private func names(_ folder: TemporaryFolder) throws -> [String] {
        try ScriptSet.read(JobDirectory(folder.path)).scripts.map { String($0.path.dropFirst(folder.path.count + 1)) }
    }

    @Test("are all .lua files in it and below, in sorted order, without hidden ones and tests")
    func which() async throws {
        let files = [
            "b.lua", "a.lua", "deep/er/c.lua", "a_test.lua", "notes.txt", ".hidden.lua", ".git/x.lua", "deep/init.lua",
        ]
        try await TemporaryFolder.with(Dictionary(uniqueKeysWithValues: files.map { ($0, "-- \($0)") })) { folder in
            let names = try names(folder)
            #expect(names == ["a.lua", "b.lua", "deep/er/c.lua", "deep/init.lua"])
            var directory = JobDirectory(folder.path + "/")
            directory.includesTests = true
            let all = try ScriptSet.read(directory)
            #expect(all.scripts.count == 5)
            let test = all.scripts.first { $0.path == folder.file("a_test.lua") }
            #expect(test?.source == Array("-- a_test.lua".utf8))
        }
    }

    @Test(
        "are modules by their paths",
        arguments: [
            ("tally.lua", "tally"), ("lib/tally.lua", "lib.tally"), ("lib/init.lua", "lib"), ("init.lua", "init"),
            ("a.b.lua", nil), ("v1.2/x.lua", nil),
        ])
    func modules(path: String, module: String?) {
        #expect(ScriptSet.moduleName(of: path) == module)
    }

    @Test("of two files for one module the first has the name")
    func twoFiles() async throws {
        try await TemporaryFolder.with(["lib.lua": "", "lib/init.lua": ""]) { folder in
            let set = try ScriptSet.read(JobDirectory(folder.path))
            #expect(set.scripts.map(\.module) == ["lib", nil])
        }
    }

    /// The roles by the paths in the folder.
    private func roles(_ folder: TemporaryFolder, tests: Bool = false) throws -> [String: ScriptSet.Role] {
        var directory = JobDirectory(folder.path)
        directory.includesTests = tests
        let scripts = try ScriptSet.read(directory).scripts
        return Dictionary(
            uniqueKeysWithValues: scripts.map { (String($0.path.dropFirst(folder.path.count + 1)), $0.role) })
    }

    @Test("are modules below folders of that name, and below those that the settings name")
    func roles() async throws {
        let files = [
            "a.lua", "lib.lua", "library/b.lua", "lib/c.lua", "lib/deep/d.lua", "jobs/lib/e.lua", "vendor/f.lua",
            "lib/vendor/g.lua", "helpers/h.lua", "lib/c_test.lua", "vendor/f_test.lua",
        ]
        try await TemporaryFolder.with(Dictionary(uniqueKeysWithValues: files.map { ($0, "") })) { folder in
            var expected: [String: ScriptSet.Role] = [
                "a.lua": .script, "lib.lua": .script, "library/b.lua": .script, "lib/c.lua": .module,
                "lib/deep/d.lua": .module, "jobs/lib/e.lua": .module, "vendor/f.lua": .vendored,
                "lib/vendor/g.lua": .vendored, "helpers/h.lua": .script,
            ]
            #expect(try roles(folder) == expected)
            let before = try ScriptSet.read(JobDirectory(folder.path))
            try folder.write(".jobreactor.json", #"{"modules": ["helpers"]}"#)
            expected["helpers/h.lua"] = .module
            #expect(try roles(folder) == expected)
            let after = try ScriptSet.read(JobDirectory(folder.path))
            #expect(after != before && after.problems.isEmpty)
            // Tests of one's own modules are tests.
            expected["lib/c_test.lua"] = .script
            #expect(try roles(folder, tests: true) == expected)
        }
    }

    @Test(
        "say what is wrong with the settings, and go by what is right",
        arguments: [
            ("[1", "invalid JSON at byte "), ("[]", "expected an object"), (#"{"modules": "x"}"#, "must be a list"),
            (#"{"modules": ["helpers", 7, "a/b", ""]}"#, "modules has 7, which is not the name of a folder"),
            (#"{"moduls": []}"#, "unknown key 'moduls': the only key is modules"),
        ])
    func wrongSettings(text: String, problem: String) async throws {
        try await TemporaryFolder.with([".jobreactor.json": text, "helpers/h.lua": "", "lib/x.lua": ""]) { folder in
            let set = try ScriptSet.read(JobDirectory(folder.path))
            let file = folder.file(".jobreactor.json")
            #expect(set.problems.first?.hasPrefix("\(file): ") == true && set.problems.first?.contains(problem) == true)
            #expect(set.problems.count == (text.contains("helpers") ? 3 : 1))
            #expect(set.scripts.map(\.role) == [text.contains("helpers") ? .module : .script, .module])
        }
    }

    @Test("are told of where their names, or those of their folders, are not UTF-8")
    func otherBytes() async throws {
        try await TemporaryFolder.with(["a.lua": ""]) { folder in
            // In Latin-1.
            try folder.make(Array("b".utf8) + [0xE9] + Array(".lua".utf8))
            try folder.make(Array("b".utf8) + [0xE9] + Array(".txt".utf8))
            try folder.make(Array("sub".utf8) + [0xFF], isFolder: true)
            let set = try ScriptSet.read(JobDirectory(folder.path))
            #expect(set.scripts.map(\.path) == [folder.file("a.lua")])
            #expect(
                set.problems.sorted() == [
                    folder.file("b\u{FFFD}.lua") + ": left out: the name of the file is not UTF-8: rename it",
                    folder.file("sub\u{FFFD}") + ": left out: the name of the folder is not UTF-8: rename it",
                ])
        }
    }

    @Test("are found through links, and links that lead in a circle are followed once")
    func links() async throws {
        try await TemporaryFolder.with(["releases/1/a.lua": "", "shared/s.lua": ""]) { folder in
            try folder.link("current", to: "releases/1")
            try folder.link("releases/1/shared", to: "../../shared")
            try folder.link("shared/again", to: "../shared")
            try folder.link("releases/1/one.lua", to: "../../shared/s.lua")
            try folder.link("releases/1/broken.lua", to: "nowhere")
            let set = try ScriptSet.read(JobDirectory(folder.file("current")))
            let names = set.scripts.map { String($0.path.dropFirst(folder.path.count)) }
            #expect(names == ["/current/a.lua", "/current/one.lua", "/current/shared/s.lua"])
            #expect(set.problems.isEmpty)
        }
    }

    @Test("are equal when their text is, and tell what is missing")
    func equality() async throws {
        try await TemporaryFolder.with(["a.lua": "x"]) { folder in
            let directory = JobDirectory(folder.path)
            let before = try ScriptSet.read(directory)
            try folder.replace("a.lua", "x")
            let same = try ScriptSet.read(directory)
            #expect(same == before)
            try folder.write("a.lua", "y")
            let changed = try ScriptSet.read(directory)
            #expect(changed != before)
            let missing = #expect(throws: ScriptError.self) {
                try ScriptSet.read(JobDirectory(folder.file("none")))
            }
            #expect(missing?.message.contains("create it, or give the folder") == true)
            let file = #expect(throws: ScriptError.self) { try ScriptSet.read(JobDirectory(folder.file("a.lua"))) }
            #expect(file?.message.contains("is a file: jobDirectory takes the folder") == true)
        }
    }

    @Test(
        "moments are shown as people read them",
        arguments: [
            (0, "1970-01-01 00:00:00 UTC"), (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_795_597_903, "2026-11-25 09:11:43 UTC"), (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
        ])
    func clock(seconds: Int64, text: String) {
        #expect(Timestamp(microseconds: seconds * 1_000_000).clockText == text)
    }
}
