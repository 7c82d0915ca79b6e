import JobReactorCore
import JobReactorLua
import JobReactorTesting
import Testing

@Suite("Watching the scripts") struct ScriptWatchTests {
    /// Watches a folder, makes changes, and waits for what each must lead to.
    private final class Observer: Sendable {
        private let changes = Changes()
        private let watch: ScriptWatch

        init(_ path: String) throws {
            let directory = JobDirectory(path)
            let known = (try? ScriptSet.read(directory)) ?? ScriptSet()
            watch = try ScriptWatch(directory, known: known) { [changes] in changes.note($0) }
        }

        /// Waits until the last thing told is a set with these scripts, by name and text.
        func expect(_ scripts: [String: String], sourceLocation: SourceLocation = #_sourceLocation) async throws {
            try await eventually("the set \(scripts)", sourceLocation: sourceLocation) { changes.last == scripts }
        }

        var count: Int { changes.count }
        var failures: [String] { changes.failures }

        deinit { watch.stop() }
    }

    private final class Changes: Sendable {
        private let told = Locked<(sets: [[String: String]], failures: [String])>(([], []))

        func note(_ change: Result<ScriptSet, ScriptError>) {
            told.withLock { told in
                switch change {
                case .success(let set):
                    told.sets.append(
                        // While links change hands, two of them may lead to one file.
                        Dictionary(
                            set.scripts.map {
                                (
                                    String($0.path.split(separator: "/").last ?? ""),
                                    String(decoding: $0.source, as: UTF8.self)
                                )
                            }, uniquingKeysWith: { first, _ in first }))
                case .failure(let error): told.failures.append(error.message)
                }
            }
        }

        var last: [String: String]? { told.withLock { $0.sets.last } }
        var count: Int { told.withLock { $0.sets.count } }
        var failures: [String] { told.withLock { $0.failures } }
    }

    @Test("sees files that are written in place, replaced, made, renamed and deleted")
    func files() async throws {
        try await TemporaryFolder.with(["a.lua": "1"]) { folder in
            let observer = try Observer(folder.path)
            try folder.write("a.lua", "2")
            try await observer.expect(["a.lua": "2"])
            try folder.replace("a.lua", "3")
            try await observer.expect(["a.lua": "3"])
            try folder.write("b.lua", "b")
            try await observer.expect(["a.lua": "3", "b.lua": "b"])
            try folder.move("b.lua", to: "c.lua")
            try await observer.expect(["a.lua": "3", "c.lua": "b"])
            try folder.remove("a.lua")
            try await observer.expect(["c.lua": "b"])
        }
    }

    @Test("sees what is in folders that are made, moved in and deleted")
    func folders() async throws {
        try await TemporaryFolder.with(["jobs/a.lua": "a", "elsewhere/deep/d.lua": "d"]) { folder in
            let observer = try Observer(folder.file("jobs"))
            try folder.write("jobs/new/deep/b.lua", "b")
            try await observer.expect(["a.lua": "a", "b.lua": "b"])
            try folder.write("jobs/new/deep/b.lua", "b2")
            try await observer.expect(["a.lua": "a", "b.lua": "b2"])
            try folder.move("elsewhere", to: "jobs/moved")
            try await observer.expect(["a.lua": "a", "b.lua": "b2", "d.lua": "d"])
            try folder.write("jobs/moved/deep/d.lua", "d2")
            try await observer.expect(["a.lua": "a", "b.lua": "b2", "d.lua": "d2"])
            try folder.remove("jobs/new")
            try await observer.expect(["a.lua": "a", "d.lua": "d2"])
        }
    }

    @Test("sees links that are swapped: the folder itself, a part of the way to it, and one inside")
    func links() async throws {
        try await TemporaryFolder.with(["1/jobs/a.lua": "1", "2/jobs/a.lua": "2", "3/a.lua": "3"]) { folder in
            try folder.link("current", to: "1")
            let way = try Observer(folder.file("current/jobs"))
            try folder.link("current", to: folder.file("2"))
            try await way.expect(["a.lua": "2"])
            try folder.write("2/jobs/a.lua", "2b")
            try await way.expect(["a.lua": "2b"])

            try folder.link("direct", to: "current/jobs")
            let direct = try Observer(folder.file("direct"))
            try folder.link("current", to: "1")
            try await direct.expect(["a.lua": "1"])
            try await way.expect(["a.lua": "1"])
            try folder.link("direct", to: "3")
            try await direct.expect(["a.lua": "3"])

            // As a mounted configuration is swapped: each file is a link through one that is replaced.
            try folder.write("mounted/..1/m.lua", "m1")
            try folder.write("mounted/..2/m.lua", "m2")
            try folder.link("mounted/..data", to: "..1")
            try folder.link("mounted/m.lua", to: "..data/m.lua")
            let mounted = try Observer(folder.file("mounted"))
            try folder.link("mounted/..data", to: "..2")
            try await mounted.expect(["m.lua": "m2"])

            // A file elsewhere.
            try folder.link("3/b.lua", to: "../1/jobs/a.lua")
            try await direct.expect(["a.lua": "3", "b.lua": "1"])
            try folder.replace("changed", "now")
            try folder.move("changed", to: "1/jobs/a.lua")
            try await direct.expect(["a.lua": "3", "b.lua": "now"])
        }
    }

