import Foundation

/// A folder of scripts that is gone when the test is done with it.
final class ScriptTexts {
    let path: String

    /// Texts by file name; names may have folders in them. Its own name is short, for Lua cuts long paths in errors.
    init(_ files: [String: String]) throws {
        let name = "jr-\(UUID().uuidString.prefix(13))"
        path = FileManager.default.temporaryDirectory.appending(path: name).path
        for (name, text) in files {
            let file = URL(filePath: path).appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
