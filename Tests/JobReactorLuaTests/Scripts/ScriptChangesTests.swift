import JobReactorLua
import Testing

@Suite("What differs between two readings") struct ScriptChangesTests {
    @Test("is what is changed, new and gone")
    func differences() async throws {
        try await TemporaryFolder.with(["a.lua": "1", "b.lua": "1", "c.lua": "1"]) { folder in
            let directory = JobDirectory(folder.path)
            let before = try ScriptSet.read(directory)
            #expect(ScriptChanges(from: before, to: before).description == "")
            try folder.write("a.lua", "2")
            try folder.remove("b.lua")
            try folder.write("d.lua", "1")
            let changes = ScriptChanges(from: before, to: try ScriptSet.read(directory))
            #expect(changes.changed == [folder.file("a.lua")] && changes.added == [folder.file("d.lua")])
            #expect(changes.removed == [folder.file("b.lua")])
            let (a, b, d) = (folder.file("a.lua"), folder.file("b.lua"), folder.file("d.lua"))
            #expect(changes.description == "\(a) is changed, \(d) is new, \(b) is gone")
            #expect(ScriptChanges(from: ScriptSet(), to: before).added.count == 3)
        }
    }

    @Test("is told of the first few")
    func many() async throws {
        let files = Dictionary(uniqueKeysWithValues: (1...8).map { ("\($0).lua", "") })
        try await TemporaryFolder.with(files) { folder in
            let text = ScriptChanges(from: ScriptSet(), to: try ScriptSet.read(JobDirectory(folder.path))).description
            #expect(text.hasPrefix("\(folder.file("1.lua")) is new, ") && text.hasSuffix("5.lua is new, and 3 more"))
        }
    }
}
