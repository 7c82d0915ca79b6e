private import Foundation

/// A file that a command writes where there was none.
struct NewFile: Hashable, Sendable {
    let path: String
    let text: String

    var exists: Bool { FileManager.default.fileExists(atPath: path) }

    /// Makes the folder if there is none. Never overwrites.
    func write() throws(CommandFailure) {
        let folder = URL(filePath: path).deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(filePath: path), options: .withoutOverwriting)
        } catch {
            throw .failure("cannot write \(path): check its folder, and your permissions there")
        }
    }
}
