internal import ArgumentParser
private import Foundation
private import JobReactorCore
private import JobReactorLua

struct NewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Write a first version of a new job, and its test.",
        usage: "jobreactor new <name> [--editor] [--json] [<options>]",
        discussion: """
            Writes NAME.lua and NAME_test.lua into the folder of job scripts, and creates the folder if it does not exist. \
            Nothing is overwritten.
            """)

    @Argument(help: "Name of the job and of its file.") var name: String
    @Flag(help: "Also write .luarc.json and the definitions for completion and checks in editors.")
    var editor = false
    @Flag(help: "Print a JSON object.") var json = false
    @Option(\.jobDirectory) var jobDirectory: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try common.settings()
        let folder = JobDirectory(try settings.value(\.jobDirectory, flag: jobDirectory)).path
        try Self.check(name)
        let template = JobTemplate(name: name)
        let files = [
            NewFile(path: "\(folder)/\(name).lua", text: template.script),
            NewFile(path: "\(folder)/\(name)_test.lua", text: template.test),
        ]
        // Both or none.
        for file in files where file.exists {
            throw CommandFailure.failure("\(file.path) exists already: choose another name, or remove the file first")
        }
        for file in files { try file.write() }
        var written = files
        if editor {
            for file in EditorFiles.all(for: folder) where !file.exists {
                try file.write()
                written.append(file)
            }
        }
        let option = folder == "reactor_jobs" ? "" : " --jobs \(folder)"
        let next = ["jobreactor run \(name) name=Ada\(option)", "jobreactor test\(option)"]
        guard !json else {
            let lists = ["wrote": written.map(\.path), "next": next]
            return try Terminal.result(
                json: JSONValue.object(lists.mapValues { .array($0.map { .string($0) }) }).json)
        }
        try Terminal.result(
            (written.map { "wrote \($0.path)" } + ["next:"] + next.map { "    " + $0 }).joined(separator: "\n"))
    }

    /// The name of a file and of a job: what needs no quotes anywhere.
    static func check(_ name: String) throws(CommandFailure) {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isPlain, let first = name.utf8.first, first != UInt8(ascii: "-"), name.utf8.count <= 100 else {
            throw .usage(
                "'\(name)' is not a valid name for a new job: use up to 100 letters, digits, _ and -, such as send_mail"
            )
        }
        guard !name.hasSuffix("_test") else {
            throw .usage("'\(name)' would be the name of a test file: the name of a job must not end in _test")
        }
    }
}
