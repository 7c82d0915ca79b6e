import Foundation

/// A folder of job scripts that goes with the test.
final class ScriptFolder: Sendable {
    let path: String

    init(_ scripts: [String: String]) throws {
        path = FileManager.default.temporaryDirectory.appending(path: "jobreactor-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (name, text) in scripts {
            let file = URL(filePath: path).appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