    @Test("says once that the folder is gone, and sees it come back")
    func comesBack() async throws {
        try await TemporaryFolder.with(["way/jobs/a.lua": "1"]) { folder in
            let observer = try Observer(folder.file("way/jobs"))
            try folder.move("way", to: "away")
            try await eventually("it says so") { !observer.failures.isEmpty }
            #expect(observer.failures.count == 1 && observer.failures[0].hasPrefix("no folder "))
            try folder.makeFolder("way")
            try folder.write("way/jobs/a.lua", "2")
            try await observer.expect(["a.lua": "2"])
            #expect(observer.failures.count == 1)
        }
    }

    @Test("tells nothing when the text is the same")
    func sameText() async throws {
        try await TemporaryFolder.with(["a.lua": "1"]) { folder in
            let observer = try Observer(folder.path)
            try folder.replace("a.lua", "1")
            try folder.write("notes.txt", "no script")
            try folder.write("a_test.lua", "a test")
            try folder.write("b.lua", "2")
            try await observer.expect(["a.lua": "1", "b.lua": "2"])
            #expect(observer.count == 1)
        }
    }

    @Test("sees what changes on the way of a link to a folder elsewhere")
    func linkedFolders() async throws {
        try await TemporaryFolder.with([
            "jobs/a.lua": "a", "releases/1/lib/b.lua": "1", "releases/2/lib/b.lua": "2", "next/lib/b.lua": "3",
        ]) { folder in
            try folder.link("current", to: "releases/1")
            try folder.link("jobs/lib", to: "../current/lib")
            let observer = try Observer(folder.file("jobs"))
            try folder.link("current", to: "releases/2")
            try await observer.expect(["a.lua": "a", "b.lua": "2"])
            try folder.move("releases", to: "old")
            try await observer.expect(["a.lua": "a"])
            try folder.makeFolder("releases")
            try folder.move("next", to: "releases/2")
            try await observer.expect(["a.lua": "a", "b.lua": "3"])
            try folder.write("releases/2/lib/b.lua", "4")
            try await observer.expect(["a.lua": "a", "b.lua": "4"])
        }
    }

    @Test("sees changes in a folder that two links led to, when one of them leads elsewhere")
    func twoLinks() async throws {
        try await TemporaryFolder.with(["x/f.lua": "1", "y/g.lua": "g"]) { folder in
            try folder.makeFolder("jobs")
            try folder.link("jobs/one", to: "../x")
            try folder.link("jobs/two", to: "../x")
            let observer = try Observer(folder.file("jobs"))
            try folder.link("jobs/two", to: "../y")
            try await observer.expect(["f.lua": "1", "g.lua": "g"])
            try folder.write("x/f.lua", "2")
            try await observer.expect(["f.lua": "2", "g.lua": "g"])
            try folder.write("y/g.lua", "g2")
            try await observer.expect(["f.lua": "2", "g.lua": "g2"])
        }
    }

    @Test("sees what links led nowhere to")
    func danglingLinks() async throws {
        try await TemporaryFolder.with { folder in
            try folder.makeFolder("jobs")
            try folder.link("jobs/a.lua", to: "../later/deep/a.lua")
            try folder.link("jobs/circle.lua", to: "circle.lua")
            let observer = try Observer(folder.file("jobs"))
            try folder.write("later/deep/a.lua", "1")
            try await observer.expect(["a.lua": "1"])
            try folder.replace("later/deep/a.lua", "2")
            try await observer.expect(["a.lua": "2"])
        }
    }

    @Test("sees a folder that is not there yet")
    func notThereYet() async throws {
        try await TemporaryFolder.with { folder in
            let observer = try Observer(folder.file("way/to/jobs"))
            try folder.write("way/to/jobs/a.lua", "1")
            try await observer.expect(["a.lua": "1"])
            try folder.remove("way")
            try folder.write("way/to/jobs/a.lua", "2")
            try await observer.expect(["a.lua": "2"])
        }
    }

    @Test("tells of many changes a few times")
    func many() async throws {
        let files = (0..<1000).map { ("deep/\($0 % 10)/\($0).lua", "1") }
        try await TemporaryFolder.with(Dictionary(uniqueKeysWithValues: files)) { folder in
            let observer = try Observer(folder.path)
            for (name, _) in files { try folder.write(name, "2") }
            try await observer.expect(
                Dictionary(uniqueKeysWithValues: files.map { (String($0.0.dropFirst("deep/0/".count)), "2") }))
            #expect(observer.count < 100)
        }
    }
}
